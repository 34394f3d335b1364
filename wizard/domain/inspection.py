"""How a deployed container was last seen by its engine."""

from dataclasses import dataclass, replace
from datetime import datetime

from wizard.text import Text, say


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """`exit_code` when it does not run and has run. `found` is false when the engine has no such container any more.

    What has a default was added later, and is missing in older documents.
    """

    name: str
    found: bool
    running: bool
    """And is not paused."""
    exit_code: int | None
    restarts: int
    out_of_memory: bool
    log: str
    """The last lines that it printed, as text that no page obeys."""
    seen_at: datetime
    paused: bool = False
    """Somebody has frozen it: it has its port and volume, and answers nobody. Who did it knows when it may go on."""

    @property
    def words(self) -> Text:
        """Its state, for a person."""
        if not self.found:
            return say("The container is not there any more.")
        if self.paused:
            return say("It is paused: its program stands still.")
        if self.running:
            return say("It runs.")
        if self.out_of_memory:
            return say("It was ended because it needed more memory than it may have.")
        if self.exit_code is None:
            return say("It was made, and has not run.")
        return say("It ended with status %(code)s.", code=self.exit_code)

    def says_the_same_as(self, other: "Inspection | None") -> bool:
        """Whether nothing but the moment of looking differs."""
        return other is not None and replace(self, seen_at=other.seen_at) == other
