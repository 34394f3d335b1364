"""The page of a deployment under way: what it does, and what can still be done about it."""

from bs4.element import Tag

from tests.desk import FakeDesk
from tests.factories import NOW, a_deployment, a_placed_registration, an_operation
from tests.visitor import Visitor
from wizard.domain.operation import OperationState, PhaseRecord

BEGUN = PhaseRecord(slug="check", started_at=NOW)
REMOVING = "First, what was deployed before is removed from its node."


def at(visitor: Visitor, desk: FakeDesk, *phases: PhaseRecord, **changes: object) -> Visitor:
    """The page of a deployment that a worker has taken up, and that has come so far."""
    desk.store.save(a_placed_registration(**changes))
    desk.store.queue(an_operation(phases=phases))
    desk.store.claim("worker", desk.now)
    return visitor.open("/registrations/r1/deploy")


def abort(visitor: Visitor) -> Tag:
    return visitor.one("form[action$=abort] button")


def test_what_goes_on_can_be_aborted(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, BEGUN)
    assert abort(visitor).get_text() == "Abort and undo"
    assert not abort(visitor).has_attr("disabled")


def test_what_has_failed_and_is_being_undone_cannot_be_aborted_any_more(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, PhaseRecord(slug="check", started_at=NOW, failed=True))
    assert abort(visitor).get_text() == "Undoing…"
    assert abort(visitor).has_attr("disabled")
    assert visitor.has("it is undone all the same")


def test_while_what_was_given_up_is_removed_first_that_is_said(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, PhaseRecord(slug="check"), discarded=(a_deployment(),))
    assert visitor.has(REMOVING)


def test_once_the_first_phase_has_begun_it_is_said_no_more(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, BEGUN, discarded=(a_deployment(),))
    assert not visitor.has(REMOVING)


def test_where_nothing_was_given_up_nothing_is_said_to_be_removed(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, PhaseRecord(slug="check"))
    assert not visitor.has(REMOVING)


def test_what_waits_for_a_worker_removes_nothing_yet(visitor: Visitor, desk: FakeDesk) -> None:
    desk.store.save(a_placed_registration(discarded=(a_deployment(),)))
    desk.store.queue(an_operation(state=OperationState.QUEUED))
    assert not visitor.open("/registrations/r1/deploy").has(REMOVING)
