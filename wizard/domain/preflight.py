"""What is found out about a node before anything is deployed to it, and what a deployment will ask of its engine."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wizard.text import Text


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    DOUBTFUL = "doubtful"
    """It did not pass, but may be wrong: the admin may go on all the same, knowing the consequence."""
    FAILED = "failed"
    """Nothing is deployed as long as it is so."""


@dataclass(frozen=True, kw_only=True)
class PortCheck:
    """What a probe of a port on a node found (R4). `holder` says who has it, in words, when it is not free."""

    port: int
    free: bool
    holder: str | Text
    next_free: int | None
    checked_at: datetime


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the checklist. `consequence` says what going on all the same would lead to, when it is doubtful."""

    slug: str
    name: Text
    outcome: Outcome
    detail: str | Text
    consequence: Text | None = None
    todo: Text | None = None

    def is_no_obstacle(self, accepted: Collection[str]) -> bool:
        """Whether a deployment may go on; `accepted` are the slugs of what is doubtful and all the same wanted."""
        return self.outcome is Outcome.PASSED or (self.outcome is Outcome.DOUBTFUL and self.slug in accepted)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request of an engine's HTTP API. `body` is JSON for a person to read, a word for other things, or nothing."""

    method: str
    path: str
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an engine will be asked for, exactly, and how a person does the same by hand, in that language."""

    requests: tuple[Request, ...] = ()
    manual: str = ""
    language: str = "sh"


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """All that was found out about a node before a deployment, and what a deployment will ask for."""

    port: PortCheck
    checks: tuple[Check, ...] = ()
    plan: Plan = Plan()

    @property
    def doubts(self) -> tuple[Check, ...]:
        """What the admin must accept before anything is deployed."""
        return tuple(check for check in self.checks if check.outcome is Outcome.DOUBTFUL)

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.outcome is Outcome.FAILED)
