"""The deploy page before anything is deployed: what was found, what is doubtful, what will happen."""

from tests.desk import FakeDesk
from tests.factories import a_check, a_placed_registration, a_preflight
from tests.visitor import Visitor
from wizard.domain.preflight import Outcome, Plan, Request
from wizard.text import say

NO_PLAN = Plan()
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
    plan = Plan(requests=(Request(method="POST", path="/images/load", body="the file"),), manual="docker run <image>")
    at(visitor, desk, a_check(), plan=plan)
    assert visitor.one("#requests").get_text().split() == ["POST", "/images/load", "the", "file"]
    assert visitor.one("#manual").get_text() == "docker run <image>"
