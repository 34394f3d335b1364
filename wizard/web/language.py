"""Everything a person reads, in their language and their units."""

from datetime import UTC, datetime, timedelta

from flask import Flask, request
from flask_babel import Babel, format_datetime, get_locale
from flask_babel import gettext as _

from wizard.text import Text
from wizard.web import qr

LANGUAGES = ("en",)
"""Those that have a catalogue; the first is what is spoken when none of them is asked for."""


def speak(app: Flask) -> None:
    """Choose the language by the browser, say `Text`s where templates print them, and give templates their units."""
    Babel(app, locale_selector=lambda: request.accept_languages.best_match(LANGUAGES, LANGUAGES[0]))
    app.jinja_env.finalize = said
    app.jinja_env.filters |= {"size": size, "duration": duration, "clock": clock, "iso": iso, "grouped": grouped}
    app.jinja_env.globals |= {"qr": qr.svg, "said": said}

    @app.context_processor
    def spoken() -> dict[str, object]:
        return {"language": str(get_locale() or LANGUAGES[0])}


def said(value: object) -> object:
    """A `Text` in the language of the reader; anything else as it is."""
    if isinstance(value, Text):
        return _(value.msgid, **{name: said(param) for name, param in value.params.items()})
    return "" if value is None else value


def size(count: int) -> str:
    """Bytes as people say them, in powers of 1000."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= factor:
            amount = count / factor
            return f"{amount:.0f} {unit}" if amount >= 10 else f"{amount:.1f} {unit}"
    return str(_("%(count)s bytes", count=count))


def duration(time: timedelta) -> str:
    """A span as people say it: the two largest units."""
    seconds = max(0, round(time.total_seconds()))
    if seconds < 60:
        return str(_("%(seconds)s s", seconds=seconds))
    if seconds < 3600:
        return str(_("%(minutes)s min %(seconds)s s", minutes=seconds // 60, seconds=seconds % 60))
    return str(_("%(hours)s h %(minutes)s min", hours=seconds // 3600, minutes=seconds % 3600 // 60))


def iso(moment: datetime) -> str:
    """For machines: the datetime attribute of a time element."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(moment: datetime, form: str = "HH:mm") -> str:
    """The time of day in UTC, said so; a script puts it into the reader's own zone."""
    return str(_("%(time)s UTC", time=format_datetime(moment, form, rebase=False)))


def grouped(digest: str, width: int = 8) -> str:
    """A long number in groups that the eye can hold."""
    return " ".join(digest[start : start + width] for start in range(0, len(digest), width))
