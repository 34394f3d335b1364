"""What a state machine is here: a table of transitions, and how one is picked."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
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


@dataclass(frozen=True, eq=False)
class Transition(Generic[Subject, Said]):
    """One row of a table. It fits when the state is one of `states`, the event is one of `event`, and `guard` holds.

    `guard` and `effect` are called with the subject, the event (one of `event`) and the time. A row is equal to none
    but itself, which makes it fast to look a table up.
    """

    rule: str
    states: frozenset[StrEnum]
    event: type | UnionType
    effect: Callable[[Subject, Any, Millis], Subject]
    answer: Said
    guard: Callable[[Subject, Any, Millis], bool] = lambda subject, event, now: True


class NoTransition(Exception):
    """The table has no row for this event in this state. The tests prove that this cannot happen to a booted one."""


Table = tuple[Transition[Subject, Said], ...]
"""Rows in order."""


def pick(table: Table[Subject, Said], subject: Subject, event: Any, now: Millis) -> Transition[Subject, Said] | None:
    """The first row that fits."""
    for row in _candidates(table, subject.state, type(event)):  # type: ignore[arg-type]  # mypy: a class has no hash
        if row.guard(subject, event, now):
            return row
    return None


def fire(table: Table[Subject, Said], subject: Subject, event: Any, now: Millis) -> Outcome[Subject, Said]:
    """Take the first row that fits; NoTransition when none does."""
    row = pick(table, subject, event, now)
    if row is None:
        raise NoTransition(f"{type(event).__name__} in {subject.state}")
    return Outcome(row.effect(subject, event, now), row.answer, row.rule)


@cache
def _candidates(table: Table[Any, Any], state: StrEnum, event: type) -> Table[Any, Any]:
    """The rows for that state and that kind of event, whatever their guards say. Found once, for beats are many."""
    return tuple(row for row in table if state in row.states and issubclass(event, row.event))


def unchanged(subject: Subject, event: object, now: Millis) -> Subject:
    """The effect of a row that only answers."""
    return subject
