"""The deploy page before anything is deployed: what was found, what is doubtful, what will happen."""

from datetime import timedelta

import pytest

from tests.desk import FakeDesk
from tests.factories import NOW, a_check, a_placed_registration, a_port_check, a_preflight, an_image
from tests.visitor import Visitor
from wizard.domain.preflight import Outcome, Plan, Request
from wizard.steps.deploy import A_MOMENT
from wizard.text import say

NO_PLAN = Plan()
PLAN = Plan(requests=(Request(method="POST", path="/images/load", body="the file"),), manual="docker run <image>")
DOUBT = a_check(outcome=Outcome.DOUBTFUL, consequence=say("The disk may fill up."))


def at(visitor: Visitor, desk: FakeDesk, *checks: object, plan: Plan = NO_PLAN) -> Visitor:
    desk.store.save(a_placed_registration(preflight=a_preflight(checks=checks, plan=plan)))
    return visitor.open("/registrations/r1/deploy")


def test_what_was_found_is_shown_before_the_button(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_check(), a_check(slug="engine", name=say("Engine"), detail=say("Docker 20.10.24")))
    assert [line.get_text(" ", strip=True) for line in visitor.page.select(".checks li")] == [
        "✓ Free disk passed: 2 GB are free.",
        "✓ Engine passed: Docker 20.10.24",
    ]
    assert visitor.one("button.primary").get_text(strip=True) == "Deploy to Main application server"


def test_a_doubt_has_a_box_that_says_what_can_come_of_it(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, DOUBT)
    assert "The disk may fill up." in visitor.one("label:has([name=accept_disk])").get_text()
    visitor.press("Deploy to")
    assert visitor.status == 422
    assert visitor.has("was not accepted")
    assert desk.jobs.count("start") == 0


def test_with_its_box_ticked_it_is_deployed(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, DOUBT).press("Deploy to", accept_disk="yes")
    assert visitor.has("Check the node")
    assert desk.store.registration("r1").accepted == ("disk",)


def test_a_failed_check_leaves_no_button_but_to_check_again(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_check(outcome=Outcome.FAILED, todo=say("Make room.")))
    assert visitor.has("Make room.")
    assert visitor.one("button.primary").get_text(strip=True) == "Check again"


def test_checking_again_ends_at_this_page_with_what_is_found_now(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_check(outcome=Outcome.FAILED)).press("Check again")
    desk.perform()
    visitor.open("/registrations/r1")
    assert visitor.one("button.primary").get_text(strip=True) == "Deploy to Main application server"
    assert visitor.has("About") or visitor.has("MB are free")


def test_the_plan_shows_each_request_and_the_commands(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_check(), plan=PLAN)
    assert visitor.one("#requests").get_text().split() == ["POST", "/images/load", "the", "file"]
    assert visitor.one("#manual").get_text() == "docker run <image>"


class TestADoubtThatIsNewWhenItIsDeployed:
    """The worker looks again when what is shown is older than a moment."""

    @pytest.fixture
    def refused(self, visitor: Visitor, desk: FakeDesk) -> Visitor:
        image = an_image()
        (desk.spool.folder / image.digest).write_bytes(b"the archive")
        old = a_preflight(port=a_port_check(checked_at=NOW - A_MOMENT - timedelta(seconds=1)), plan=PLAN)
        desk.store.save(a_placed_registration(image=image, preflight=old))
        desk.backend.engines["sales-main"].checks = [DOUBT]
        visitor.open("/registrations/r1/deploy").press("Deploy to")
        desk.perform()
        return visitor.open("/registrations/r1/deploy")

    def test_is_refused_and_has_its_box(self, refused: Visitor) -> None:
        assert "was not accepted" in refused.one("#problem").get_text()
        assert "The disk may fill up." in refused.one("label:has([name=accept_disk])").get_text()

    def test_leaves_the_plan_on_the_page(self, refused: Visitor) -> None:
        assert refused.one("#manual").get_text() == PLAN.manual

    def test_is_deployed_once_its_box_is_ticked(self, refused: Visitor, desk: FakeDesk) -> None:
        refused.press("Deploy to", accept_disk="yes")
        assert refused.has("Check the node")
        desk.perform()
        assert desk.backend.count("load") == 1
