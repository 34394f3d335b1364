"""The kiosk's own pages: it attracts, lets a visitor into a world, passes on what they ask, and sees them off."""

from flask import Blueprint, Flask, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from wizard.kiosk.proxy import passed
from wizard.kiosk.worlds import Worlds
from wizard.licensing.language import COOKIE as LANGUAGE
from wizard.web import lean
from wizard.web.security import HEADERS, POLICY

COOKIE = "kiosk"
"""The name of the cookie that holds the token of a visit."""
LARGEST_BODY = 64 << 10
"""Bytes. Nothing that a visitor sends is larger than a form."""
STAGE = "/kiosk/visit/"
OPEN = ("registrations/visit", "kiosk/visit/", "phone/L/", "phone/static/", "L/")
"""What of a world a visitor reaches, and no more: not the door, not the nodes, not the uploads."""


def furnish(app: Flask, worlds: Worlds) -> None:
    lean.serve(app)  # first: it packs what all others have done
    app.config |= {"MAX_CONTENT_LENGTH": LARGEST_BODY, "MAX_FORM_MEMORY_SIZE": LARGEST_BODY, "MAX_FORM_PARTS": 20}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(refuse_other_sites)
    app.after_request(harden)
    app.register_error_handler(HTTPException, shown_error)
    app.register_blueprint(blueprint(worlds))


def blueprint(worlds: Worlds) -> Blueprint:
    pages = Blueprint("front", __name__)
    front = Front(worlds)
    pages.add_url_rule("/healthz", "healthz", lambda: {"status": "ok"})
    for method, rule, view in (
        ("GET", "/", front.attract),
        ("POST", "/begin", front.begin),
        ("POST", "/end", front.end),
        ("POST", "/touch", front.touch),
        ("GET", "/<path:path>", front.inside),
        ("POST", "/<path:path>", front.inside),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    return pages


class Front:
    """The views of the kiosk itself."""

    def __init__(self, worlds: Worlds) -> None:
        self.worlds = worlds

    def attract(self) -> ResponseReturnValue:
        if self.worlds.find(_token()) is not None:
            return redirect(STAGE, 303)
        return leave(make_response(render_template("kiosk/attract.html", waits=False)), besides=LANGUAGE)

    def begin(self) -> ResponseReturnValue:
        self.worlds.end(_token())
        token = self.worlds.begin()
        if token is None:
            return render_template("kiosk/attract.html", waits=True, full=self.worlds.is_full()), 503
        response = redirect(STAGE, 303)
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
        return response

    def end(self) -> ResponseReturnValue:
        self.worlds.end(_token())
        return leave(redirect(url_for(".attract"), 303))

    def touch(self) -> ResponseReturnValue:
        return Response(status=204 if self.worlds.touch(_token()) else 403)

    def inside(self, path: str) -> ResponseReturnValue:
        world = self.worlds.find(_token())
        if not path.startswith(OPEN):
            abort(404)
        if world is None:
            return render_template("kiosk/over.html"), 403
        if request.method == "POST" or request.headers.get("Sec-Fetch-User") == "?1":
            self.worlds.touch(_token())
        try:
            return passed(world, COOKIE)
        except OSError:
            return render_template("kiosk/over.html"), 502


def _token() -> str:
    return request.cookies.get(COOKIE, "")


def leave(response: BaseResponse, besides: str = "") -> BaseResponse:
    """Nothing of a visit stays in the browser. Before one begins, the cookie `besides` may: it says the language."""
    for name in request.cookies.keys() - {besides}:
        response.delete_cookie(name)
    return response


def refuse_other_sites() -> None:
    """Nothing is sent here by a page of another site. The vendor's pages tell nobody where they are, so their forms
    come from "null"; each has a token of its own.
    """
    own = {None, request.host_url.rstrip("/"), *(["null"] if request.path.startswith("/phone/") else [])}
    foreign = request.headers.get("Origin") not in own
    if request.method == "POST" and (foreign or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"):
        abort(403)


def shown_error(error: HTTPException) -> ResponseReturnValue:
    return render_template("kiosk/over.html"), error.code or 500


def harden(response: Response) -> Response:
    policy = "; ".join(
        f"{directive} {source}" for directive, source in (POLICY | {"frame-ancestors": "'self'"}).items()
    )
    for name, value in (HEADERS | {"Content-Security-Policy": policy}).items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def greeting(url: str) -> str:
    return f"""
  The kiosk is running at {url}

  Open it full screen, with no way out:  chromium --kiosk --incognito {url}

  Ctrl-C stops it, and removes what its visitors have left.
"""
