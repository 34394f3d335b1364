"""How long somebody stays signed in: as long as they do something, and never longer than a working day."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

WARNING = timedelta(minutes=2)
"""So long before a session ends the page says so, and offers to go on (WCAG 2.2, 2.2.1 asks for 20 s at least)."""


class Ending(StrEnum):
    """Why a session is none any more."""

    IDLE = "idle"
    """Nothing was clicked for too long."""
    OVER = "over"
    """It has lasted as long as one may."""
    ELSEWHERE = "elsewhere"
    """It was ended: by signing out everywhere, by a new password, or by an admin who removed the account."""


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    idle: timedelta = timedelta(minutes=30)
    """From one click to the next."""
    absolute: timedelta = timedelta(hours=12)
    """From signing in, whatever is done."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One browser in which somebody has signed in."""

    id: str
    account: str
    epoch: int
    """The account's, when it was begun."""
    begun_at: datetime
    used_at: datetime
    """Of the last click."""

    def used(self, now: datetime) -> "Session":
        return replace(self, used_at=now)

    def idle_at(self, limits: SessionLimits) -> datetime:
        """The last moment of it without another click."""
        return self.used_at + limits.idle

    def over_at(self, limits: SessionLimits) -> datetime:
        """The last moment of it in any case."""
        return self.begun_at + limits.absolute

    def ending(self, now: datetime, limits: SessionLimits, *, at_work: bool = False) -> Ending | None:
        """Why it has ended; None while it goes on. `at_work`: the browser works by itself, and no click is expected."""
        if now > self.over_at(limits):
            return Ending.OVER
        if now > self.idle_at(limits) and not at_work:
            return Ending.IDLE
        return None
