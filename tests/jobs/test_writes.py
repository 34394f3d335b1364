"""What a page can find between two writes of a worker: one phase is always under way, and none once it is done."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import a_project, a_registration, an_operation
from tests.fakes import FakeClock
from tests.jobs.toy import Toy, a_workshop
from wizard.domain.operation import Operation, PhaseRecord
from wizard.domain.registration import Registration
from wizard.jobs.performance import Performance
from wizard.store import SqlStore, migrate

Found = tuple[Registration, Operation]


class LookedAt(SqlStore):
    """Loads, after each write of the worker, what a page would load. It is a real store: a fake need not be atomic."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.found: list[Found] = []

    def save(self, registration: Registration) -> Registration:
        saved = super().save(registration)
        self._look()
        return saved

    def record(self, operation: Operation, owner: str, result: Registration | None = None) -> bool:
        recorded = super().record(operation, owner, result)
        self._look()
        return recorded

    def _look(self) -> None:
        if operation := self.last_operation("r1"):
            self.found.append((self.registration("r1"), operation))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LookedAt]:
    url = f"sqlite:///{tmp_path}/wizard.sqlite"
    migrate(url)
    store = LookedAt(url)
    yield store
    store.close()


@pytest.fixture
def found(store: LookedAt, toy: Toy, clock: FakeClock, tmp_path: Path) -> list[Found]:
    """What there was after each write of an operation of three phases that went well."""
    store.save(a_registration())
    store.queue(an_operation(kind="toy", phases=tuple(PhaseRecord(slug=slug) for slug in ("one", "two", "three"))))
    claimed = store.claim("worker", clock())
    assert claimed
    workshop = a_workshop(store, clock, tmp_path, a_project())
    Performance(claimed, "worker", workshop, toy.flow, threading.Event(), clock.sleep).run()
    return store.found


def under_way(operation: Operation) -> list[str]:
    return [phase.slug for phase in operation.phases if phase.started_at and not phase.ended_at]


def test_from_the_first_phase_to_the_end_one_phase_is_always_under_way(found: list[Found]) -> None:
    assert [under_way(operation) for _, operation in found if operation.is_active] == [["one"], ["two"], ["three"]]


def test_a_step_that_is_done_is_never_still_at_work(found: list[Found], toy: Toy) -> None:
    """Else the page offers what comes next, and refuses it when it is pressed."""
    [step] = toy.flow.steps
    assert [(step.is_done(registration), operation.is_active) for registration, operation in found] == [
        *[(False, True)] * 3,
        (True, False),
    ]
