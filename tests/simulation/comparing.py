"""The rules under test, what is told when they and the oracle disagree, and the trace that led there."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from wizard.licensing.rules import project, server
from wizard.licensing.rules.events import Answer, Event
from wizard.licensing.rules.instance import Instance
from wizard.licensing.rules.limits import Millis
from wizard.licensing.rules.machine import Outcome
from wizard.licensing.rules.project import ProjectEvent, Registration, Reply


@dataclass(frozen=True)
class Rules:
    """The functions that are compared with the oracle; the tests hand in wrong ones to see that it notices."""

    serve: Callable[[Instance, Event, Millis], Outcome[Instance, Answer]] = server.serve
    settle: Callable[[Instance, Millis], Instance] = server.settle
    follow: Callable[[Registration, ProjectEvent, Millis], Outcome[Registration, Reply]] = project.follow
    lapse: Callable[[Registration, Millis], Registration] = project.lapse


REAL = Rules()


class Mismatch(Exception):
    """The rules and the oracle disagree."""

    def __init__(self, what: str, actual: object, expected: object) -> None:
        super().__init__(f"{what}: the rules say {actual}, the oracle says {expected}")


def expect(what: str, actual: object, expected: object) -> None:
    if actual != expected:
        raise Mismatch(what, actual, expected)


class Trace:
    """What happened so far, the newest `keep` steps; all of them without. A step: when, who, what, the answer."""

    def __init__(self, keep: int | None = None) -> None:
        self._steps: deque[tuple[int, object, object, object]] = deque(maxlen=keep)
        self.note = self._steps.append

    def __str__(self) -> str:
        lines, before = [], None
        for at, who, what, answer in self._steps:
            passed = "" if before is None else f"+{at - before} ms"
            lines.append(f"  {at} {passed:>16}  {who}: {what} -> {answer}")
            before = at
        return "\n".join(lines)
