"""The worker's process: takes up operations, and makes the rounds."""

import itertools
import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from wizard.domain.operation import Operation
from wizard.flow import Flow
from wizard.jobs.bell import Bell
from wizard.jobs.crew import Crew, every
from wizard.jobs.performance import Performance
from wizard.jobs.rounds import Rounds
from wizard.ports import Workshop
from wizard.processes import ProcessName, this_process

logger = logging.getLogger(__name__)

HANDS = 8
"""So many operations at once."""
HANDS_OF_A_NODE = 2
"""So many of them on one node: each on a node that does not answer waits for a minute, and others are not to wait."""
LOOKERS = 16
"""So many servers and nodes are asked at once, so that slow ones delay nobody."""
SECONDS_TO_FINISH = 4.0
"""How long a stopping worker waits for its operations to be put back."""


@dataclass(frozen=True)
class Held:
    """An operation in hand, by its id, and the node that it is for."""

    operation: str
    node: str | None


class Worker:
    """Claims operations for this process, as long as it has a hand free for their node, and keeps their leases."""

    def __init__(self, workshop: Workshop, flow: Flow, stop: threading.Event, hands: int = HANDS) -> None:
        self._workshop = workshop
        self._flow = flow
        self._stop = stop
        self._free = threading.Semaphore(hands)
        self._crew = Crew("hand", hands)
        self._name = this_process()
        self._claims = itertools.count(1)
        self._held: dict[str, Held] = {}
        self._claiming = threading.Lock()

    def take_up(self) -> None:
        """Claim what waits, and begin with it. Operations are done in threads of their own.

        The leases in hand are prolonged before: a machine that has slept must not take its own work for another's.
        """
        self.renew()
        while not self._stop.is_set() and self._free.acquire(blocking=False):
            owner = f"{self._name}#{next(self._claims)}"
            operation = self._claim(owner)
            if operation is None:
                self._free.release()
                return
            self._crew(partial(self._perform, operation, owner))

    def look_after(self) -> None:
        """What a dead worker of this machine held is free at once; what one elsewhere held, when its lease ends."""
        for owner in self._workshop.store.owners():
            if is_dead(owner):
                logger.warning("The worker %s has died; its operation is taken up again.", owner)
                self._workshop.store.release(owner)
        self.take_up()

    def renew(self) -> None:
        for owner, held in list(self._held.items()):
            self._workshop.store.renew(held.operation, owner, self._workshop.clock())

    def finish(self, seconds: float) -> bool:
        """Wait for the operations in hand to be put back or ended; False when some did not come back in time."""
        deadline = time.monotonic() + seconds
        while self._held and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self._held

    def _claim(self, owner: str) -> Operation | None:
        """The oldest that waits for a node with a hand to spare, by one thread at a time."""
        store = self._workshop.store
        with self._claiming:
            operation = store.claim(owner, self._workshop.clock(), besides=self._to_wait())
            if operation is not None:
                node = store.registration(operation.registration_id).node
                self._held[owner] = Held(operation.id, node.slug if node else None)
        return operation

    def _to_wait(self) -> Collection[str]:
        """The registrations of nodes that have all the hands they may have. It is asked each second: mostly nothing."""
        at_work = Counter(held.node for held in list(self._held.values()) if held.node is not None)
        full = {node for node, hands in at_work.items() if hands >= HANDS_OF_A_NODE}
        registrations = self._workshop.store.registrations() if full else ()
        return [it.id for it in registrations if it.node is not None and it.node.slug in full]

    def _perform(self, operation: Operation, owner: str) -> None:
        try:
            Performance(operation, owner, self._workshop, self._flow, self._stop).run()
        finally:
            del self._held[owner]
            self._free.release()
        self.take_up()


def is_dead(owner: str) -> bool:
    """Whether it was a process of this machine, and is no more."""
    try:
        name = ProcessName.parse(owner.partition("#")[0])
    except ValueError:
        return False
    return name.is_of_this_machine and name.process() is None


def run(workshop: Workshop, flow: Flow, bell: Bell, hands: int = HANDS) -> None:
    """Work until SIGTERM or SIGINT, then put back what is unfinished. To be called in the main thread."""
    stop = threading.Event()
    worker = Worker(workshop, flow, stop, hands)
    with bell.answered_by(worker.take_up):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: stop.set())
        for seconds, chore in chores(worker, Rounds(workshop, flow, Crew("looker", LOOKERS))):
            every(seconds, chore, stop)
        stop.wait()
    if not worker.finish(SECONDS_TO_FINISH):
        logger.warning("Some operations did not stop in time; they are taken up by the next worker.")


def chores(worker: Worker, rounds: Rounds) -> tuple[tuple[float, Callable[[], None]], ...]:
    """What is done every so many seconds."""
    return (
        (1.0, worker.look_after),
        (2.0, rounds.watch),
        (5.0, rounds.healths),
        (5.0, rounds.inspect),
        (2.0, rounds.tidy),
        (2.0, rounds.keep_running),
        (60.0, rounds.reconcile),
        (600.0, rounds.sweep),
        (3600.0, rounds.note_digest),
    )
