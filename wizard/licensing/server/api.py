"""The API for programs: the wizard, the projects, Prometheus. What it takes and answers is in `openapi`."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from wizard.licensing.protocol import api as paths
from wizard.licensing.protocol.messages import Message, MessageError
from wizard.licensing.rules.instance import Asker
from wizard.licensing.rules.limits import SECOND, Millis
from wizard.licensing.server import metrics
from wizard.licensing.server.askers import NotAdmin, Visitor, WrongToken, recognise, require_admin
from wizard.licensing.server.authorization import Judgement, Refused
from wizard.licensing.server.openapi import document
from wizard.licensing.server.rate import TooOften
from wizard.licensing.server.refusals import ANSWERS, TOKEN_WANTED, Json, Refusing, refuse, retry_after
from wizard.licensing.server.registrations import Fork
from wizard.licensing.server.site import here
from wizard.licensing.server.status import challenge

api = Blueprint("api", __name__)
Answered = tuple[Json | Message, int]

JUDGED: Mapping[Judgement, int] = {
    Judgement.ACCEPTED: 200,
    Judgement.WRONG: 422,
    Judgement.LOCKED: 423,
    Judgement.EXPIRED: 410,
    Judgement.SUPERSEDED: 410,
    Judgement.CONSUMED: 410,
    Judgement.RETIRED: 410,
    Judgement.MALFORMED: 400,
}


class WrongLicence(Exception):
    """Whoever wants to retire this instance names another licence."""


@api.get(paths.HEALTH)
def health() -> Answered:
    site = here()
    site.authorization.look(site.now())
    return {"status": "ok"}, 200


@api.get(paths.METRICS)
def show_metrics() -> Response:
    return Response(metrics.exposition(here()), content_type=metrics.CONTENT_TYPE)


@api.get(paths.OPENAPI)
def describe_api() -> Answered:
    return document(), 200


@api.get(paths.STATUS)
def show_status() -> Answered:
    site, visitor = here(), visiting()
    return site.status(visitor, site.now()), 200


@api.post(paths.CHALLENGES)
def create_challenge() -> Answered | Refusing:
    site, visitor = here(), visiting()
    _texts()
    now = site.now()
    try:
        instance = site.new_challenge(visitor, now)
    except Refused as error:
        return _refused(error, visitor, now)
    opened = challenge(site.authorization, instance, now, visitor.asker)
    if opened is None:  # somebody else has asked in the same moment, and theirs is the newer one
        raise TooOften(SECOND)
    return {"challenge": opened, "status": site.status(visitor, now, instance)}, 201


@api.post(paths.CODES)
def enter_code() -> Answered:
    site, visitor = here(), visiting()
    name, code = _texts("challenge", "code")
    now = site.now()
    judgement = site.enter(visitor, name, code, now)
    return {"judgement": judgement.value, "status": site.status(visitor, now)}, JUDGED[judgement]


@api.post(paths.REGISTRATIONS)
def register() -> Answered | Refusing:
    """A project shows no token: its message is signed. What it is told with a refusal is what strangers are told."""
    site, message = here(), _document()
    now = site.now()
    try:
        return site.registrations.register(message, now), 201
    except Refused as error:
        return _refused(error, Visitor(Asker.ANONYMOUS), now)


@api.post(paths.BEATS)
def beat() -> Answered:
    site = here()
    return site.beat(_document(), site.now()), 200


@api.post(paths.DEAUTHORIZATIONS)
def deauthorize() -> Answered:
    site = here()
    return site.registrations.deauthorize(_document(), site.now()), 200


@api.post(paths.RETIREMENT)
def retire() -> Answered:
    """The end of this instance (R13). The licence is named, so that nobody ends another one than the one they mean."""
    site, visitor = here(), visiting()
    require_admin(visitor)
    (licence,) = _texts("licence")
    now = site.now()
    if licence != site.authorization.identity.claims.licence:
        raise WrongLicence
    statement = site.authorization.retire(now)
    return {"statement": statement, "status": site.status(visitor, now)}, 200


# What is refused. Nothing is asked or looked up in a handler: whatever went wrong in it would be an error 500.


@api.errorhandler(TooOften)
def too_often(error: TooOften) -> Refusing:
    return refuse("too_often", headers=retry_after(error.wait))


@api.errorhandler(WrongToken)
def wrong_token(error: WrongToken) -> Refusing:
    return refuse("wrong_token", headers=TOKEN_WANTED)


@api.errorhandler(NotAdmin)
def not_admin(error: NotAdmin) -> Refusing:
    return refuse("not_admin", headers=TOKEN_WANTED)


@api.errorhandler(WrongLicence)
def wrong_licence(error: WrongLicence) -> Refusing:
    return refuse("wrong_licence")


@api.errorhandler(Fork)
def fork(error: Fork) -> Refusing:
    return refuse("fork")


@api.errorhandler(MessageError)
def untrusted(error: MessageError) -> Refusing:
    return refuse(error.code.replace("-", "_"), error.message)


def visiting() -> Visitor:
    """Who asks. WrongToken when the token is another one's."""
    token = here().authorization.identity.token
    return recognise(request.headers.get("Authorization"), request.remote_addr, token)


def _refused(error: Refused, visitor: Visitor, now: Millis) -> Refusing:
    """What the rules refuse, with the status that says why."""
    return refuse(ANSWERS[error.answer], status=here().status(visitor, now))


def _texts(*names: str) -> tuple[str, ...]:
    """Those fields of the request's document; BadRequest unless they are there, and nothing else is."""
    found = _document()
    if set(found) != set(names) or not all(isinstance(value, str) for value in found.values()):
        raise BadRequest
    return tuple(found[name] for name in names)


def _document() -> dict[str, Any]:
    """The JSON object of the request; BadRequest or UnsupportedMediaType for anything else.

    It is read before the clock is: whoever sends it slowly is not earlier for that (R14).
    """
    try:
        found = request.get_json()
    except RecursionError:
        raise BadRequest from None
    if not isinstance(found, dict):
        raise BadRequest
    return found
