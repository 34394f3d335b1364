"""What happened to a project, newest last: each failure and each recovery, with its time and its cause."""

from dataclasses import dataclass, replace

from wizard.licensing.client.causes import Cause
from wizard.licensing.rules.limits import Millis
from wizard.licensing.rules.project import ProjectState

LONGEST = 200
"""Entries. The oldest ones go first."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """At `time` (milliseconds since 1970, UTC) these nodes went from one state to another, or stayed, because of it."""

    time: Millis
    nodes: tuple[str, ...]
    before: ProjectState
    after: ProjectState
    cause: Cause

    def takes_in(self, other: "Entry") -> bool:
        """Whether the other one is the same that happened to another node."""
        return replace(other, nodes=self.nodes) == self and not set(other.nodes) & set(self.nodes)


History = tuple[Entry, ...]


def noted(history: History, entry: Entry) -> History:
    """The history with that entry. What happens to several nodes at once is one entry."""
    if history and history[-1].takes_in(entry):
        return (*history[:-1], replace(entry, nodes=history[-1].nodes + entry.nodes))
    return (*history, entry)[-LONGEST:]
