"""The audit trail."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from wizard.domain.audit import Chain, Deed, End, Entry, Sought


class Trail(Protocol):
    """Entries are added at its end, and never changed. Several processes may add to it at once."""

    def append(self, deed: Deed) -> Entry:
        """Give it the next number, chain it to the entry before, and write both in one transaction."""
        ...

    def entries(self, sought: Sought, before: int | None = None, most: int | None = None) -> Iterator[Entry]:
        """Those sought, the newest first, in constant memory; only numbers below `before`, and no more than `most`."""
        ...

    def count(self, sought: Sought) -> int: ...

    def people(self) -> Sequence[str]:
        """The names of all who ever did something, sorted."""
        ...

    def end(self) -> End: ...

    def chain(self) -> Chain:
        """Check it all, from the first entry on, in constant memory."""
        ...
