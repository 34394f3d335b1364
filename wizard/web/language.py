"""Everything a person reads, in their language and their units."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, abort, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, format_datetime, format_decimal
from flask_babel import gettext as _

from wizard.licensing.language import COOKIE, LANGUAGES, TAGS, chosen, known, tag
from wizard.text import Text
from wizard.web import frames, qr
from wizard.web.account import inside

TRANSLATIONS = Path(__file__).parents[1] / "translations"
PUBLIC = frozenset({"language"})
"""The endpoint by which everybody chooses their language, let in or not."""
YEAR = timedelta(days=365)


def speak(app: Flask) -> None:
    """Choose the language, say `Text`s where templates print them, and give templates their units."""
    Babel(app, locale_selector=spoken, default_translation_directories=str(TRANSLATIONS))
    app.jinja_env.finalize = said
    app.jinja_env.filters |= {"size": size, "duration": duration, "clock": clock, "iso": iso, "grouped": grouped}
    app.jinja_env.globals |= {"qr": qr.svg, "said": said, "languages": LANGUAGES, "tags": TAGS}
    app.context_processor(lambda: {"language": tag()})
    app.add_url_rule("/language", "language", choose, methods=["POST"])


def spoken() -> str:
    """The language of this request: the one that the application around a frame has asked for, else the reader's."""
    return framed() or chosen()


def framed() -> str | None:
    """The language of the launch (docs/embedding.md), also of one that has just ended."""
    frame = frames.current() or g.get("ended_frame")
    return known(frame.launch.language) if frame else None


def choose() -> ResponseReturnValue:
    """Keep the choice in a cookie, which outlives the session, and go back to the page."""
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        abort(404)
    response = redirect(_came_from() or inside(request.form.get("next")) or "/", 303)
    response.set_cookie(COOKIE, language, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _came_from() -> str | None:
    """The page as its address stands now: a step that was swapped in has changed it since the page was loaded."""
    came_from = urlsplit(request.referrer or "")
    is_own = f"{came_from.scheme}://{came_from.netloc}/" == request.host_url
    return inside(came_from._replace(scheme="", netloc="").geturl()) if is_own else None


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
            return f"{format_decimal(amount, '#,##0' if amount >= 10 else '0.0')} {unit}"
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
    """The time of day in UTC, said so; a script puts it into the reader's own zone. A date in the form is written as
    the reader's language does it.
    """
    form = form.replace("yyyy-MM-dd", _("yyyy-MM-dd")).replace("MM-dd", _("MM-dd"))
    return str(_("%(time)s UTC", time=format_datetime(moment, form, rebase=False)))


def grouped(digest: str, width: int = 8) -> str:
    """A long number in groups that the eye can hold."""
    return " ".join(digest[start : start + width] for start in range(0, len(digest), width))
