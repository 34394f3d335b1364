"""R3: the node is one of a project's, and one that may run the authorization application."""

import pytest

from tests.desk import FakeDesk
from tests.factories import a_registration, an_image
from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.steps.node import STEP


def with_image() -> Registration:
    return a_registration(image=an_image(), image_accepted=True)


def test_a_node_is_chosen_together_with_its_project(desk: FakeDesk) -> None:
    placed = STEP.submit(with_image(), desk.submission(node="plan/plan-component"), desk.services)
    assert placed.project is not None
    assert placed.project.slug == "plan"
    assert STEP.chosen(placed) == "Component server"


@pytest.mark.parametrize(
    "value", ["", "plan", "plan/", "/plan-component", "nowhere/node", "plan/nobody", "plan/plan-main"]
)
def test_anything_else_is_refused(desk: FakeDesk, value: str) -> None:
    with pytest.raises(InvalidInput):
        STEP.submit(with_image(), desk.submission(node=value), desk.services)


def test_the_page_shows_all_projects_and_how_their_nodes_are(desk: FakeDesk) -> None:
    context = STEP.context(with_image(), desk.services)
    assert context["projects"] == desk.inventory.projects()
    assert context["healths"] == {}
