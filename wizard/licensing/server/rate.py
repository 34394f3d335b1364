"""A token bucket: how often new challenges may be asked for (R6, "rate ok")."""

from threading import Lock

from wizard.licensing.rules.limits import SECOND, Millis

BURST = 30
REFILL: Millis = 2 * SECOND
"""One more after this long. A person refreshes every few minutes, a clumsy one a few times in a row."""


class Bucket:
    """Holds up to `burst` tokens, and gains one every `refill` milliseconds. Safe between threads."""

    def __init__(self, burst: int = BURST, refill: Millis = REFILL) -> None:
        self._capacity = burst * refill
        self._refill = refill
        self._level = self._capacity
        self._at: Millis | None = None
        self._lock = Lock()

    def take(self, now: Millis) -> bool:
        """Take one token; False when there is none."""
        with self._lock:
            passed = max(0, now - self._at) if self._at is not None else 0
            self._level = min(self._capacity, self._level + passed)
            self._at = now
            if self._level < self._refill:
                return False
            self._level -= self._refill
            return True
