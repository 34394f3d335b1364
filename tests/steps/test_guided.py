"""Guided mode: an image that speaks no protocol that the wizard knows, such as the vendor's own (SPEC.md, 5)."""

from dataclasses import replace

import pytest

from tests.desk import FakeDesk
from tests.factories import a_placed_registration, an_image
from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.flow import observe
from wizard.steps import FLOW, code, deploy, register, scan


@pytest.fixture
def guided(desk: FakeDesk) -> Registration:
    """Deployed, as what it is: a container that answers, and nothing more is known of it."""
    image = an_image(is_licence=False)
    (desk.spool.folder / image.digest).write_bytes(b"the archive")
    return desk.work(deploy.STEP, a_placed_registration(image=image))


def test_it_is_deployed_as_soon_as_anybody_answers_at_its_address(guided: Registration) -> None:
    assert guided.is_guided
    assert guided.endpoint.page == "https://127.0.0.1:18081/license/qrcode"
    assert guided.endpoint.pin == ""
    assert guided.server is None


def test_nothing_is_ever_asked_of_it(desk: FakeDesk, guided: Registration) -> None:
    for step in (scan.STEP, code.STEP, register.STEP):
        guided = step.submit(guided, desk.submission(), desk.services)
        assert observe(guided, desk.workshop) == guided
    assert {name for name, *_ in desk.license_servers.calls} == {"is_open", "is_there"}


def test_each_step_is_done_when_the_admin_confirms_it(desk: FakeDesk, guided: Registration) -> None:
    for step in (scan.STEP, code.STEP, register.STEP):
        assert FLOW.current(guided) is step
        guided = step.submit(guided, desk.submission(), desk.services)
        assert step.is_done(guided)
    assert guided.registered_at == desk.now


@pytest.mark.parametrize("step", [scan.STEP, code.STEP, register.STEP], ids=lambda step: step.slug)
def test_what_was_confirmed_can_be_taken_back(desk: FakeDesk, guided: Registration, step: object) -> None:
    for each in (scan.STEP, code.STEP, register.STEP):
        guided = each.submit(guided, desk.submission(), desk.services)
        if each is step:
            break
    before = each.action("back")(guided, desk.submission(), desk.services)
    assert FLOW.current(before) is each


def test_what_the_authorization_application_said_itself_is_not_taken_back(desk: FakeDesk) -> None:
    with pytest.raises(InvalidInput, match="not confirmed by hand"):
        replace(a_placed_registration(), verified_at=desk.now).taken_back("verified_at")
