"""What is carried to those who work: in a request, and in the worker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wizard.domain.operation import Operation
from wizard.domain.registration import Registration
from wizard.ports.audit import Trail
from wizard.ports.engines import Backend, Progress
from wizard.ports.files import Spool, Uploads
from wizard.ports.servers import Applications, LicenseServer
from wizard.ports.shares import Shares, Turns
from wizard.ports.store import Inventory, Store


class Jobs(Protocol):
    """Slow work is put down as an operation, and a worker is woken."""

    def start(self, registration: Registration, kind: str, now: datetime, by: str = "") -> Operation:
        """Queue the work of the step `kind`, which `by` asked for. The one under way is returned when there is one."""
        ...

    def abort(self, operation: Operation) -> None:
        """Ask for it to be undone."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """What a step may use in a request. No engine: that is the worker's."""

    store: Store
    jobs: Jobs
    inventory: Inventory
    license_servers: LicenseServer
    spool: Spool
    uploads: Uploads
    turns: Turns
    shares: Shares
    trail: Trail
    clock: Callable[[], datetime]
    """Aware UTC."""


@dataclass(frozen=True, kw_only=True)
class Workshop(Services):
    """What the slow work of a step may use, in the worker."""

    backend: Backend
    applications: Applications


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a phase is given: the workshop, the operation's id to name things after, and where to tell its progress."""

    workshop: Workshop
    operation: str
    progress: Progress
    wait: Callable[[float], None]
    """Let some seconds pass; raises when the operation is to be aborted."""
