"""The engine of steps: where a visitor stands follows from what is done."""

from dataclasses import replace

import pytest

from tests.factories import (
    NOW,
    a_challenge,
    a_deployed_registration,
    a_placed_registration,
    a_registration,
    an_image,
)
from wizard.domain.registration import Registration
from wizard.errors import UnknownStep
from wizard.flow import Flow, Step
from wizard.steps import FLOW
from wizard.text import say


@pytest.mark.parametrize(
    ("registration", "slug"),
    [
        (a_registration(), "upload"),
        (a_registration(image=an_image()), "upload"),
        (a_registration(image=an_image(), image_accepted=True), "node"),
        (a_placed_registration(port=None, preflight=None), "port"),
        (a_placed_registration(preflight=None), "port"),
        (a_placed_registration(), "deploy"),
        (a_deployed_registration(), "scan"),
        (a_deployed_registration(challenge=a_challenge()), "scan"),
        (a_deployed_registration(challenge=a_challenge(scanned=True)), "code"),
        (a_deployed_registration(verified_at=NOW), "register"),
        (a_deployed_registration(verified_at=NOW, registered_at=NOW), "register"),
    ],
)
def test_the_current_step_follows_from_what_is_done(registration: Registration, slug: str) -> None:
    assert FLOW.current(registration).slug == slug


def test_a_step_that_is_too_far_opens_the_current_one() -> None:
    assert FLOW.open("register", a_placed_registration()).slug == "deploy"


def test_an_earlier_step_can_be_opened_again() -> None:
    assert FLOW.open("node", a_deployed_registration()).slug == "node"


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownStep):
        FLOW.open("dance", a_registration())


def test_an_unknown_button_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownStep):
        FLOW.step("scan").action("dance")


def test_changing_a_step_names_the_steps_that_have_to_be_done_again() -> None:
    registration = a_deployed_registration(challenge=a_challenge(scanned=True), verified_at=NOW)
    assert [step.slug for step in FLOW.given_up_by(FLOW.step("node"), registration)] == [
        "port",
        "deploy",
        "scan",
        "code",
    ]
    assert FLOW.given_up_by(FLOW.step("code"), registration) == ()


def test_an_eighth_step_is_one_line_of_the_tuple() -> None:
    celebrate = Step(
        slug="celebrate",
        title=say("Celebrate"),
        name=say("Celebrate"),
        holds="registered_at",
        is_done=lambda registration: False,
        submit=lambda registration, submission, services: registration,
        chosen=lambda registration: "",
    )
    flow = Flow((*FLOW.steps, celebrate))
    finished = a_deployed_registration(verified_at=NOW, registered_at=NOW)
    assert flow.current(finished) is celebrate
    assert flow.current(replace(finished, registered_at=None)).slug == "register"
    assert flow.before(celebrate) is FLOW.step("register")
