"""The authorization application as a Flask application of its own."""

from flask import Flask, Response, render_template, request
from flask_babel import Babel, get_locale
from werkzeug.exceptions import HTTPException

from wizard.licensing.protocol.api import API, HEALTH, PAGE, STATUS
from wizard.licensing.server import drawing
from wizard.licensing.server.api import api, failure
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.page import page
from wizard.licensing.server.rate import Bucket
from wizard.licensing.server.registrations import Registrations
from wizard.licensing.server.site import Clock, Site, attach
from wizard.licensing.server.status import Json

LARGEST_BODY = 1 << 20
"""Bytes. A register message with the most nodes and the longest names has less."""
LARGEST_FORM = 4096

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), clipboard-write=(self)",
    "Cache-Control": "no-store",
}
"""On every response, errors included. No HSTS: it would forbid the exception for a self-signed certificate."""


def create_app(authorization: Authorization, *, clock: Clock, address: str, port: int) -> Flask:
    """The application for an instance that was booted, at its published address and port."""
    app = Flask(__name__, static_url_path="/license/static")
    app.config |= {"MAX_CONTENT_LENGTH": LARGEST_BODY, "MAX_FORM_MEMORY_SIZE": LARGEST_FORM, "MAX_FORM_PARTS": 20}
    site = Site(
        authorization=authorization,
        registrations=Registrations(authorization),
        rate=Bucket(),
        clock=clock,
        address=address,
        port=port,
    )
    attach(app, site)
    Babel(app)
    app.jinja_env.globals |= {"svg": drawing.svg, "get_locale": get_locale, "page_url": PAGE, "status_url": STATUS}
    app.jinja_env.filters |= {"left": drawing.left, "ago": drawing.ago}
    app.register_blueprint(api)
    app.register_blueprint(page)
    app.register_error_handler(HTTPException, show_error)
    app.after_request(harden)
    return app


def show_error(error: HTTPException) -> tuple[Json | str, int]:
    """JSON for programs, a page for people; the status is the error's own."""
    code = error.code or 500
    if request.path.startswith(API) or request.path == HEALTH:
        return failure(error.name.lower().replace(" ", "_"), error.description or error.name), code
    return render_template("error.html", name=error.name, description=error.description), code


def harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
