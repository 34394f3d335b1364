"""What the worker notes in the audit trail."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.contracts.audit import a_deed
from tests.factories import a_registration, an_operation
from tests.fakes import FakeClock, MemoryStore, broken
from tests.jobs.toy import Toy
from tests.memory_audit import MemoryTrail
from wizard.domain.audit import Deed, Entry, Outcome, Way
from wizard.domain.operation import Operation, PhaseRecord
from wizard.errors import WizardError
from wizard.jobs.audit import note_digest
from wizard.jobs.performance import Performance
from wizard.ports import Task, Workshop

PHASES = tuple(PhaseRecord(slug=slug) for slug in ("one", "two", "three"))


def perform(toy: Toy, workshop: Workshop, clock: FakeClock, stop: threading.Event | None = None) -> Operation:
    """An operation that Ann has asked for, once."""
    workshop.store.save(a_registration())
    workshop.store.queue(an_operation(kind="toy", phases=PHASES, asked_by="ann"))
    claimed = workshop.store.claim("worker", clock())
    assert claimed
    Performance(claimed, "worker", workshop, toy.flow, stop or threading.Event(), clock.sleep).run()
    return workshop.store.operation(claimed.id)


def noted(workshop: Workshop) -> list[Deed]:
    assert isinstance(workshop.trail, MemoryTrail)
    return [entry.deed for entry in workshop.trail.kept]


def failing(error: WizardError) -> Callable[[Task], None]:
    def phase(task: Task) -> None:
        raise error

    return phase


def test_work_that_is_done_is_noted_once_for_whoever_asked(toy: Toy, workshop: Workshop, clock: FakeClock) -> None:
    operation = perform(toy, workshop, clock)
    [deed] = noted(workshop)
    assert (deed.who, deed.way, deed.act, deed.outcome) == ("ann", Way.WORKER, "worked", Outcome.DONE)
    assert (deed.registration, deed.details["operation"]) == ("r1", operation.id)


def test_work_that_fails_is_noted_with_its_reason(toy: Toy, workshop: Workshop, clock: FakeClock) -> None:
    toy.does["two"] = failing(broken())
    operation = perform(toy, workshop, clock)
    [deed] = noted(workshop)
    assert operation.problem is not None
    assert (deed.outcome, deed.reason) == (Outcome.FAILED, operation.problem.happened)


def test_work_that_is_aborted_is_noted_as_undone(toy: Toy, workshop: Workshop, clock: FakeClock) -> None:
    toy.does["two"] = lambda task: workshop.store.ask_to_abort("op1")
    perform(toy, workshop, clock)
    assert [deed.outcome for deed in noted(workshop)] == [Outcome.UNDONE]


def test_work_that_goes_on_elsewhere_is_not_noted_here(toy: Toy, workshop: Workshop, clock: FakeClock) -> None:
    stop = threading.Event()
    toy.does["two"] = lambda task: stop.set()
    perform(toy, workshop, clock, stop)
    assert noted(workshop) == []


class Full(MemoryTrail):
    def append(self, deed: Deed) -> Entry:
        raise OSError("no space left")


def test_a_trail_that_cannot_be_written_to_stops_no_work(
    toy: Toy, workshop: Workshop, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert perform(toy, replace(workshop, trail=Full()), clock).state == "done"
    assert "The end of operation op1 could not be noted: done" in caplog.text


def test_the_newest_digest_is_logged_when_the_hour_is_over(caplog: pytest.LogCaptureFixture) -> None:
    trail = MemoryTrail()
    entry = trail.append(a_deed())
    with caplog.at_level(logging.INFO, "wizard.audit"):
        note_digest(trail)
    assert caplog.messages == [f"audit trail: entry 1 has the digest {entry.digest}"]


def test_who_asked_is_kept_with_the_operation(store: MemoryStore) -> None:
    store.save(a_registration())
    assert store.queue(an_operation(asked_by="ann")).asked_by == "ann"
