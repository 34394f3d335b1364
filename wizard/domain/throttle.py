"""How fast passwords can be guessed: after some wrong ones each costs more time, and what is too soon is not looked at.

Wrong ones are counted for an address together with a name, for a name from everywhere, and for an address with any
name. A browser that has signed in before has a count of its own, so that strangers cannot keep its owner out (OWASP,
device cookies).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FORGOTTEN_AFTER = timedelta(hours=24)
"""When this long nothing was wrong, nothing is held against anybody."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """How many wrong ones are tolerated, and the wait after the next one, which doubles with each that follows."""

    tolerated: int
    first: timedelta
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long nothing is looked at after so many wrong ones."""
        beyond = failures - self.tolerated
        if beyond <= 0:
            return timedelta(0)
        return self.longest if beyond > 32 else min(self.longest, self.first * 2 ** (beyond - 1))


PLACE = Bound(tolerated=5, first=timedelta(seconds=30), longest=timedelta(minutes=15))
"""One name, tried from one address; or in one browser that has signed in by it."""
NAME = Bound(tolerated=20, first=timedelta(seconds=30), longest=timedelta(minutes=15))
"""One name, from everywhere: at most 20 + 4 an hour."""
ADDRESS = Bound(tolerated=100, first=timedelta(seconds=1), longest=timedelta(seconds=10))
"""One address, any name. A whole company can be behind a proxy: it slows a flood, and locks nobody out for long."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What was wrong so far."""

    failures: int
    last_at: datetime

    def free_at(self, bound: Bound, now: datetime) -> datetime:
        """From this moment on the next one is looked at. A clock that was set back makes nobody wait for longer."""
        return min(self.last_at, now) + bound.wait(self.failures)

    def charged(self, now: datetime) -> "Tally":
        failures = 0 if now - self.last_at > FORGOTTEN_AFTER else self.failures
        return Tally(failures=failures + 1, last_at=now)
