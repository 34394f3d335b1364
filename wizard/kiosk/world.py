"""A world at work: the wizard for one visitor, and beside it in the same process their vendor and their project."""

import hmac
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.utils import redirect

from wizard.domain.deployment import Endpoint
from wizard.domain.person import Person, Role
from wizard.domain.project import Project
from wizard.errors import BackendError
from wizard.kiosk.processes import HOST, SECRET_HEADER
from wizard.text import say

REGISTRATION = "visit"
"""The id of the one registration of a world."""
VISITOR = Person(name="visitor", role=Role.ADMIN, surfaces=frozenset({"wizard", "kiosk"}), registration=REGISTRATION)
SCANNED, PHONE = "/L/", "/phone"
"""Where a QR code leads, and where the vendor's site is, which answers it."""


def visitor() -> Person:
    """Who makes any request here (who.Identify): the gate has let nobody in but the kiosk."""
    return VISITOR


@dataclass(frozen=True)
class Gate:
    """Lets in whoever knows the secret of this world: the kiosk, for the visitor that it belongs to."""

    inner: WSGIApplication
    secret: str

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get(f"HTTP_{SECRET_HEADER.upper().replace('-', '_')}", "")
        if not hmac.compare_digest(str(given).encode(), self.secret.encode()):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"This is another visitor's.\n"]
        return self.inner(environ, start_response)


def combined(wizard: Flask, vendor: WSGIApplication, secret: str) -> WSGIApplication:
    """One site of both: what a QR code leads to is the vendor's, which has its pages and files beneath /phone."""
    mounted = DispatcherMiddleware(wizard, {PHONE: vendor})

    def site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(SCANNED):
            return redirect(f"{PHONE}{path}", 303)(environ, start_response)
        return mounted(environ, start_response)

    return Gate(site, secret)


class Quiet(WSGIRequestHandler):
    """A visit makes hundreds of requests, and nobody reads of them."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def serve(site: WSGIApplication, port: int) -> BaseWSGIServer:
    """Answer on a loopback port, in threads of its own: the kiosk's server stands before it."""
    server = make_server(HOST, port, site, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, name="site", daemon=True).start()
    return server


@dataclass(frozen=True)
class OwnApplications:
    """ports.Applications, for projects in this very process. `register` takes slug, address and port.

    `failures` are what it raises when it is refused; each has a message.
    """

    register_project: Callable[[str, str, int], None]
    failures: tuple[type[Exception], ...]

    def register(self, project: Project, endpoint: Endpoint) -> None:
        try:
            self.register_project(project.slug, endpoint.address, endpoint.port)
        except self.failures as error:
            raise BackendError(
                say("%(project)s could not be registered.", project=project.name),
                why=say("Its application says: %(cause)s", cause=str(error)),
                todo=say("Mend the network, and start the authorization application. Then register again."),
                permanent=True,
            ) from error


def at_port(inventory: str, port: int) -> str:
    """The inventory with loopback addresses that belong to that port: the licence servers of two worlds never meet."""
    return inventory.replace('"127.0.0.', f'"127.{port >> 8}.{port & 255}.')


def phone_path(url: str) -> str:
    """The address in a QR code as the kiosk's own: there is no other place to go."""
    return url[url.upper().index(SCANNED) :]


GLOBALS: Mapping[str, object] = {"kiosk": True, "phone_path": phone_path}
"""What the templates of the wizard know here, and nowhere else."""
