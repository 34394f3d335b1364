"""The audit trail in memory. It passes the same contract suite as the one on SQL."""

import threading
from collections.abc import Iterator, Sequence
from itertools import islice

from wizard.domain.audit import Chain, Deed, End, Entry, Sought, verified


class MemoryTrail:
    """ports.Trail. `kept` is there to be looked at, and to be spoilt."""

    def __init__(self) -> None:
        self.kept: list[Entry] = []
        self._end = End()
        self._lock = threading.Lock()

    def append(self, deed: Deed) -> Entry:
        with self._lock:
            entry = self._end.followed_by(deed)
            self.kept.append(entry)
            self._end = End(number=entry.number, digest=entry.digest)
            return entry

    def entries(self, sought: Sought, before: int | None = None, most: int | None = None) -> Iterator[Entry]:
        newest_first = reversed(list(self.kept))
        below = (entry for entry in newest_first if before is None or entry.number < before)
        return islice((entry for entry in below if sought.fits(entry)), most)

    def count(self, sought: Sought) -> int:
        return sum(sought.fits(entry) for entry in self.kept)

    def people(self) -> Sequence[str]:
        return sorted({entry.deed.who for entry in self.kept if entry.deed.who})

    def end(self) -> End:
        return self._end

    def chain(self) -> Chain:
        return verified(self.kept, self.end)
