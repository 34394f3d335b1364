"""R4: the port is tried on the node; when it is taken, its holder and the next free one are said."""

import pytest

from tests.desk import FakeDesk
from tests.factories import a_placed_registration
from wizard.errors import InvalidInput
from wizard.steps.port import STEP


def test_a_free_port_completes_the_step(desk: FakeDesk) -> None:
    chosen = STEP.submit(a_placed_registration(preflight=None), desk.submission(port="18081"), desk.services)
    assert not STEP.is_done(chosen)
    assert STEP.is_done(desk.work(STEP, chosen))


def test_a_taken_port_says_who_holds_it_and_offers_the_next_free_one(desk: FakeDesk) -> None:
    desk.backend.engines["sales-main"].others = {18081: "the container report-cache", 18082: "another one"}
    with pytest.raises(InvalidInput) as refused:
        desk.work(STEP, a_placed_registration(preflight=None))
    problem = refused.value.problem
    assert str(problem.happened) == "Port 18081 is taken on Main application server."
    assert "report-cache" in str(problem.why)
    assert (problem.field, problem.offer) == ("port", "18083")


@pytest.mark.parametrize("text", ["", "eighteen thousand", "18081a", "-1", "1.5", "１８０８１", "180810"])
def test_a_port_in_anything_but_digits_is_not_understood(desk: FakeDesk, text: str) -> None:
    with pytest.raises(InvalidInput, match="not understood"):
        STEP.submit(a_placed_registration(), desk.submission(port=text), desk.services)


def test_spaces_around_and_within_the_digits_do_not_matter(desk: FakeDesk) -> None:
    assert STEP.submit(a_placed_registration(), desk.submission(port=" 18 082 "), desk.services).port == 18082


def test_another_port_has_to_be_tried_again(desk: FakeDesk) -> None:
    assert not STEP.is_done(STEP.submit(a_placed_registration(), desk.submission(port="18082"), desk.services))
