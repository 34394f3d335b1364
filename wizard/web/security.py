"""What every response carries, errors included, and who may ask: the browser side's defences."""

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect

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
    "Content-Security-Policy": "; ".join(f"{directive} {source}" for directive, source in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), clipboard-write=(self)",
}

LARGEST_BODY = 4 * 1024**3
LARGEST_FIELDS = 2 * 1024**2
"""In bytes: an upload's body; and the fields of a form, of which werkzeug wants to hold a piece of a file as well."""
TAKE_FILES = frozenset({"wizard.submit", "uploads.create", "uploads.one"})
"""The endpoints that an image is sent to. What is sent to any other is small."""


def protect(app: Flask) -> None:
    """Headers on every response, CSRF tokens on every form, sober cookies, bounded bodies."""
    app.config |= {
        "SESSION_COOKIE_NAME": "wizard",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a page may be left open over the weekend
        "WTF_CSRF_HEADERS": ["X-CSRFToken"],
        "MAX_CONTENT_LENGTH": LARGEST_FIELDS,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FIELDS,
        "MAX_FORM_PARTS": 50,
    }
    app.before_request(bound)
    CSRFProtect(app)  # reads the form, if there is one

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
            response.vary.update(("HX-Request", "Cookie"))
        return response


def bound() -> None:
    if request.endpoint in TAKE_FILES and request.mimetype != "application/x-www-form-urlencoded":  # held in memory
        request.max_content_length = LARGEST_BODY
