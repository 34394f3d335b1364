"""R8, R9: the project registers, and is heard of."""

from datetime import timedelta

import pytest

from tests.desk import FakeDesk
from tests.factories import NOW, a_deployed_registration, a_project, a_slot, a_status
from tests.fakes import broken
from wizard.domain.deployment import ServerState
from wizard.domain.registration import Registration
from wizard.errors import BackendError, InvalidInput
from wizard.steps.register import STEP


def a_verified_registration() -> Registration:
    return a_deployed_registration(project=a_project(application="http://127.0.0.1:8002/x"), verified_at=NOW)


def test_the_project_is_asked_and_its_first_request_completes_the_step(desk: FakeDesk) -> None:
    class Registering(type(desk.applications)):  # type: ignore[misc]
        def register(self, project: object, endpoint: object) -> None:
            desk.license_servers.hears_from("Sales reports", "main", desk.now)

    desk.applications = Registering()
    registered = desk.work(STEP, a_verified_registration())
    assert STEP.is_done(registered)
    assert registered.last_request_at == desk.now


def test_a_project_that_registered_already_is_not_asked_again(desk: FakeDesk) -> None:
    slots = (a_slot(last_request_at=NOW),)
    desk.license_servers.now_says = a_status(state=ServerState.ACTIVE, slots=slots)
    assert STEP.is_done(desk.work(STEP, a_verified_registration()))
    assert desk.applications.count("register") == 0


def test_the_cause_that_the_application_gives_is_kept(desk: FakeDesk) -> None:
    desk.license_servers.now_says = a_status(state=ServerState.VERIFIED)
    desk.applications.fail("register", broken("connection refused"))
    with pytest.raises(BackendError) as refused:
        desk.work(STEP, a_verified_registration())
    assert refused.value.problem.raw == "connection refused"


def test_a_first_request_that_does_not_come_is_said(desk: FakeDesk) -> None:
    desk.license_servers.now_says = a_status(state=ServerState.VERIFIED)
    with pytest.raises(BackendError, match="first request has not arrived"):
        desk.work(STEP, a_verified_registration())


def test_a_project_that_cannot_be_asked_is_to_register_by_hand(desk: FakeDesk) -> None:
    with pytest.raises(InvalidInput):
        STEP.submit(a_deployed_registration(verified_at=NOW), desk.submission(), desk.services)


def test_the_page_says_when_the_next_request_is_due_and_until_when_it_is_safe(desk: FakeDesk) -> None:
    server = a_status(slots=(a_slot(last_request_at=NOW),))
    context = STEP.context(a_deployed_registration(registered_at=NOW, server=server), desk.services)
    assert context["next_request_at"] == NOW + timedelta(hours=2)
    assert context["silent_until"] == NOW + timedelta(hours=24)
