"""The stores in memory. They pass the same contract suites as the ones on SQL."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tests.memory_accounts import MemoryAccounts
from wizard.domain.deployment import ServerStatus
from wizard.domain.inspection import Inspection
from wizard.domain.instance import Health
from wizard.domain.operation import LEASE, Operation, OperationState
from wizard.domain.registration import Registration
from wizard.errors import Stale, UnknownStep
from wizard.text import say

__all__ = ["MemoryAccounts", "MemoryStore"]


@dataclass
class Row:
    """An operation and who holds it."""

    operation: Operation
    owner: str | None = None
    lease_until: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        return self.owner is None or (self.lease_until is not None and self.lease_until < now)


class MemoryStore:
    """ports.Store. Every write counts up one number, which is the revision of everything."""

    def __init__(self) -> None:
        self._registrations: dict[str, Registration] = {}
        self._rows: dict[str, Row] = {}
        self._healths: dict[str, Health] = {}
        self._inspections: dict[str, Inspection] = {}
        self._revision = 0
        self._lock = threading.RLock()

    def registrations(self) -> Sequence[Registration]:
        return list(reversed(self._registrations.values()))

    def registration(self, id: str) -> Registration:
        if id not in self._registrations:
            raise UnknownStep(say("There is no such registration."))
        return self._registrations[id]

    def save(self, registration: Registration) -> Registration:
        with self._lock:
            stored = self._registrations.get(registration.id)
            if registration.version != (stored.version if stored else 0):
                raise Stale(say("This registration was changed meanwhile."))
            saved = replace(registration, version=registration.version + 1)
            self._registrations[registration.id] = saved
            self._revision += 1
            return saved

    def observe(self, id: str, status: ServerStatus) -> None:
        with self._lock:
            stored = self.registration(id)
            if stored.deployment is None or (stored.server and stored.server.seen_at > status.seen_at):
                return
            self._registrations[id] = replace(stored, server=status)
            self._revision += 0 if status.says_the_same_as(stored.server) else 1

    def cleared(self, id: str, name: str) -> None:
        with self._lock:
            stored = self.registration(id)
            left = tuple(deployment for deployment in stored.discarded if deployment.name != name)
            self._registrations[id] = replace(stored, discarded=left)
            self._revision += 1

    def queue(self, operation: Operation) -> Operation:
        with self._lock:
            self.registration(operation.registration_id)
            for row in self._rows_of(operation.registration_id):
                if row.operation.is_active:
                    return row.operation
            self._rows[operation.id] = Row(operation)
            self._revision += 1
            return operation

    def operation(self, id: str) -> Operation:
        if id not in self._rows:
            raise UnknownStep(say("There is no such operation."))
        return self._rows[id].operation

    def operations(self, prefix: str) -> Sequence[Operation]:
        return [row.operation for id, row in self._rows.items() if id.startswith(prefix)]

    def last_operation(self, registration_id: str, kind: str | None = None) -> Operation | None:
        found = [row.operation for row in self._rows_of(registration_id)]
        return next((operation for operation in reversed(found) if kind in (None, operation.kind)), None)

    def claim(self, owner: str, now: datetime, besides: Collection[str] = ()) -> Operation | None:
        with self._lock:
            for row in self._rows.values():
                if row.operation.registration_id not in besides and row.operation.is_active and row.is_free(now):
                    attempt = row.operation.attempt + 1
                    row.operation = replace(row.operation, state=OperationState.RUNNING, attempt=attempt)
                    row.owner, row.lease_until = owner, now + LEASE
                    self._revision += 1
                    return row.operation
            return None

    def renew(self, id: str, owner: str, now: datetime) -> bool:
        with self._lock:
            row = self._rows.get(id)
            if row is None or row.owner != owner:
                return False
            row.lease_until = now + LEASE
            return True

    def record(self, operation: Operation, owner: str, result: Registration | None = None) -> bool:
        with self._lock:
            row = self._rows.get(operation.id)
            if row is None or row.owner != owner:
                return False
            if result is not None:
                self.save(result)
            row.operation = replace(operation, abort=row.operation.abort)
            if operation.state is not OperationState.RUNNING:
                row.owner = row.lease_until = None
            self._revision += 1
            return True

    def owners(self) -> Sequence[str]:
        return sorted({row.owner for row in self._rows.values() if row.owner is not None})

    def release(self, owner: str) -> None:
        with self._lock:
            for row in self._rows.values():
                if row.owner == owner:
                    row.owner = row.lease_until = None

    def ask_to_abort(self, id: str) -> None:
        with self._lock:
            row = self._rows.get(id)
            if row is not None and row.operation.is_active and not row.operation.abort:
                row.operation = replace(row.operation, abort=True)
                self._revision += 1

    def seen(self, health: Health) -> None:
        with self._lock:
            before = self._healths.get(health.node)
            self._healths[health.node] = health
            if before is None or replace(before, seen_at=health.seen_at) != health:
                self._revision += 1

    def healths(self) -> dict[str, Health]:
        return dict(self._healths)

    def inspected(self, registration_id: str, inspection: Inspection) -> None:
        with self._lock:
            self.registration(registration_id)
            self._revision += 0 if inspection.says_the_same_as(self._inspections.get(registration_id)) else 1
            self._inspections[registration_id] = inspection

    def inspection(self, registration_id: str) -> Inspection | None:
        return self._inspections.get(registration_id)

    def revision(self, registration_id: str) -> str:
        self.registration(registration_id)
        return str(self._revision)

    def _rows_of(self, registration_id: str) -> list[Row]:
        return [row for row in self._rows.values() if row.operation.registration_id == registration_id]
