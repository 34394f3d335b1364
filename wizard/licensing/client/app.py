"""Reference FanRuan applications: a *Registration Management* page for each project, and the same for programs (R8)."""

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from wizard.licensing import language
from wizard.licensing.client.pages import pages
from wizard.licensing.client.site import Applications, attach
from wizard.licensing.client.words import said, span, stamp

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


def create_app(applications: Applications) -> Flask:
    app = Flask(__name__, static_url_path="/static")
    app.config |= {"MAX_CONTENT_LENGTH": 64 * 1024, "MAX_FORM_MEMORY_SIZE": 64 * 1024, "MAX_FORM_PARTS": 20}
    attach(app, applications)
    language.speak(app)
    app.jinja_env.filters |= {"span": span, "stamp": stamp, "said": said}
    app.register_blueprint(pages)
    app.register_error_handler(HTTPException, show_error)
    app.after_request(harden)
    return app


def show_error(error: HTTPException) -> tuple[dict[str, object] | str, int]:
    """JSON for programs, a page for people; the status is the error's own."""
    code = error.code or 500
    if request.is_json:
        return {"error": {"code": error.name.lower().replace(" ", "_"), "message": error.description}}, code
    return render_template("error.html", name=error.name, description=error.description), code


def harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
