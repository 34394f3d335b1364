"""The activation page, as a web application: what a phone opens after scanning; and the demonstration image."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from wizard.licensing import language
from wizard.licensing.vendor.image import ARCHIVE
from wizard.licensing.vendor.machine import MachineError
from wizard.licensing.vendor.office import Case, Office, Order, open_office
from wizard.licensing.vendor.openapi import DOCUMENT
from wizard.licensing.vendor.pages import (
    FAILED,
    MISPLACED,
    NO_IMAGE,
    NOT_ANSWERED,
    NOT_FOUND,
    REFUSALS,
    Notice,
    about,
)
from wizard.licensing.vendor.rules import Refused

Clock = Callable[[], datetime]
"""Says what time it is, aware, in UTC."""
Page = str | BaseResponse | tuple[str, int]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
DECISIONS = {"issue": True, "decline": False}
LARGEST_FORM = 4096
"""Bytes. The real ones have 100."""
HOUR = timedelta(hours=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(data: Path | str, *, activation: str, clock: Clock = utc_now) -> Flask:
    """The vendor's site. `activation` is the base URL under which phones reach it, and goes into the images."""
    return assemble(open_office(Path(data)), activation=activation, clock=clock)


def assemble(office: Office, *, activation: str, clock: Clock) -> Flask:
    """The site of that office, which whoever made it closes."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.extensions["office"] = office
    language.speak(app)
    app.register_blueprint(activation_page(office, clock))
    app.register_blueprint(demonstration(office, activation, clock))
    app.add_url_rule("/healthz", "healthz", lambda: {"status": "ok"})
    app.add_url_rule("/openapi.json", "openapi", lambda: DOCUMENT)
    app.register_error_handler(HTTPException, http_error)
    app.after_request(with_headers)
    return app


def activation_page(office: Office, clock: Clock) -> Blueprint:
    """`/L/…`: shows the case, takes the decision, shows the code."""
    page = Blueprint("activation", __name__)

    @page.get("/L/<text>")
    def case(text: str) -> Page:
        now = clock()
        found = office.look(text, now)
        token = form_token(office.keys.forms, text)
        return render_template(_template(found), token=token, **about(found, now))

    @page.post("/L/<text>")
    def decide(text: str) -> Page:
        issue = DECISIONS.get(request.form.get("decision", ""))
        if issue is None or not _is_token(request.form.get("token", ""), office.keys.forms, text):
            return notice(MISPLACED)
        office.decide(text, issue=issue, now=clock())
        return redirect(url_for("activation.case", text=text), 303)

    @page.errorhandler(Refused)
    def refused(error: Refused) -> Page:
        wait = {}
        if error.retry_at is not None:
            wait = {"retry_at": error.retry_at, "retry_in": -(-(error.retry_at - clock()) // HOUR)}
        response = Response(*notice(REFUSALS[error.refusal], kind=_("No code"), **wait))
        response.retry_after = error.retry_at
        return response

    return page


def demonstration(office: Office, activation: str, clock: Clock) -> Blueprint:
    """A licence image for whoever tries the wizard out: each download a licence of its own."""
    pages = Blueprint("demonstration", __name__, url_prefix="/demonstration")
    order = Order(
        company="Demonstration Company", project="Demonstration Project", registrations=3, activation=activation
    )

    @pages.get(f"/{ARCHIVE}")
    def image() -> Page:
        archive = office.issue(order, clock()).archive
        response = Response(archive.pieces(), mimetype="application/x-tar")
        response.content_length = archive.size
        response.headers.set("Content-Disposition", "attachment", filename=ARCHIVE)
        return response

    @pages.errorhandler(MachineError)
    def no_image(error: MachineError) -> Page:
        return notice(NO_IMAGE, raw=str(error))

    return pages


def notice(shown: Notice, **more: object) -> tuple[str, int]:
    """A page that tells, and the status to send it with."""
    return render_template("vendor/notice.html", notice=shown, **more), shown.status


def http_error(error: HTTPException) -> Page:
    """A page for what Flask itself refuses, and for what failed; the status stays."""
    status = error.code or 500
    shown = NOT_FOUND if status == 404 else NOT_ANSWERED if status < 500 else FAILED
    response = error.get_response()
    response.data = notice(shown)[0]
    return response


def with_headers(response: Response) -> Response:
    """The same strict headers on every answer, errors included. Pages say what holds now, so nothing keeps them."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _template(case: Case) -> str:
    if case.answer is None:
        return "vendor/decide.html"
    return "vendor/code.html" if case.answer.issued else "vendor/declined.html"


def form_token(key: bytes, text: str) -> str:
    """Goes with the form, so that a decision comes from a page that showed this very QR."""
    return hmac.new(key, b"decision\n" + text.encode(), hashlib.sha256).hexdigest()


def _is_token(sent: str, key: bytes, text: str) -> bool:
    return hmac.compare_digest(sent.encode(), form_token(key, text).encode())
