"""An operation: slow work that outlives the request, the browser and the worker that began it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wizard.errors import Problem

LEASE = timedelta(seconds=10)
"""A worker that has not been heard of for so long has lost its operation to any other."""


class OperationState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def is_active(self) -> bool:
        return self in (OperationState.QUEUED, OperationState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class PhaseRecord:
    """How far one phase has come. `done` of `total` in the phase's own unit; total 0 while nothing is known."""

    slug: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failed: bool = False
    done: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The row is the truth: whoever claims it next goes on from what it says. `kind` is the slug of the step."""

    id: str
    registration_id: str
    kind: str
    version: int
    """The registration's version that it works on; once that has risen, what the operation found is history."""
    state: OperationState
    phases: tuple[PhaseRecord, ...]
    created_at: datetime
    attempt: int = 0
    abort: bool = False
    problem: Problem | None = None
    ended_at: datetime | None = None
    has_left: bool = False
    """Whether something of it could not be taken back."""
    asked_by: str = ""
    """The name of the person whose wish it is; nothing in older ones."""

    @property
    def is_active(self) -> bool:
        return self.state.is_active

    @property
    def has_begun(self) -> bool:
        """Whether any phase has; before that the worker removes what was given up earlier."""
        return any(phase.started_at is not None for phase in self.phases)

    @property
    def is_being_undone(self) -> bool:
        """Whether it is being taken back, or is about to be: there is nothing left to abort."""
        return self.is_active and (self.abort or any(phase.failed for phase in self.phases))

    def progressed(self, slug: str, **changes: object) -> "Operation":
        """The same with that phase's record changed."""
        return replace(
            self,
            phases=tuple(
                replace(phase, **changes) if phase.slug == slug else phase  # type: ignore[arg-type]
                for phase in self.phases
            ),
        )

    def ended(self, state: OperationState, now: datetime, problem: Problem | None = None) -> "Operation":
        return replace(self, state=state, ended_at=now, problem=problem)
