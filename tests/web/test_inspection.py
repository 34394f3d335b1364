"""The deploy page tells how the container is, and what it printed."""

from tests.desk import FakeDesk
from tests.factories import a_deployed_registration, an_inspection
from tests.visitor import Visitor


def at(visitor: Visitor, desk: FakeDesk, **seen: object) -> Visitor:
    desk.store.save(a_deployed_registration())
    desk.store.inspected("r1", an_inspection(**seen))
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


def test_one_that_is_gone_is_not_made_anew_and_that_is_said(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, found=False, running=False)
    assert visitor.has("The container is not there any more.")
    assert visitor.has("would be a new instance")


def test_what_was_seen_of_an_earlier_container_is_not_shown(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, name="an-earlier-one", running=False, exit_code=1)
    assert not visitor.page.select("#log")


def test_the_page_asks_again_while_it_is_open(visitor: Visitor, desk: FakeDesk) -> None:
    assert at(visitor, desk).page.select("[hx-trigger='every 2s']")
