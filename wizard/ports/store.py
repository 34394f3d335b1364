"""What is known, and kept: projects and nodes, registrations and operations."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from wizard.domain.deployment import ServerStatus
from wizard.domain.engine import Engine
from wizard.domain.inspection import Inspection
from wizard.domain.instance import Health
from wizard.domain.operation import Operation
from wizard.domain.project import Project
from wizard.domain.registration import Registration


class Inventory(Protocol):
    """The O&M projects and their nodes."""

    @property
    def engines(self) -> Mapping[str, Engine]:
        """How the engine of a node is reached, by the slug of the node; not every backend needs it."""
        ...

    def projects(self) -> Sequence[Project]: ...

    def project(self, slug: str) -> Project:
        """InvalidInput when there is none of that slug."""
        ...


class Store(Protocol):
    """Registrations and operations, durable. Every write is committed when the method returns."""

    def registrations(self) -> Sequence[Registration]:
        """All, newest first."""
        ...

    def registration(self, id: str) -> Registration:
        """UnknownStep when there is none."""
        ...

    def save(self, registration: Registration) -> Registration:
        """Write it as the next version (the first is 1). Stale, and nothing written, when another came before."""
        ...

    def observe(self, id: str, status: ServerStatus) -> None:
        """Note what the authorization application said; no new version, so no open page becomes stale by it."""
        ...

    def cleared(self, id: str, name: str) -> None:
        """Note that a discarded deployment is gone from its node; no new version."""
        ...

    def queue(self, operation: Operation) -> Operation:
        """Write it down, unless one for the same registration is still active: then that one is returned."""
        ...

    def operation(self, id: str) -> Operation: ...

    def operations(self, prefix: str) -> Sequence[Operation]:
        """Those whose id begins so, oldest first: a container is named after the beginning of one."""
        ...

    def last_operation(self, registration_id: str, kind: str | None = None) -> Operation | None:
        """The newest one of the registration, of that kind when one is given."""
        ...

    def claim(self, owner: str, now: datetime, besides: Collection[str] = ()) -> Operation | None:
        """Take up, for that worker, the oldest active operation that nobody holds; None when there is none.

        Those of the registrations `besides`, by their ids, are left to wait. Charged in one conditional UPDATE, so that
        two workers never hold one operation.
        """
        ...

    def renew(self, id: str, owner: str, now: datetime) -> bool:
        """Prolong the lease; False when another worker has it."""
        ...

    def record(self, operation: Operation, owner: str, result: Registration | None = None) -> bool:
        """Write its progress or its end; False, and nothing written, when another worker has the lease.

        `result` is what came of it: the registration is saved in the same transaction, as `save` does. Stale, and
        nothing written, when another save came before.
        One that is put back to QUEUED may be claimed by anybody at once. The wish to abort is never overwritten.
        """
        ...

    def owners(self) -> Sequence[str]:
        """The workers that hold operations, as they named themselves to `claim`."""
        ...

    def release(self, owner: str) -> None:
        """Let go of what that worker holds; it is known to be dead, so nobody has to wait for its lease to end."""
        ...

    def ask_to_abort(self, id: str) -> None:
        """Note that the admin wants it undone. Nothing to do when it has ended."""
        ...

    def seen(self, health: Health) -> None:
        """Note how a node is."""
        ...

    def healths(self) -> dict[str, Health]:
        """How each node was last seen, by its slug."""
        ...

    def inspected(self, registration_id: str, inspection: Inspection) -> None:
        """Note how the container of a registration's deployment is; no new version."""
        ...

    def inspection(self, registration_id: str) -> Inspection | None:
        """How it was last seen, whichever container that was; None while nobody has looked."""
        ...

    def revision(self, registration_id: str) -> str:
        """A short word that changes whenever anything a page of this registration shows has changed. Cheap."""
        ...
