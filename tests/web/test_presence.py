"""Two at one registration: the second reads along and can take over; what the first had entered is not lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.desk import FakeDesk
from tests.factories import a_deployed_registration, a_placed_registration, an_operation
from tests.states import STATES
from tests.visitor import Answer, InnerBrowser, Visitor
from tests.web.conftest import HOME, PASSWORD
from wizard.domain.operation import OperationState
from wizard.domain.turn import HEARD_BY_LOADS, HEARD_BY_POLLS
from wizard.steps import FLOW

PORT = "/registrations/r1/port"
Person = Callable[[str], Visitor]
"""Signs in somebody of that name, in a browser of their own."""


@pytest.fixture
def ann(somebody: Person, desk: FakeDesk) -> Visitor:
    """At work at setting the port, in a browser with scripts."""
    desk.store.save(a_placed_registration(preflight=None, port=None))
    ann = somebody("Ann").open(PORT)
    poll(ann)
    return ann


@pytest.fixture
def bob(somebody: Person) -> Visitor:
    return somebody("Bob")


def poll(visitor: Visitor, url: str = "") -> Answer:
    """What the open page gets when it asks by itself; `url` is what it asks, when another one is meant."""
    assert isinstance(visitor.browser, InnerBrowser)
    asks = url or str(visitor.one("#step > [hx-trigger^=every]")["hx-get"])
    return visitor.browser.open(asks, method="GET", headers={"HX-Request": "true"})


def buttons(visitor: Visitor) -> list[str]:
    return [button.get_text(" ", strip=True) for button in visitor.page.select("#step form button")]


def test_the_second_sees_who_is_at_work_and_since_when_and_reads_along(ann: Visitor, bob: Visitor) -> None:
    bob.open(PORT)
    assert bob.has("Ann is at work here since 09:00 UTC")
    assert buttons(bob) == ["Take over"]
    assert not bob.page.select("#step #port")
    assert "Check and use this port" in buttons(ann.open(PORT))
    assert not ann.has("at work here")


def test_whoever_signs_in_anew_in_the_same_browser_is_at_work_still(ann: Visitor) -> None:
    ann.press("Sign out")
    ann.press("Sign in", name="Ann", password=PASSWORD).open(PORT)
    assert not ann.has("You are at work here in another browser")
    assert "Check and use this port" in buttons(ann)


def test_to_take_over_needs_one_button_and_the_first_page_says_so(ann: Visitor, bob: Visitor, desk: FakeDesk) -> None:
    bob.open(PORT)
    desk.clock.advance(seconds=20)
    poll(ann)
    bob.press("Take over")
    assert bob.status == 200
    assert "Check and use this port" in buttons(bob)
    told = ann._arrive(poll(ann))
    assert told.has("Bob took over at 09:00 UTC")
    assert told.one("form.work").has_attr("inert")


def test_a_stale_submit_is_refused_and_loses_nothing(ann: Visitor, bob: Visitor, desk: FakeDesk) -> None:
    bob.open(PORT).press("Take over")
    ann.press("Check and use this port", port="18090")
    assert ann.status == 409
    assert ann.has("Nothing was changed: somebody else is at work here by now.")
    assert ann.has("Bob took over at 09:00 UTC")
    assert ann.one("#port")["value"] == "18090"
    assert desk.store.registration("r1").port is None
    assert not ann.page.select("#step > [hx-trigger^=every]"), "nothing may take its place before it was read"
    ann.press("Take over")
    assert ann.one("#port")["value"] == "18090"
    ann.press("Check and use this port", port="18090")
    assert desk.store.registration("r1").port == 18090


def test_an_action_and_an_abort_are_refused_as_well(ann: Visitor, bob: Visitor, desk: FakeDesk) -> None:
    desk.store.save(desk.store.registration("r1").use_port(18090))
    desk.store.queue(an_operation(kind="port", version=2, state=OperationState.QUEUED))
    ann.open(PORT)
    token = str(ann.one("[name=csrf_token]")["value"])
    bob.open(PORT).press("Take over")
    for address in ("/registrations/r1/abort", "/registrations/r1/upload/accept"):
        assert ann.browser.post(address, {"csrf_token": token, "version": "2"}).status == 409
    operation = desk.store.last_operation("r1")
    assert operation is not None
    assert not operation.abort


def test_a_page_that_was_left_frees_the_work_by_itself_after_thirty_seconds(
    ann: Visitor, bob: Visitor, desk: FakeDesk
) -> None:
    bob.open(PORT)
    desk.clock.advance(seconds=HEARD_BY_POLLS.total_seconds())
    assert poll(bob).status == 204
    desk.clock.advance(seconds=1)
    assert "Check and use this port" in poll(bob).text


def test_a_page_that_asks_by_itself_keeps_the_work(ann: Visitor, bob: Visitor, desk: FakeDesk) -> None:
    for _ in range(30):
        desk.clock.advance(seconds=10)
        assert poll(ann).status == 204
    assert bob.open(PORT).has("Ann is at work here since 09:00 UTC")


def test_without_scripts_each_loaded_page_keeps_the_work_for_longer(
    somebody: Person, bob: Visitor, desk: FakeDesk
) -> None:
    desk.store.save(a_placed_registration(preflight=None, port=None))
    somebody("Ann").open(PORT)
    desk.clock.advance(seconds=HEARD_BY_LOADS.total_seconds())
    assert bob.open(PORT).has("Ann is at work here")
    desk.clock.advance(seconds=1)
    assert not bob.open(PORT).has("at work here")


def test_a_poll_writes_at_most_every_ten_seconds(ann: Visitor, desk: FakeDesk) -> None:
    before = desk.turns.writes
    for _ in range(30):
        desk.clock.advance(seconds=1)
        poll(ann)
    assert desk.turns.writes - before == 3


def test_the_same_account_in_another_browser_is_told_so(ann: Visitor, somebody: Person) -> None:
    phone = somebody("Ann").open(PORT)
    assert phone.has("You are at work here in another browser since 09:00 UTC")
    phone.press("Take over")
    assert ann._arrive(poll(ann)).has("You took over in another browser at 09:00 UTC")


def test_two_tabs_of_one_browser_are_one_place(ann: Visitor) -> None:
    assert "Check and use this port" in buttons(Visitor(ann.browser, HOME).open(PORT))


def test_who_reads_along_goes_to_the_next_step_with_whoever_is_at_work(
    ann: Visitor, bob: Visitor, desk: FakeDesk
) -> None:
    bob.open("/registrations/r1/port")
    ann.open(PORT).press("Check and use this port", port="18090")
    desk.perform()
    assert 'data-step="deploy"' in poll(bob).text


def test_who_reads_along_stays_at_a_step_that_was_looked_up(ann: Visitor, bob: Visitor, desk: FakeDesk) -> None:
    asks = str(bob.open("/registrations/r1/node").one("#step > [hx-trigger^=every]")["hx-get"])
    assert "follow" not in asks


def test_who_reads_along_sees_the_qr_code_as_soon_as_it_is_shown(
    somebody: Person, bob: Visitor, desk: FakeDesk
) -> None:
    desk.store.save(a_deployed_registration())
    ann = somebody("Ann").open("/registrations/r1/deploy")
    bob.open("/registrations/r1/deploy")
    assert bob.has("The authorization application answers.")
    ann.press("Show the QR code")
    assert "svg" in poll(bob).text


def test_what_is_finished_needs_nobody_at_work(somebody: Person, bob: Visitor, desk: FakeDesk) -> None:
    STATES["registered"](desk)
    somebody("Ann").open("/registrations/r1")
    bob.open("/registrations/r1")
    assert bob.heading == "Sales reports is registered"
    assert not bob.has("at work here")


@pytest.mark.parametrize("state", STATES)
def test_on_every_page_the_second_finds_nothing_to_press_but_take_over(
    state: str, somebody: Person, bob: Visitor, desk: FakeDesk
) -> None:
    STATES[state](desk)
    somebody("Ann").open("/registrations/r1")
    registration = desk.store.registration("r1")
    expected = set() if state == "registered" else {"Take over"}
    for step in FLOW.steps[: FLOW.steps.index(FLOW.current(registration)) + 1]:
        bob.open(f"/registrations/r1/{step.slug}")
        assert bob.status == 200
        assert set(buttons(bob)) == expected, step.slug


def test_a_turn_that_ends_is_no_longer_than_its_life() -> None:
    assert timedelta(seconds=30) == HEARD_BY_POLLS < HEARD_BY_LOADS
