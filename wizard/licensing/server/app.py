"""The authorization application as a Flask application of its own."""

from flask import Flask, Response

from wizard.licensing import language
from wizard.licensing.protocol.api import PAGE, STATUS
from wizard.licensing.server import drawing, troubles
from wizard.licensing.server.api import api
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.page import page
from wizard.licensing.server.registrations import Registrations
from wizard.licensing.server.site import Clock, Site, attach

LARGEST_BODY = 1 << 20
"""Bytes. A register message with the most nodes and the longest names has less."""

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
    """The application for an instance, at its published address and port. The clock boots it before it tells a time."""
    app = Flask(__name__, static_url_path="/license/static")
    app.config |= {"MAX_CONTENT_LENGTH": LARGEST_BODY, "MAX_FORM_PARTS": 20}
    registrations = Registrations(authorization)
    attach(
        app,
        Site(authorization=authorization, registrations=registrations, clock=clock, address=address, port=port),
    )
    language.speak(app)
    app.jinja_env.globals |= {"svg": drawing.svg, "page_url": PAGE, "status_url": STATUS}
    app.jinja_env.filters |= {"left": drawing.left, "ago": drawing.ago, "span": drawing.span}
    app.register_blueprint(api)
    app.register_blueprint(page)
    troubles.handle(app)
    app.after_request(harden)
    return app


def harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
