"""Registrations in every state that a page tells apart, by the name of the state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.desk import FakeDesk
from tests.factories import (
    NOW,
    a_challenge,
    a_check,
    a_cluster,
    a_deployed_registration,
    a_deployment,
    a_health,
    a_placed_registration,
    a_port_check,
    a_preflight,
    a_registration,
    a_slot,
    a_status,
    an_endpoint,
    an_image,
    an_inspection,
    an_operation,
)
from wizard.domain.operation import OperationState, PhaseRecord
from wizard.domain.preflight import Outcome, Plan
from wizard.domain.registration import Registration
from wizard.errors import Problem
from wizard.text import say

State = Callable[[FakeDesk], None]
RAW = Problem(happened=say("It did not start."), raw="exit 1", field="port", offer="18082")
BY_HAND = an_endpoint(pin="")


def _of(registration: Registration) -> State:
    def put(desk: FakeDesk) -> None:
        desk.store.save(registration)

    return put


def _working(registration: Registration, kind: str, **changes: Any) -> State:
    """Some work of that step, in whatever state."""

    def put(desk: FakeDesk) -> None:
        desk.store.save(registration)
        desk.store.queue(an_operation(kind=kind, phases=(PhaseRecord(slug="check", started_at=NOW),), **changes))

    return put


def _failed(registration: Registration, kind: str) -> State:
    def put(desk: FakeDesk) -> None:
        _working(registration, kind)(desk)
        operation = desk.store.claim("tests", NOW)
        assert operation is not None
        desk.store.record(replace(operation, state=OperationState.FAILED, problem=RAW), "tests")

    return put


def _down(desk: FakeDesk) -> None:
    desk.store.save(a_deployed_registration())
    desk.store.inspected("r1", an_inspection(running=False, exit_code=1, seen_at=NOW + timedelta(seconds=1)))


def _ill(desk: FakeDesk) -> None:
    desk.store.save(a_registration(image=an_image(), image_accepted=True))
    desk.store.seen(a_health(well=False, detail=say("No answer.")))


def _guided(**changes: Any) -> State:
    deployment = a_deployment(endpoint=BY_HAND)
    return _of(a_deployed_registration(image=an_image(is_licence=False), deployment=deployment, **changes))


def _checked(outcome: Outcome) -> State:
    plan = Plan(requests=(), manual="docker run")
    return _of(a_placed_registration(preflight=a_preflight(checks=(a_check(outcome=outcome),), plan=plan)))


SCANNED = a_challenge(scanned=True)
REGISTERED = a_status(slots=(a_slot(last_request_at=NOW),))

STATES: Mapping[str, State] = {
    "new": _of(a_registration()),
    "uploaded": _of(a_registration(image=an_image())),
    "uploaded, unknown": _of(a_registration(image=an_image(is_licence=False))),
    "accepted": _of(a_registration(image=an_image(), image_accepted=True)),
    "a node is ill": _ill,
    "placed": _of(a_placed_registration(port=None, preflight=None)),
    "placed in a cluster": _of(
        a_placed_registration(project=a_cluster(), node=a_cluster().nodes[1], port=None, preflight=None)
    ),
    "trying the port": _working(a_placed_registration(preflight=None), "port"),
    "the port is taken": _of(
        a_placed_registration(preflight=a_preflight(port=a_port_check(free=False, holder="x", next_free=18082)))
    ),
    "the port could not be tried": _failed(a_placed_registration(preflight=None), "port"),
    "ready to deploy": _checked(Outcome.PASSED),
    "doubtful": _checked(Outcome.DOUBTFUL),
    "a check failed": _checked(Outcome.FAILED),
    "deploying": _working(a_placed_registration(), "deploy"),
    "undoing": _working(a_placed_registration(), "deploy", abort=True),
    "not deployed": _failed(a_placed_registration(), "deploy"),
    "deployed": _of(a_deployed_registration()),
    "deployed, and down": _down,
    "a QR code": _of(a_deployed_registration(challenge=a_challenge(), server=a_status())),
    "an expired QR code": _of(a_deployed_registration(challenge=a_challenge(expires_at=NOW - timedelta(seconds=1)))),
    "a superseded QR code": _of(
        a_deployed_registration(
            challenge=a_challenge(),
            server=a_status(challenge="another", seen_at=NOW + timedelta(seconds=1)),
        )
    ),
    "scanned": _of(a_deployed_registration(challenge=SCANNED, server=a_status(tries_left=2))),
    "scanned, and expired": _of(
        a_deployed_registration(challenge=replace(SCANNED, expires_at=NOW - timedelta(seconds=1)))
    ),
    "locked": _of(
        a_deployed_registration(challenge=SCANNED, server=a_status(locked_until=NOW + timedelta(minutes=15)))
    ),
    "verified": _of(a_deployed_registration(challenge=SCANNED, verified_at=NOW, server=a_status())),
    "registering": _working(a_deployed_registration(challenge=SCANNED, verified_at=NOW, server=a_status()), "register"),
    "not registered": _failed(
        a_deployed_registration(challenge=SCANNED, verified_at=NOW, server=a_status()), "register"
    ),
    "registered": _of(
        a_deployed_registration(challenge=SCANNED, verified_at=NOW, registered_at=NOW, server=REGISTERED)
    ),
    "by hand": _guided(),
    "by hand, scanned": _guided(challenge=SCANNED),
    "by hand, verified": _guided(challenge=SCANNED, verified_at=NOW),
    "by hand, registered": _guided(challenge=SCANNED, verified_at=NOW, registered_at=NOW),
}
"""What to put on the desk, as the registration `r1`, for each."""
