"""Real workers, in processes of their own, on a real store: killed, stopped, and in numbers."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tests.factories import a_node, a_registration
from tests.fakes import FakeClock, MemoryStore
from tests.jobs.toy import Toy
from wizard.domain.operation import LEASE, OperationState
from wizard.jobs.bell import Bell
from wizard.jobs.queue import Queue
from wizard.jobs.worker import Worker, is_dead
from wizard.ports import Task, Workshop
from wizard.processes import this_process
from wizard.store import SqlStore, migrate

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path}/wizard.sqlite"
    migrate(url)
    store = SqlStore(url)
    yield store
    store.close()


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    bell = Bell(tmp_path / "bell.sqlite")
    yield bell
    bell.close()


@pytest.fixture
def queue(sql: SqlStore, bell: Bell) -> Queue:
    return Queue(sql, Toy().flow, bell.ring)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a worker's process; those that are left are killed in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen([sys.executable, "-m", "tests.jobs.toy_worker", str(tmp_path)]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def now() -> datetime:
    return datetime.now(UTC)


def wait_until(condition: Callable[[], bool], seconds: float = 8) -> None:
    """For what another process does in its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def times_begun(folder: Path) -> int:
    begun = folder / "begun"
    return len(begun.read_text().splitlines()) if begun.exists() else 0


def test_a_second_worker_finishes_what_a_killed_one_began_without_waiting_for_its_lease(
    sql: SqlStore, queue: Queue, start: Start, tmp_path: Path
) -> None:
    operation = queue.start(sql.save(a_registration()), "toy", now())
    first = start()
    wait_until(lambda: times_begun(tmp_path) == 1)
    first.kill()
    first.wait()
    assert sql.operation(operation.id).state is OperationState.RUNNING
    (tmp_path / "go").touch()
    killed = time.monotonic()
    start()
    wait_until(lambda: not sql.operation(operation.id).is_active)
    done = sql.operation(operation.id)
    assert (done.state, done.attempt) == (OperationState.DONE, 2)
    assert sql.registration("r1").preflight is not None
    assert times_begun(tmp_path) == 2
    assert time.monotonic() - killed < LEASE.total_seconds()


def test_a_stopped_worker_puts_back_what_it_was_at_and_ends_within_seconds(
    sql: SqlStore, queue: Queue, start: Start, tmp_path: Path
) -> None:
    operation = queue.start(sql.save(a_registration()), "toy", now())
    first = start()
    wait_until(lambda: times_begun(tmp_path) == 1)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=3) == 0
    left = sql.operation(operation.id)
    assert (left.state, left.attempt) == (OperationState.QUEUED, 0)
    (tmp_path / "go").touch()
    start()
    wait_until(lambda: sql.operation(operation.id).state is OperationState.DONE)


def test_a_running_worker_is_woken_in_well_under_a_second_and_aborts_when_told(
    sql: SqlStore, queue: Queue, start: Start, tmp_path: Path
) -> None:
    start()
    wait_until(lambda: sql.healths() != {})
    operation = queue.start(sql.save(a_registration()), "toy", now())
    wait_until(lambda: times_begun(tmp_path) == 1, seconds=0.9)
    queue.abort(operation)
    wait_until(lambda: sql.operation(operation.id).state is OperationState.ABORTED, seconds=2)


def test_two_workers_do_ten_operations_once_each(sql: SqlStore, queue: Queue, start: Start, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    operations = [queue.start(sql.save(a_registration(id=f"r{number}")), "toy", now()) for number in range(10)]
    start()
    start()
    wait_until(lambda: all(sql.operation(operation.id).state is OperationState.DONE for operation in operations))
    assert [sql.operation(operation.id).attempt for operation in operations] == [1] * 10
    assert times_begun(tmp_path) == 10


def test_an_idle_worker_hardly_uses_the_processor(sql: SqlStore, start: Start) -> None:
    process = psutil.Process(start().pid)
    wait_until(lambda: sql.healths() != {})
    process.cpu_percent()
    time.sleep(2)
    assert process.cpu_percent() < 5


def test_four_operations_are_done_at_once_and_the_fifth_when_a_hand_is_free(
    store: MemoryStore, workshop: Workshop, toy: Toy
) -> None:
    gate, at_work = threading.Event(), threading.Semaphore(0)

    def work(task: Task) -> None:
        at_work.release()
        gate.wait(10)

    toy.does["one"] = work
    queue = Queue(store, toy.flow, lambda: None)
    operations = [queue.start(store.save(a_registration(id=f"r{n}")), "toy", now()) for n in range(5)]
    worker = Worker(workshop, toy.flow, threading.Event(), hands=4)
    worker.take_up()
    for _ in range(4):
        assert at_work.acquire(timeout=5)
    assert [store.operation(operation.id).state for operation in operations].count(OperationState.QUEUED) == 1
    gate.set()
    wait_until(lambda: all(store.operation(operation.id).state is OperationState.DONE for operation in operations))


def test_a_node_that_does_not_answer_keeps_two_hands_busy_and_the_others_work_elsewhere(
    store: MemoryStore, workshop: Workshop, toy: Toy
) -> None:
    """Five admins deploy to a dead node; the sixth, to a living one, does not wait for them."""
    gate, at_work = threading.Event(), threading.Semaphore(0)

    def work(task: Task) -> None:
        at_work.release()
        if task.operation not in living:
            gate.wait(10)

    toy.does["one"] = work
    queue = Queue(store, toy.flow, lambda: None)
    dead = [
        queue.start(store.save(a_registration(id=f"d{n}", node=a_node(slug="dead"))), "toy", now()) for n in range(5)
    ]
    living = {queue.start(store.save(a_registration(id="r1", node=a_node())), "toy", now()).id}
    worker = Worker(workshop, toy.flow, threading.Event(), hands=4)
    worker.take_up()
    for _ in range(3):
        assert at_work.acquire(timeout=5)
    wait_until(lambda: all(store.operation(id).state is OperationState.DONE for id in living))
    assert [store.operation(operation.id).state for operation in dead].count(OperationState.RUNNING) == 2
    gate.set()
    wait_until(lambda: all(store.operation(operation.id).state is OperationState.DONE for operation in dead))


def test_a_machine_that_slept_longer_than_the_lease_goes_on_with_its_own_work(
    store: MemoryStore, workshop: Workshop, toy: Toy, clock: FakeClock
) -> None:
    gate, at_work = threading.Event(), threading.Event()

    def work(task: Task) -> None:
        at_work.set()
        gate.wait(10)

    toy.does["one"] = work
    operation = Queue(store, toy.flow, lambda: None).start(store.save(a_registration()), "toy", clock())
    worker = Worker(workshop, toy.flow, threading.Event())
    worker.take_up()
    assert at_work.wait(5)
    clock.advance(seconds=LEASE.total_seconds() + 1)
    worker.take_up()
    gate.set()
    wait_until(lambda: not store.operation(operation.id).is_active)
    assert toy.happened == ["one", "two", "three"]
    assert store.operation(operation.id).attempt == 1


def test_a_process_of_this_machine_that_is_no_more_is_dead() -> None:
    alive = this_process()
    assert not is_dead(f"{alive}#1")
    assert is_dead(f"{replace(alive, started=alive.started - 60)}#1")


def test_nothing_is_known_of_a_worker_elsewhere() -> None:
    elsewhere = replace(this_process(), machine="elsewhere", pid=1)
    assert not is_dead(f"{elsewhere}#1")
    assert not is_dead("somebody")
