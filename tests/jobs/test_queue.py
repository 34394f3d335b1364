"""The queue writes an operation down before it wakes anybody."""

from tests.factories import NOW, a_registration
from tests.fakes import MemoryStore
from tests.jobs.toy import Toy
from wizard.domain.operation import OperationState, PhaseRecord
from wizard.jobs.queue import Queue


def test_an_operation_is_written_before_the_worker_is_woken(store: MemoryStore, toy: Toy) -> None:
    registration = store.save(a_registration())
    found: list[object] = []
    queue = Queue(store, toy.flow, lambda: found.append(store.last_operation("r1")))
    operation = queue.start(registration, "toy", NOW)
    assert found == [operation]
    assert operation.state is OperationState.QUEUED
    assert operation.version == registration.version
    assert operation.phases == tuple(PhaseRecord(slug=slug) for slug in ("one", "two", "three"))


def test_a_double_click_starts_one_operation(store: MemoryStore, toy: Toy) -> None:
    registration = store.save(a_registration())
    queue = Queue(store, toy.flow, lambda: None)
    assert queue.start(registration, "toy", NOW) == queue.start(registration, "toy", NOW)


def test_aborting_leaves_a_wish_in_the_row(store: MemoryStore, toy: Toy) -> None:
    queue = Queue(store, toy.flow, lambda: None)
    operation = queue.start(store.save(a_registration()), "toy", NOW)
    queue.abort(operation)
    assert store.operation(operation.id).abort
