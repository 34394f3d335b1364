"""A project's application is asked to register, and its own cause is passed on when it does not (R8)."""

from collections.abc import Iterator

import pytest

from tests.factories import a_project, an_endpoint
from tests.web_stub import Stub, serving
from wizard.applications import HttpApplications
from wizard.domain.project import Project
from wizard.errors import BackendError


@pytest.fixture
def application() -> Iterator[Stub]:
    with serving() as stub:
        stub.answers(201, {"state": "CONNECTED"})
        yield stub


@pytest.fixture
def project(application: Stub) -> Project:
    return a_project(application=f"http://127.0.0.1:{application.port}/projects/sales")


def test_it_is_asked_to_register_by_address_and_port(application: Stub, project: Project) -> None:
    HttpApplications().register(project, an_endpoint(port=18082))
    assert application.asked == [("POST", "/projects/sales/registration", {"address": "127.0.0.1", "port": 18082})]


@pytest.mark.parametrize(("status", "permanent"), [(409, True), (422, True), (502, False)])
def test_its_own_cause_is_passed_on(application: Stub, project: Project, status: int, permanent: bool) -> None:
    application.answers(status, {"error": {"code": "unreachable", "message": "Nobody answers at that port."}})
    with pytest.raises(BackendError, match="could not be registered") as failure:
        HttpApplications().register(project, an_endpoint())
    assert "Nobody answers at that port." in str(failure.value.problem.why)
    assert "firewall" in str(failure.value.problem.todo)
    assert failure.value.permanent is permanent


def test_an_answer_that_is_not_understood_is_shown_as_it_is(application: Stub, project: Project) -> None:
    application.status, application.body = 500, b"<h1>Oh</h1>"
    with pytest.raises(BackendError) as failure:
        HttpApplications().register(project, an_endpoint())
    assert failure.value.problem.why is None
    assert failure.value.problem.raw == "<h1>Oh</h1>"


def test_one_that_does_not_run_is_worth_another_try(project: Project) -> None:
    with serving() as gone:
        nobody = a_project(application=f"http://127.0.0.1:{gone.port}/projects/sales")
    with pytest.raises(BackendError, match="does not answer") as failure:
        HttpApplications().register(nobody, an_endpoint())
    assert not failure.value.permanent


def test_a_project_without_one_cannot_be_asked() -> None:
    with pytest.raises(BackendError) as failure:
        HttpApplications().register(a_project(), an_endpoint())
    assert failure.value.permanent
