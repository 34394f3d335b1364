"""Reference FanRuan applications: a *Registration Management* page for each project, and the same for programs (R8)."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request, url_for
from flask_babel import Babel, get_locale
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from wizard.licensing.client.client import Client, NotRegistered
from wizard.licensing.client.line import LineError
from wizard.licensing.protocol.api import DEFAULT_PORT, HEALTH
from wizard.licensing.rules.limits import HOUR, MINUTE, Millis
from wizard.licensing.rules.project import BEATING, ProjectState

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

STATES: Mapping[ProjectState, Callable[[], str]] = {
    ProjectState.UNREGISTERED: lambda: _("not registered"),
    ProjectState.CONNECTED: lambda: _("registered"),
    ProjectState.DISCONNECTED: lambda: _("registered, but disconnected"),
    ProjectState.LAPSED: lambda: _("blocked until it is reconnected"),
    ProjectState.FAILED: lambda: _("failed: register again"),
    ProjectState.RELEASED: lambda: _("given up"),
}


class Unusable(Exception):
    """An address or a port that cannot be meant."""


FAILURES: Mapping[type[Exception], int] = {LineError: 502, NotRegistered: 409, Unusable: 422}
"""Why a registration did not succeed, and what HTTP calls it."""


@dataclass(frozen=True, kw_only=True)
class Applications:
    """The projects by their slugs; `registered` is told the slug of one that has just registered."""

    clients: Mapping[str, Client]
    clock: Callable[[], Millis]
    registered: Callable[[str], None]


def create_app(applications: Applications) -> Flask:
    app = Flask(__name__, static_url_path="/static")
    app.config |= {"MAX_CONTENT_LENGTH": 64 * 1024, "MAX_FORM_MEMORY_SIZE": 64 * 1024, "MAX_FORM_PARTS": 20}
    app.extensions["applications"] = applications
    Babel(app)
    app.jinja_env.globals |= {"get_locale": get_locale}
    app.jinja_env.filters["span"] = span
    app.register_blueprint(pages)
    app.register_error_handler(HTTPException, show_error)
    app.after_request(harden)
    return app


pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> str:
    return render_template("index.html", clients=_here().clients)


@pages.get(HEALTH)
def health() -> dict[str, str]:
    return {"status": "ok"}


@pages.get("/projects/<slug>/")
def registration(slug: str) -> Response:
    return _page(slug)


@pages.post("/projects/<slug>/")
def registration_submit(slug: str) -> BaseResponse:
    """*Register Now*, or *Re-register*, which gives the registration up (R12). Other sites cannot send either."""
    if request.headers.get("Origin", request.host_url.rstrip("/")) != request.host_url.rstrip("/"):
        abort(403)
    client = _client(slug)
    if request.form.get("action") == "give-up":
        client.deauthorize(_here().clock())
    else:
        try:
            _register(slug, request.form.get("address", ""), request.form.get("port", ""))
        except tuple(FAILURES) as error:
            return _page(slug, error)
    return redirect(url_for(".registration", slug=slug), 303)


@pages.post("/projects/<slug>/registration")
def register(slug: str) -> tuple[dict[str, object], int]:
    """The same for programs: {"address", "port"} → 201 {"state"}, or the cause."""
    document = request.get_json()
    if not isinstance(document, dict):
        abort(400)
    try:
        _register(slug, str(document.get("address", "")), str(document.get("port", "")))
    except tuple(FAILURES) as error:
        return {"error": {"code": getattr(error, "code", "unusable"), "message": str(error)}}, FAILURES[type(error)]
    return {"state": _client(slug).look(_here().clock()).nodes[0].registration.state.value}, 201


def _register(slug: str, address: str, port: str) -> None:
    client = _client(slug)
    client.register(_ip(address), _port(port), _here().clock())
    _here().registered(slug)


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise Unusable(_("Enter the IP address of the authorization application, such as 192.168.1.5.")) from None


def _port(text: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Unusable(_("Enter the port of the authorization application, a number from 1 to 65535."))
    return int(text)


def _here() -> Applications:
    return cast(Applications, current_app.extensions["applications"])


def _client(slug: str) -> Client:
    client = _here().clients.get(slug)
    if client is None:
        abort(404, _("There is no such project here."))
    return client


def _page(slug: str, error: Exception | None = None) -> Response:
    client, now = _client(slug), _here().clock()
    memory = client.look(now)
    html = render_template(
        "registration.html",
        name=client.name,
        memory=memory,
        states={state: said() for state, said in STATES.items()},
        is_registered=any(node.registration.state in BEATING for node in memory.nodes),
        now=now,
        error=error,
        address=request.form.get("address", ""),
        port=request.form.get("port", DEFAULT_PORT),
    )
    return Response(html, FAILURES[type(error)] if error else 200)


def show_error(error: HTTPException) -> tuple[dict[str, object] | str, int]:
    code = error.code or 500
    if request.is_json:
        return {"error": {"code": error.name.lower().replace(" ", "_"), "message": error.description}}, code
    return render_template("error.html", name=error.name, description=error.description), code


def harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def span(milliseconds: Millis) -> str:
    """A span of time as people say it."""
    if milliseconds < MINUTE:
        return str(_("less than a minute"))
    if milliseconds < HOUR:
        return str(_("%(minutes)s min", minutes=milliseconds // MINUTE))
    return str(_("%(hours)s h %(minutes)s min", hours=milliseconds // HOUR, minutes=milliseconds % HOUR // MINUTE))
