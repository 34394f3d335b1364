"""What the worker looks at again and again: running applications, nodes, and what was given up."""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from wizard.domain.project import Node
from wizard.domain.registration import Registration
from wizard.errors import Stale, WizardError
from wizard.flow import Flow
from wizard.jobs.audit import note_digest
from wizard.jobs.discards import remove_discarded
from wizard.jobs.inspections import inspect
from wizard.jobs.reconciler import Reconciler
from wizard.ports import Supervising, Workshop

logger = logging.getLogger(__name__)

SHORTEST_REST = timedelta(seconds=4)
LONGEST_REST = timedelta(seconds=30)


class Rounds:
    """Each method is one round, quickly done: what may take long is given to `crew`, but never twice at once."""

    def __init__(self, workshop: Workshop, flow: Flow, crew: Callable[[Callable[[], None]], None]) -> None:
        self._workshop = workshop
        self._flow = flow
        self._crew = crew
        self._under_way: set[str] = set()
        self._lock = threading.Lock()
        self._rests = Rests()
        self._reconciler = Reconciler(workshop)

    def watch(self) -> None:
        """Ask each running authorization application how it is, as its current step wants it."""
        for registration in self._workshop.store.registrations():
            if registration.deployment is not None:
                self._start(f"watch {registration.id}", partial(self._watch, registration))

    def healths(self) -> None:
        """See how each node of the inventory is."""
        for node in self._nodes():
            self._start(f"health {node.slug}", partial(self._health, node))

    def inspect(self) -> None:
        """See how each deployed container is, and what it printed."""
        for registration in self._workshop.store.registrations():
            if registration.deployment is not None:
                self._start(f"inspect {registration.id}", partial(self._inspect, registration))

    def reconcile(self) -> None:
        """Compare what is on each node with what should be there, and mend what was left half done."""
        for node in self._nodes():
            self._start(f"reconcile {node.slug}", partial(self._reconciler.reconcile, node))

    def sweep(self) -> None:
        """Remove the uploads that nothing came for in a day."""
        self._start("sweep", lambda: self._workshop.uploads.sweep(self._workshop.clock()))

    def note_digest(self) -> None:
        """Log where the audit trail ends."""
        self._start("note digest", lambda: note_digest(self._workshop.trail))

    def tidy(self) -> None:
        """Remove the deployments that were given up."""
        for registration in self._workshop.store.registrations():
            if registration.discarded:
                self._start(f"tidy {registration.id}", partial(remove_discarded, registration, self._workshop))

    def keep_running(self) -> None:
        """Where the backend is what restarts containers, have it do so."""
        if isinstance(self._workshop.backend, Supervising):
            self._start("keep running", self._workshop.backend.keep_running)

    def _nodes(self) -> Iterable[Node]:
        return (node for project in self._workshop.inventory.projects() for node in project.nodes)

    def _watch(self, registration: Registration) -> None:
        step = self._flow.current(registration)
        last = self._workshop.store.last_operation(registration.id)
        if step.watch is None or (last is not None and last.is_active):
            return
        self._keep(registration, step.watch(registration, self._workshop))
        if registration.registered_at is not None:
            self._rests.rest(f"watch {registration.id}", self._workshop.clock())

    def _inspect(self, registration: Registration) -> None:
        inspect(registration, self._workshop)
        if registration.registered_at is not None:
            self._rests.rest(f"inspect {registration.id}", self._workshop.clock())

    def _keep(self, before: Registration, after: Registration) -> None:
        """What only was said is noted without a new version; what follows from it is saved."""
        if after.server is not None and replace(after, server=before.server) == before:
            self._workshop.store.observe(before.id, after.server)
        elif after != before:
            self._workshop.store.save(after)

    def _health(self, node: Node) -> None:
        self._workshop.store.seen(self._workshop.backend.health(node))

    def _start(self, key: str, job: Callable[[], None]) -> None:
        with self._lock:
            if key in self._under_way or self._rests.is_resting(key, self._workshop.clock()):
                return
            self._under_way.add(key)
        self._crew(partial(self._do, key, job))

    def _do(self, key: str, job: Callable[[], None]) -> None:
        try:
            job()
            self._rests.succeeded(key)
        except Stale:
            logger.debug("%s: somebody else was faster; the next round sees what was saved.", key)
        except WizardError as error:
            logger.info("%s: %s %s", key, error, error.problem.raw)
            self._rests.failed(key, self._workshop.clock())
        finally:
            with self._lock:
                self._under_way.discard(key)


class Rests:
    """What failed is left alone for a while, the longer the more often; what is finished, for the longest while."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._last: dict[str, timedelta] = {}

    def is_resting(self, key: str, now: datetime) -> bool:
        return key in self._until and now < self._until[key]

    def rest(self, key: str, now: datetime) -> None:
        self._until[key] = now + LONGEST_REST

    def failed(self, key: str, now: datetime) -> None:
        rest = min(self._last[key] * 2, LONGEST_REST) if key in self._last else SHORTEST_REST
        self._last[key] = rest
        self._until[key] = now + rest

    def succeeded(self, key: str) -> None:
        self._last.pop(key, None)
