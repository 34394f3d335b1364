"""Which language a page speaks: the one chosen on this host, else the one that the browser asks for; and its date."""

from datetime import datetime
from pathlib import Path

from flask import Flask, request
from flask_babel import Babel, get_locale
from flask_babel import gettext as _

LANGUAGES = {"en": "English", "zh": "简体中文", "ja": "日本語", "ko": "한국어"}
"""Those that there is a catalogue of, by their own names; the first is what is spoken when none is asked for."""
TAGS = {"zh": "zh-Hans"}
"""As pages say it (RFC 5646), where that is more than the name of the catalogue. A catalogue of a name such as zh_CN
is silently ignored."""
COOKIE = "language"
"""Holds what was chosen in a footer. It is kept by host, so other pages of this host follow it."""
TRANSLATIONS = Path(__file__).parent / "translations"


def speak(app: Flask) -> None:
    """Let the pages of licensing speak the reader's language."""
    Babel(app, locale_selector=chosen, default_translation_directories=str(TRANSLATIONS))
    app.jinja_env.globals["language"] = tag
    app.jinja_env.filters["day"] = day


def chosen() -> str:
    """The language of this request."""
    return known(request.cookies.get(COOKIE, "")) or negotiated()


def negotiated() -> str:
    """By Accept-Language. Every Chinese is the one that there is, which no library settles by itself."""
    wanted = (known(tag) for tag, quality in request.accept_languages if quality > 0)
    return next((language for language in wanted if language), next(iter(LANGUAGES)))


def known(tag: str) -> str | None:
    """The language of a tag such as zh-CN; None when there is no catalogue of it."""
    language = tag.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else None


def tag() -> str:
    """What the pages of this request say of their language."""
    name = str(get_locale() or next(iter(LANGUAGES)))
    return TAGS.get(name, name)


def day(moment: datetime) -> str:
    """A date as the reader writes it."""
    pattern = str(_("yyyy-MM-dd"))
    for part, number in (("yyyy", f"{moment:%Y}"), ("MM", f"{moment:%m}"), ("dd", f"{moment:%d}")):
        pattern = pattern.replace(part, number)
    return pattern.replace("M", str(moment.month)).replace("d", str(moment.day))
