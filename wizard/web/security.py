"""What every response carries, errors included, and who may ask: the browser side's defences."""

from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf

from wizard.errors import Forbidden
from wizard.text import say
from wizard.web import frames
from wizard.web.frames import Frames
from wizard.web.who import SAFE

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), clipboard-write=(self)",
}
UNFORGED = frozenset({"embed.launch"})
"""The endpoints that forms of other sites are sent to: what comes there proves itself, and is good once."""

LARGEST_BODY = 4 * 1024**3
LARGEST_FIELDS = 2 * 1024**2
"""In bytes: an upload's body; and the fields of a form, of which werkzeug wants to hold a piece of a file as well."""
TAKE_FILES = frozenset({"wizard.submit", "uploads.create", "uploads.one"})
"""The endpoints that an image is sent to. What is sent to any other is small."""


def protect(app: Flask, frame: Frames) -> None:
    """Headers on every response, CSRF tokens on every form, bounded bodies."""
    app.config |= {
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a page may be left open over the weekend
        "WTF_CSRF_HEADERS": ["X-CSRFToken"],
        "MAX_CONTENT_LENGTH": LARGEST_FIELDS,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FIELDS,
        "MAX_FORM_PARTS": 50,
    }
    app.before_request(bound)
    Forgery(app, frame)  # reads the form, if there is one
    headers = HEADERS | {"Content-Security-Policy": policy(frame.origins)}

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
            response.vary.update(("HX-Request", "Cookie"))
        return frame.renew(response)


def policy(origins: Collection[str]) -> str:
    """The one policy of all responses. These origins may show them in a frame, and nobody else."""
    directives = POLICY | {"frame-ancestors": " ".join(origins) or "'none'"}
    return "; ".join(f"{directive} {source}" for directive, source in directives.items())


def is_sent_from_elsewhere() -> bool:
    """Whether the browser says that a page of another site has sent this. On plain http most say it by Origin alone."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host


class Forgery(CSRFProtect):  # type: ignore[misc]
    """A form carries the token of its session. In a frame there is no session: it carries the token of its frame, and
    what has a bearer in its headers needs none, since no other site can make a browser send it.
    """

    def __init__(self, app: Flask, frame: Frames) -> None:
        super().__init__(app)
        self._frame = frame
        app.context_processor(lambda: {"csrf_token": self.token})  # comes after Flask-WTF's own, and so before it

    def token(self) -> str:
        """What a form of this response carries."""
        framed = frames.current()
        return self._frame.token(framed) if framed else str(generate_csrf())

    def protect(self, apply_exemptions: bool = False) -> None:
        framed = frames.current()
        if request.endpoint in UNFORGED or (framed and framed.is_proven_by_header):
            return
        if request.method not in SAFE and is_sent_from_elsewhere():
            raise Forbidden(
                say("This was sent from a page of another site."),
                why=say("The browser says so. Nothing was changed."),
                todo=say("Open the wizard itself, and do it there."),
            )
        if framed is None:
            super().protect(apply_exemptions)
        elif request.method not in SAFE and not self._frame.is_token(framed, self._get_csrf_token() or ""):
            raise CSRFError("The token of the frame is missing or wrong.")


def bound() -> None:
    if request.endpoint in TAKE_FILES and request.mimetype != "application/x-www-form-urlencoded":  # held in memory
        request.max_content_length = LARGEST_BODY
