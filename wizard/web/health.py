"""Whether the web process answers."""

from flask import Blueprint
from flask.typing import ResponseReturnValue


def blueprint() -> Blueprint:
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"status": "ok"}

    return pages
