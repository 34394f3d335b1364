"""*Registration Management*, a page a project (R8, R12), and registering for programs. No page needs a script."""

import ipaddress
from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from wizard.licensing.client.causes import LOST, Cause, ClientError, NotRegistered, StorageError
from wizard.licensing.client.line import LineError
from wizard.licensing.client.site import find, here
from wizard.licensing.client.state import Memory
from wizard.licensing.client.words import HEADINGS, STATES
from wizard.licensing.protocol.api import DEFAULT_PORT, HEALTH
from wizard.licensing.protocol.words import fingerprint_words
from wizard.licensing.rules.limits import DAY, HEAL, Millis
from wizard.licensing.rules.project import ProjectState

SHOWN = 10
"""Entries of the history that are not folded away."""
HIGHEST_PORT = 65535

pages = Blueprint("pages", __name__)


class Unusable(ClientError):
    """An address or a port that cannot be meant; `field` is the one to mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("unusable", message)
        self.field = field


FAILURES: Mapping[type[ClientError], int] = {LineError: 502, NotRegistered: 409, Unusable: 422, StorageError: 500}
"""Why something was not done, and what HTTP calls it."""


@pages.before_request
def refuse_other_sites() -> None:
    """A form on another site must not register anything, nor give anything up."""
    own = request.host_url.rstrip("/")
    if request.method == "POST" and request.headers.get("Origin", own) != own:
        abort(403)


@pages.get("/")
def index() -> str:
    now = here().clock()
    projects = {slug: (client, _worst(client.look(now))) for slug, client in here().clients.items()}
    return render_template("index.html", projects=projects, states=_states())


@pages.get(HEALTH)
def health() -> dict[str, str]:
    return {"status": "ok"}


@pages.get("/projects/<slug>/")
def registration(slug: str) -> str:
    client, now = find(slug), here().clock()
    memory = client.look(now)
    heard = [node.registration.feedback for node in memory.nodes if node.registration.feedback is not None]
    return render_template(
        "registration.html",
        **_shared(slug, memory, now),
        heading=HEADINGS[_worst(memory)](client.name),
        worst=_worst(memory).value,
        certified=memory.server.certified if memory.server else None,
        words=fingerprint_words(bytes.fromhex(memory.server.certified.instance)) if memory.server else (),
        next_beat=client.next_beat(now),
        problems=list(_problems(memory, now)),
        valid_until=min(heard, default=now) + DAY,
        heals_until=min(heard, default=now) + HEAL,
        history=memory.history[::-1],
        shown=SHOWN,
    )


@pages.get("/projects/<slug>/register")
def register_now(slug: str) -> BaseResponse | str:
    """*Register Now*."""
    own_key = "own_key" in request.args
    if find(slug).look(here().clock()).is_whole and not own_key:
        return redirect(url_for(".registration", slug=slug), 303)
    return _form(slug, own_key=own_key)


@pages.post("/projects/<slug>/register")
def register_now_submit(slug: str) -> BaseResponse:
    own_key = "own_key" in request.form
    try:
        _register(slug, request.form.get("address", ""), request.form.get("port", ""), own_key=own_key)
    except tuple(FAILURES) as error:
        return Response(_form(slug, own_key=own_key, error=error), FAILURES[type(error)])
    return redirect(url_for(".registration", slug=slug), 303)


@pages.get("/projects/<slug>/re-register")
def reregister(slug: str) -> BaseResponse | str:
    """*Re-register*: what giving the registration up costs (R12)."""
    if find(slug).look(here().clock()).server is None:
        return redirect(url_for(".registration", slug=slug), 303)
    return _confirmation(slug)


@pages.post("/projects/<slug>/re-register")
def reregister_submit(slug: str) -> BaseResponse:
    try:
        find(slug).deauthorize(here().clock())
    except StorageError as error:
        return Response(_confirmation(slug, error), FAILURES[StorageError])
    return redirect(url_for(".registration", slug=slug), 303)


@pages.post("/projects/<slug>/registration")
def register(slug: str) -> tuple[dict[str, object], int]:
    """For programs: {"address", "port"} → 201 {"state"}, or {"error": {"code", "message"}}."""
    document = _document()
    try:
        _register(slug, str(document.get("address", "")), str(document.get("port", "")))
    except tuple(FAILURES) as error:
        return {"error": {"code": error.code, "message": error.message}}, FAILURES[type(error)]
    return {"state": find(slug).look(here().clock()).nodes[0].registration.state.value}, 201


def _document() -> dict[str, object]:
    """The JSON object of the request."""
    try:
        document = request.get_json()
    except RecursionError:
        abort(400)
    if not isinstance(document, dict):
        abort(400)
    return document


def _register(slug: str, address: str, port: str, *, own_key: bool = False) -> None:
    find(slug).register(_ip(address), _port(port), here().clock(), own_key=own_key)
    here().registered(slug)


def _ip(text: str) -> str:
    """One that a server can have."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        address = ipaddress.IPv4Address(0)
    if address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
        raise Unusable("address", _("Enter the IP address of the authorization application, such as 192.168.1.5."))
    return str(address)


def _port(text: str) -> int:
    text = text.strip()
    digits = text if text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST_PORT)) else "0"
    if not 1 <= int(digits) <= HIGHEST_PORT:
        raise Unusable("port", _("Enter the port of the authorization application, a number from 1 to 65535."))
    return int(digits)


def _form(slug: str, *, own_key: bool, error: ClientError | None = None) -> str:
    """With what was typed before; else with where the project was registered last."""
    now = here().clock()
    memory = find(slug).look(now)
    endpoint = memory.server.endpoint if memory.server else None
    return render_template(
        "register.html",
        **_shared(slug, memory, now),
        own_key=own_key,
        gets_own_key=own_key or memory.needs_own_key,
        error=error,
        address=request.form.get("address", endpoint.address if endpoint else ""),
        port=request.form.get("port", endpoint.port if endpoint else DEFAULT_PORT),
    )


def _confirmation(slug: str, error: ClientError | None = None) -> str:
    now = here().clock()
    memory = find(slug).look(now)
    return render_template("reregister.html", **_shared(slug, memory, now), free_by=now + DAY, error=error)


def _shared(slug: str, memory: Memory, now: Millis) -> dict[str, object]:
    """What every page of a project needs."""
    return {
        "slug": slug,
        "name": find(slug).name,
        "memory": memory,
        "has_other_copy": memory.has_other_copy(now),
        "now": now,
        "day": DAY,
        "states": _states(),
    }


def _states() -> dict[ProjectState, str]:
    return {state: say() for state, say in STATES.items()}


def _worst(memory: Memory) -> ProjectState:
    found = {node.registration.state for node in memory.nodes}
    return next(state for state in HEADINGS if state in found)


def _problems(memory: Memory, now: Millis) -> Iterator[tuple[Cause, list[str]]]:
    """What is wrong with which nodes. A fork concerns the whole project, and is told by itself."""
    found: dict[Cause, list[str]] = {}
    for node in memory.nodes:
        reason = node.registration.reason
        cause = LOST[reason] if reason else node.problem
        if cause and not (cause.code == "fork" and memory.has_other_copy(now)):
            found.setdefault(cause, []).append(node.name)
    yield from found.items()
