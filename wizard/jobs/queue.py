"""Puts slow work down as an operation, and wakes the worker."""

import secrets
from collections.abc import Callable
from datetime import datetime

from wizard.domain.operation import Operation, OperationState, PhaseRecord
from wizard.domain.registration import Registration
from wizard.flow import Flow
from wizard.ports import Store


class Queue:
    """ports.Jobs. `wake` is a courtesy: a worker that is not woken finds the operation within a second all the same."""

    def __init__(self, store: Store, flow: Flow, wake: Callable[[], None]) -> None:
        self._store = store
        self._flow = flow
        self._wake = wake

    def start(self, registration: Registration, kind: str, now: datetime, by: str = "") -> Operation:
        """Queue the work of the step `kind`. A double click gets the same operation twice."""
        operation = self._store.queue(
            Operation(
                id=secrets.token_hex(8),
                registration_id=registration.id,
                kind=kind,
                version=registration.version,
                state=OperationState.QUEUED,
                phases=tuple(PhaseRecord(slug=phase.slug) for phase in self._flow.step(kind).work),
                created_at=now,
                asked_by=by,
            )
        )
        self._wake()
        return operation

    def abort(self, operation: Operation) -> None:
        self._store.ask_to_abort(operation.id)
