"""Token buckets: how often somebody may ask for a QR, or enter a code (R6, "rate ok"). Kept in memory only.

They protect the disk, the counter and the log from a flood. The secret is protected by the count of wrong inputs, which
is durable and has no addresses in it: whoever has many of them, or waits for a restart, gets no more guesses.

There is a bucket for each address, and a wider one for all strangers together. A bucket that has not been used for the
longest time is dropped when there are too many: it would have been full again anyway, unless somebody asks from more
than `MOST` addresses at once. Such a one finds a full bucket at each address; what bounds it is the wider bucket. It
can keep other strangers from a new QR that way, as it could by asking for QRs of its own, each of which voids theirs.
The admin, who shows a token, has buckets that no stranger can empty.

An address is the one that the connection comes from. Behind an engine's own proxy that can be the same for everybody,
so what is enough for one person has to be enough for a handful of them.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

from wizard.licensing.rules.limits import SECOND, Millis
from wizard.licensing.server.askers import Visitor

MOST = 1000
"""Buckets that are remembered; 150 bytes each."""


class TooOften(Exception):
    """There is no token now; the next one comes in `wait` milliseconds."""

    def __init__(self, wait: Millis) -> None:
        super().__init__(f"The next one is possible in {wait} ms.")
        self.wait = wait


@dataclass(frozen=True)
class Rate:
    """So many at once, and one more after each `refill`."""

    burst: int
    refill: Millis


CHALLENGES = Rate(burst=30, refill=2 * SECOND)
"""A person refreshes every few minutes, a clumsy one a few times in a row."""
ALL_CHALLENGES = Rate(burst=120, refill=3 * SECOND)
"""With what the admin can get besides, less than one a second, however long both ask. The rules rely on it: after
damage the counter goes on at the seconds since 1970, so it must never be faster than they are. Both have 32 bits, until
2106. The bursts come on top, at each start; after damage the lock of 15 minutes makes up for those of six starts."""
CODES = Rate(burst=12, refill=10 * SECOND)
"""The sixth wrong code locks for 15 minutes, so nobody has more than six to enter in that time. Twelve leave room for
as many that came too late, or were for an earlier QR; and six digits are hardly read and typed in ten seconds."""
ALL_CODES = Rate(burst=120, refill=1 * SECOND)
"""Twenty people at once. Of what comes beyond six, nothing is evaluated."""


class Buckets:
    """A bucket of the same rate for each key. Safe between threads."""

    def __init__(self, rate: Rate, most: int = MOST) -> None:
        self._refill = rate.refill
        self._capacity = rate.burst * rate.refill
        self._most = most
        self._full_at: dict[Hashable, Millis] = {}
        """When each will be full again; the least recently used first. A key that is not here has a full bucket."""
        self._lock = Lock()

    def take(self, key: Hashable, now: Millis) -> None:
        """Take one token; TooOften when there is none."""
        with self._lock:
            full_at = self._full_at.pop(key, now)
            full_at = min(max(full_at, now), now + self._capacity)  # a clock that goes back neither gives nor takes
            wait = full_at + self._refill - (now + self._capacity)
            self._full_at[key] = full_at if wait > 0 else full_at + self._refill
            if len(self._full_at) > self._most:
                del self._full_at[next(iter(self._full_at))]
        if wait > 0:
            raise TooOften(wait)

    def __len__(self) -> int:
        return len(self._full_at)


class Gate:
    """What a visitor passes: the bucket of its address, then the one of all who ask as it does."""

    def __init__(self, each: Rate, together: Rate) -> None:
        self._each = Buckets(each)
        self._together = Buckets(together)

    def take(self, visitor: Visitor, now: Millis) -> None:
        """TooOften when one of them is empty."""
        self._each.take(visitor, now)
        self._together.take(visitor.asker, now)
