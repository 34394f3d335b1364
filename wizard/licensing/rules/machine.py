"""What a state machine is here: a table of transitions, and how one is picked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, Generic, Protocol, TypeVar

from wizard.licensing.rules.limits import Millis


class Stateful(Protocol):
    """What a machine moves: a frozen value that has a state."""

    @property
    def state(self) -> StrEnum: ...


Subject = TypeVar("Subject", bound=Stateful)
Said = TypeVar("Said", bound=StrEnum)


@dataclass(frozen=True)
class Outcome(Generic[Subject, Said]):
    """What an event led to: the subject afterwards, the answer to whoever caused it, and the rule that decided."""

    after: Subject
    answer: Said
    rule: str


@dataclass(frozen=True)
class Transition(Generic[Subject, Said]):
    """One row of a table. It fits when the state is one of `states`, the event is one of `event`, and `guard` holds.

    `guard` and `effect` are called with the subject, the event (one of `event`) and the time.
    """

    rule: str
    states: frozenset[StrEnum]
    event: type | UnionType
    effect: Callable[[Subject, Any, Millis], Subject]
    answer: Said
    guard: Callable[[Subject, Any, Millis], bool] = lambda subject, event, now: True

    def fits(self, subject: Subject, event: object, now: Millis) -> bool:
        return subject.state in self.states and isinstance(event, self.event) and self.guard(subject, event, now)


class NoTransition(Exception):
    """The table has no row for this event in this state. The tests prove that this cannot happen to a booted one."""


def fire(
    table: Iterable[Transition[Subject, Said]], subject: Subject, event: object, now: Millis
) -> Outcome[Subject, Said]:
    """Take the first row that fits; NoTransition when none does."""
    for row in table:
        if row.fits(subject, event, now):
            return Outcome(row.effect(subject, event, now), row.answer, row.rule)
    raise NoTransition(f"{type(event).__name__} in {subject.state}")


def unchanged(subject: Subject, event: object, now: Millis) -> Subject:
    """The effect of a row that only answers."""
    return subject
