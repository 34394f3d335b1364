"""One operation in the hands of a worker: its phases in order, or all of it taken back."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from wizard.domain.operation import Operation, OperationState
from wizard.domain.registration import Objection, Registration
from wizard.errors import BackendError, Problem, Stale, WizardError
from wizard.flow import Flow, Phase
from wizard.jobs.audit import note_end
from wizard.jobs.discards import remove_discarded
from wizard.ports import Task, Workshop
from wizard.text import say

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
"""An operation that took so many workers down with it is not tried again."""
PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further try of a phase whose error may pass by itself."""
LOOK = 0.25
"""Seconds after which a waiting phase looks whether it is to stop."""
BETWEEN_RECORDS = timedelta(seconds=0.2)
"""So often progress is written down, however often it is told."""


class Aborted(Exception):
    """The admin wants it undone."""


class Stopping(Exception):
    """The worker is to end; another one goes on."""


class LeaseLost(Exception):
    """Another worker has it. Nothing more may be done, or undone, here."""


class Performance:
    """Runs the work of a step on behalf of a claimed operation, and writes down what becomes of it.

    `pause` lets some seconds pass; the stop event's own wait is what a worker gives.
    """

    def __init__(
        self,
        operation: Operation,
        owner: str,
        workshop: Workshop,
        flow: Flow,
        stop: threading.Event,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._operation = operation
        self._owner = owner
        self._workshop = workshop
        self._flow = flow
        self._stop = stop
        self._pause = pause or stop.wait
        self._step = flow.step(operation.kind)
        self._recorded_at = workshop.clock()

    def run(self) -> None:
        """To its end, unless the lease is lost or the worker is stopped: then it goes on elsewhere."""
        try:
            self._perform()
        except Stopping:
            logger.info("Operation %s is put back: the worker stops.", self._operation.id)
            self._put_back(attempt=self._operation.attempt - 1)
        except Stale:
            logger.info("Operation %s begins again with what is chosen now.", self._operation.id)
            self._put_back(attempt=self._operation.attempt)
        except LeaseLost:
            logger.warning("Operation %s is in other hands.", self._operation.id)
        except Exception:
            logger.exception("Operation %s could not be begun or ended.", self._operation.id)
            self._record(self._ended(OperationState.FAILED, self._unexpected()))

    def _perform(self) -> None:
        registration = self._cleared_registration()
        if self._step.is_done(registration):  # done by hand meanwhile
            self._record(self._ended(OperationState.DONE))
        elif self._operation.attempt > MOST_ATTEMPTS:
            self._record(self._given_up(registration))
        else:
            self._try(registration)

    def _try(self, registration: Registration) -> None:
        try:
            self._work(registration)
        except (Stopping, LeaseLost):
            raise
        except Aborted:
            self._record(self._undone(registration, OperationState.ABORTED))
        except Stale as stale:
            undone = self._undone(registration, OperationState.FAILED, stale.problem)
            if self._is_still_wanted():
                raise
            self._record(undone)
        except Objection as objection:
            self._record(*self._refused(registration, objection))
        except WizardError as error:
            self._record(self._undone(registration, OperationState.FAILED, error.problem))
        except Exception:
            logger.exception("Operation %s failed in a way that nobody thought of.", self._operation.id)
            self._record(self._undone(registration, OperationState.FAILED, self._unexpected()))

    def _cleared_registration(self) -> Registration:
        """What was given up may hold the port or the volume that is needed now: remove it before."""
        store = self._workshop.store
        try:
            remove_discarded(store.registration(self._operation.registration_id), self._workshop)
        except BackendError:
            logger.warning("A deployment that was given up could not be removed yet.", exc_info=True)
        return store.registration(self._operation.registration_id)

    def _work(self, registration: Registration) -> None:
        """What comes of it and its end are one write: between two, a page offers what comes next, which is refused."""
        worked = registration
        for phase in self._step.work:
            worked = self._phase(phase, worked)
        self._check()  # a wish to abort that came during the last phase is not too late
        self._record(self._ended(OperationState.DONE), None if worked == registration else worked)

    def _phase(self, phase: Phase, registration: Registration) -> Registration:
        """Its end is written with the beginning of the next one: no page finds that nothing goes on."""
        self._check()
        self._note(phase, started_at=self._workshop.clock(), ended_at=None, failed=False, done=0, total=0)
        try:
            done = self._patiently(phase, registration)
        except (Aborted, Stopping, LeaseLost):
            raise
        except Exception:
            self._note(phase, failed=True)
            raise
        self._operation = self._operation.progressed(phase.slug, ended_at=self._workshop.clock())
        return done

    def _patiently(self, phase: Phase, registration: Registration) -> Registration:
        task = self._task(progress=partial(self._progress, phase), wait=self._wait)
        for pause in PAUSES:
            try:
                return phase.run(registration, task)
            except BackendError as error:
                if error.permanent:
                    raise
                logger.info("Phase %s of %s: %s Once more.", phase.slug, self._operation.id, error)
                self._wait(pause)
        return phase.run(registration, task)

    def _undone(self, registration: Registration, state: OperationState, problem: Problem | None = None) -> Operation:
        """Take back, last first, what this attempt or an earlier one has begun."""
        begun = {record.slug for record in self._operation.phases if record.started_at is not None}
        left = [self._undo(phase, registration) for phase in reversed(self._step.work) if phase.slug in begun]
        words = "\n".join(word for word in left if word)
        if words and problem is None:
            problem = Problem(
                happened=say("Not everything could be taken back."),
                todo=say("Look after the node, and remove by hand what is left there."),
                raw=words,
            )
        elif words and problem is not None:
            problem = replace(problem, raw=f"{problem.raw}\n{words}".strip())
        return replace(self._ended(state, problem), has_left=bool(words))

    def _refused(self, registration: Registration, objection: Objection) -> tuple[Operation, Registration]:
        """What was found out is kept in the same write: the page that tells the refusal shows it, with its boxes."""
        undone = self._undone(registration, OperationState.FAILED, objection.problem)
        kept = objection.registration
        return replace(undone, version=kept.version + 1), kept

    def _undo(self, phase: Phase, registration: Registration) -> str:
        """Nothing, or what kept it from being taken back."""
        task = self._task(progress=lambda done, total: self._go_on(), wait=self._wait_unheard)
        try:
            phase.undo(registration, task)
        except WizardError as error:
            logger.warning("Phase %s of %s could not be undone: %s", phase.slug, self._operation.id, error)
            return f"{error} {error.problem.raw}".strip()
        return ""

    def _given_up(self, registration: Registration) -> Operation:
        problem = Problem(
            happened=say("This was tried %(times)s times, and the worker stopped each time.", times=MOST_ATTEMPTS),
            todo=say("Look into the worker's log, then try again."),
        )
        if self._operation.attempt > MOST_ATTEMPTS + 1:  # taking it back may be what stops the workers
            return self._ended(OperationState.FAILED, problem)
        return self._undone(registration, OperationState.FAILED, problem)

    def _is_still_wanted(self) -> bool:
        return self._flow.current(self._workshop.store.registration(self._operation.registration_id)) is self._step

    def _task(self, progress: Callable[[int, int], None], wait: Callable[[float], None]) -> Task:
        return Task(workshop=self._workshop, operation=self._operation.id, progress=progress, wait=wait)

    def _progress(self, phase: Phase, done: int, total: int) -> None:
        self._operation = self._operation.progressed(phase.slug, done=done, total=total)
        self._go_on()
        if not timedelta(0) <= self._workshop.clock() - self._recorded_at < BETWEEN_RECORDS:
            self._record(self._operation)
            self._check()

    def _wait(self, seconds: float) -> None:
        while seconds > 0:
            self._check()
            self._pause(min(seconds, LOOK))
            seconds -= LOOK
        self._check()

    def _wait_unheard(self, seconds: float) -> None:
        """While something is taken back, the wish to abort is no news."""
        self._pause(seconds)
        self._go_on()

    def _check(self) -> None:
        self._go_on()
        if self._workshop.store.operation(self._operation.id).abort:
            raise Aborted

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise Stopping

    def _note(self, phase: Phase, **changes: object) -> None:
        self._record(self._operation.progressed(phase.slug, **changes))

    def _record(self, operation: Operation, result: Registration | None = None) -> None:
        if not self._workshop.store.record(operation, self._owner, result):
            raise LeaseLost
        self._operation = operation
        self._recorded_at = self._workshop.clock()
        note_end(operation, self._workshop)

    def _put_back(self, attempt: int) -> None:
        self._workshop.store.record(replace(self._operation, state=OperationState.QUEUED, attempt=attempt), self._owner)

    def _ended(self, state: OperationState, problem: Problem | None = None) -> Operation:
        return self._operation.ended(state, self._workshop.clock(), problem)

    def _unexpected(self) -> Problem:
        return Problem(
            happened=say("This failed in a way that nobody thought of."),
            why=say("The worker's log tells more, under operation %(id)s.", id=self._operation.id),
            todo=say("Try again. If it fails again, show the log to whoever looks after this installation."),
        )
