"""What can go wrong beneath the views, and before them: said as JSON to programs, and as a page to people."""

import logging
from collections.abc import Callable, Mapping

from flask import Flask, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import DatabaseError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from wizard.licensing.protocol.api import API, HEALTH, METRICS
from wizard.licensing.rules.limits import MINUTE, SECOND, Millis
from wizard.licensing.rules.timeline import ClockBehind
from wizard.licensing.server.drawing import span
from wizard.licensing.server.refusals import REFUSALS, STATUSES, refuse, retry_after
from wizard.licensing.server.rows import Damaged

log = logging.getLogger(__name__)

STORAGE_WAIT: Millis = 10 * SECOND
"""A busy database is free again by then; a full disk is asked about once more."""
RESTART_WAIT: Millis = MINUTE
"""By then the storage has been verified again, and the process has ended because of what was found."""

Words = tuple[str, ...]
"""A heading, and the sentences beneath it: what happened, and what to do."""

PAGES: Mapping[str, Callable[[], Words]] = {
    "bad_request": lambda: (
        _("That could not be read"),
        _("It came in another form than this page sends it. Nothing was done. Open the page, and try again there."),
    ),
    "forbidden": lambda: (
        _("That came from another site"),
        _("Codes are taken from this application's own page only. Nothing was counted."),
    ),
    "not_found": lambda: (_("There is no such page"), _("This application has only one, with its QR code.")),
    "method_not_allowed": lambda: (_("That cannot be done here"), _("Open the page, and go on there.")),
    "request_entity_too_large": lambda: (
        _("That is too much"),
        _("A code has six digits. Nothing was done. Open the page, and try again there."),
    ),
    "internal_server_error": lambda: (
        _("Something went wrong that should not"),
        _("It is in the log of this application. What was stored before is as it was."),
    ),
    "storage": lambda: (
        _("The storage cannot be used now"),
        _("The disk of this server is full, or something else holds the database. Nothing was changed."),
        _("Make room on the disk of its config volume. This page then goes on by itself."),
    ),
    "damaged": lambda: (
        _("The storage is damaged"),
        _("What is stored is not what was written. Nothing of it is used."),
        _("This application starts again within a minute, and must then be authenticated again. Wait for it here."),
    ),
}


def handle(app: Flask) -> None:
    """Register what is done about each of them."""
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(ClockBehind, clock_is_behind)
    app.register_error_handler(OperationalError, storage_is_in_trouble)
    app.register_error_handler(OSError, storage_is_in_trouble)
    app.register_error_handler(DatabaseError, storage_is_damaged)
    app.register_error_handler(Damaged, storage_is_damaged)


def show_error(error: HTTPException) -> Response:
    """What the framework refuses. The status and the headers are the error's own."""
    status = error.code or 500
    code = STATUSES.get(status, "bad_request" if status < 500 else "internal_server_error")
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    if status == 403:
        return _page(PAGES["forbidden"](), status)
    return _said(code, headers)


def clock_is_behind(error: ClockBehind) -> Response:
    """After a restart of the host, until its clock is set, but no longer than an hour."""
    words = (
        _("The clock of this server is behind"),
        _(
            "It shows a time that is %(span)s before this application was last alive. So it cannot be told how long it "
            "was down, and nothing is decided yet.",
            span=span(error.behind),
        ),
        _(
            "Set the clock of the server right. This page then goes on by itself; in %(span)s at the latest, whatever "
            "the clock shows.",
            span=span(error.left),
        ),
    )
    return _said("clock_behind", retry_after(min(error.left, MINUTE)), words)


def storage_is_in_trouble(error: OperationalError | OSError) -> Response:
    """The disk, or whoever holds the file. It can end by itself."""
    log.error("The storage cannot be used: %s", error)
    return _said("storage", retry_after(STORAGE_WAIT))


def storage_is_damaged(error: Damaged | DatabaseError) -> Response:
    """SQLite says so, or the seal of a row does."""
    log.error("The storage is damaged: %s", error)
    return _said("damaged", retry_after(RESTART_WAIT))


def _said(code: str, headers: Mapping[str, str], words: Words | None = None) -> Response:
    if request.path.startswith(f"{API}/") or request.path in (HEALTH, METRICS):
        return make_response(refuse(code, headers=dict(headers)))
    return _page(words or PAGES[code](), REFUSALS[code].status, headers)


def _page(words: Words, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A page that goes on by itself when the trouble can end by itself."""
    given = dict(headers or {})
    heading, *sentences = words
    html = render_template("error.html", heading=heading, sentences=sentences, passing="Retry-After" in given)
    return make_response(html, status, given)
