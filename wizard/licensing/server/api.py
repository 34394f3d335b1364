"""The API for programs: the wizard and the projects. Documented in `wizard.licensing.protocol.api` and `status`."""

from typing import Any

from flask import Blueprint, request
from werkzeug.exceptions import BadRequest

from wizard.licensing.protocol.api import BEATS, CHALLENGES, CODES, DEAUTHORIZATIONS, HEALTH, REGISTRATIONS, STATUS
from wizard.licensing.protocol.messages import Message, MessageError
from wizard.licensing.rules.events import Answer
from wizard.licensing.server.authorization import Judgement, Refused
from wizard.licensing.server.registrations import Fork
from wizard.licensing.server.site import TooOften, here
from wizard.licensing.server.status import Json, challenge, describe, status

api = Blueprint("api", __name__)
Response = tuple[Json | Message, int]

JUDGED = {
    Judgement.ACCEPTED: 200,
    Judgement.WRONG: 422,
    Judgement.LOCKED: 423,
    Judgement.EXPIRED: 410,
    Judgement.SUPERSEDED: 410,
    Judgement.CONSUMED: 410,
    Judgement.RETIRED: 410,
    Judgement.MALFORMED: 400,
}

REFUSED = {
    Answer.LOCKED: (423, "locked", "Too many wrong codes. Nothing is evaluated until the lock opens."),
    Answer.RETIRED: (410, "retired", "This authorization application was retired, and stays so."),
    Answer.NOT_AUTHENTICATED: (
        409,
        "not_authenticated",
        "This authorization application is not authenticated: scan its QR code and enter the code first.",
    ),
    Answer.FULL: (409, "maximum_reached", "All registrations that the licence allows are in use."),
}


@api.get(HEALTH)
def health() -> Response:
    site = here()
    site.authorization.look(site.clock())
    return {"status": "ok"}, 200


@api.get(STATUS)
def show_status() -> Response:
    site = here()
    return status(site.authorization, site.clock()), 200


@api.post(CHALLENGES)
def create_challenge() -> Response:
    site, now = here(), here().clock()
    _document()
    instance = site.new_challenge(now)
    opened = challenge(site.authorization, instance, now)
    return {"challenge": opened, "status": describe(site.authorization, instance, now)}, 201


@api.post(CODES)
def enter_code() -> Response:
    site, now = here(), here().clock()
    document = _document()
    name, code = document.get("challenge"), document.get("code")
    if not isinstance(name, str) or not isinstance(code, str):
        raise BadRequest("A challenge and a code are wanted, both as text.")
    judgement = site.authorization.enter(name, code, now)
    return {"judgement": judgement.value, "status": status(site.authorization, now)}, JUDGED[judgement]


@api.post(REGISTRATIONS)
def register() -> Response:
    site = here()
    return site.registrations.register(_document(), site.clock()), 201


@api.post(BEATS)
def beat() -> Response:
    site = here()
    return site.registrations.beat(_document(), site.clock()), 200


@api.post(DEAUTHORIZATIONS)
def deauthorize() -> Response:
    site = here()
    return site.registrations.deauthorize(_document(), site.clock()), 200


@api.errorhandler(Refused)
def refused(error: Refused) -> Response:
    code, name, message = REFUSED[error.answer]
    return {**failure(name, message), "status": status(here().authorization, here().clock())}, code


@api.errorhandler(TooOften)
def too_often(error: TooOften) -> Response:
    return failure("too_often", "New QR codes are asked for too often. Wait a few seconds."), 429


@api.errorhandler(Fork)
def fork(error: Fork) -> Response:
    return failure("fork", "Another copy of this project has spoken with this authorization application."), 409


@api.errorhandler(MessageError)
def untrusted(error: MessageError) -> Response:
    return failure(error.code.replace("-", "_"), error.message), 400


def failure(code: str, message: str) -> Json:
    """What every error of the API looks like. The words are for a person, the code for a program."""
    return {"error": {"code": code, "message": message}}


def _document() -> dict[str, Any]:
    """The JSON object of the request; BadRequest or UnsupportedMediaType for anything else."""
    try:
        document = request.get_json()
    except RecursionError:
        raise BadRequest("The document is nested too deeply.") from None
    if not isinstance(document, dict):
        raise BadRequest("A JSON object is wanted.")
    return document
