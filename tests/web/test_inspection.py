"""The deploy page tells how the container is, and what it printed."""

from datetime import timedelta

import pytest

from tests.desk import FakeDesk
from tests.factories import NOW, a_deployed_registration, a_status, an_inspection
from tests.visitor import Visitor

LATER = NOW + timedelta(seconds=1)
ANSWERS = "The authorization application answers."
DOES_NOT_RUN = "The authorization application does not run."


def at(visitor: Visitor, desk: FakeDesk, **seen: object) -> Visitor:
    """What was seen of the container is newer than its last answer, unless it is said to be older."""
    desk.store.save(a_deployed_registration(server=a_status()))
    desk.store.inspected("r1", an_inspection(**{"seen_at": LATER} | seen))
    return visitor.open("/registrations/r1/deploy")


def test_a_container_that_runs_is_said_to_and_its_log_can_be_read(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, log="it listens\n")
    assert visitor.has("The container: It runs.")
    assert visitor.one("#log").get_text() == "it listens\n"


def test_what_it_printed_is_text_and_nothing_else(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, log="<script>alert(1)</script>")
    assert visitor.one("#log").get_text() == "<script>alert(1)</script>"


def test_one_that_needed_too_much_memory_says_so(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, running=False, exit_code=137, out_of_memory=True)
    assert visitor.has("It was ended because it needed more memory than it may have.")


def test_one_that_is_paused_says_so_and_how_it_goes_on(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, running=False, paused=True)
    assert visitor.has("It is paused")
    assert visitor.has("docker unpause license-server-1")
    assert not visitor.has("within a minute")


def test_one_that_is_gone_is_not_made_anew_and_that_is_said(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, found=False, running=False)
    assert visitor.has("The container is not there any more.")
    assert visitor.has("would be a new instance")
    assert visitor.has("go back and set another port")
    assert not visitor.page.select("details.plan")


def test_while_it_does_not_run_nothing_is_offered_that_it_would_have_to_answer(
    visitor: Visitor, desk: FakeDesk
) -> None:
    assert at(visitor, desk, running=False, exit_code=1).page.select("button.primary") == []
    desk.store.inspected("r1", an_inspection(seen_at=LATER))
    assert visitor.open(visitor.url).one("button.primary").get_text() == "Show the QR code"


def test_one_that_is_gone_is_deployed_again_by_setting_another_port(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, found=False, running=False).follow("Back to Port")
    visitor.press("Check and use this port", port="18082")
    desk.perform()
    assert visitor.open("/registrations/r1/deploy").one("button.primary").get_text().startswith("Deploy to")


def test_of_a_finished_one_that_is_gone_a_new_registration_is_offered(visitor: Visitor, desk: FakeDesk) -> None:
    finished = a_deployed_registration(server=a_status(), verified_at=NOW, registered_at=NOW)
    desk.store.save(finished)
    desk.store.inspected("r1", an_inspection(found=False, running=False, seen_at=LATER))
    assert visitor.open("/registrations/r1/deploy").has("start a new registration")


@pytest.mark.parametrize(
    "seen",
    [{"exit_code": 1}, {"exit_code": 137, "out_of_memory": True}, {"found": False}],
    ids=["ended", "oom", "gone"],
)
def test_one_that_does_not_run_is_not_said_to_answer(visitor: Visitor, desk: FakeDesk, seen: dict[str, object]) -> None:
    at(visitor, desk, running=False, **seen)
    assert visitor.has(DOES_NOT_RUN)
    assert not visitor.has(ANSWERS)
    assert [note["class"] for note in visitor.page.select("#step .note")] == [["note", "danger"]]


def test_one_that_runs_is_said_to_answer(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk)
    assert visitor.has(ANSWERS)
    assert not visitor.has(DOES_NOT_RUN)


def test_one_that_has_answered_since_it_was_seen_not_to_run_runs_again(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, running=False, exit_code=1, seen_at=NOW)
    assert visitor.has(ANSWERS)
    assert not visitor.has(DOES_NOT_RUN)
    assert not visitor.page.select("#log")


def test_what_was_seen_of_an_earlier_container_is_not_shown(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, name="an-earlier-one", running=False, exit_code=1)
    assert not visitor.page.select("#log")
    assert visitor.has(ANSWERS)


def test_the_page_asks_again_while_it_is_open(visitor: Visitor, desk: FakeDesk) -> None:
    assert at(visitor, desk).page.select("[hx-trigger='every 2s']")
