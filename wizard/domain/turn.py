"""Who is at work on a registration: one at a time, as long as they are heard of."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

HEARD_BY_POLLS = timedelta(seconds=30)
"""So long after its last sign of life a page that asks by itself is believed to be open."""
HEARD_BY_LOADS = timedelta(minutes=15)
"""The same for a browser without scripts, which is heard of only when a page is loaded."""
RENEWED_AFTER = timedelta(seconds=10)
"""A sign of life is written down no more often than this."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where somebody works. The same person in two browsers is at two places."""

    person: str
    browser: str = ""
    """Names the browser; nothing where the person's name stands for it."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Who is at work. `number` rises whenever it becomes another place's turn."""

    number: int
    place: Place
    since: datetime
    seen_at: datetime
    """Of its last sign of life that was written down."""
    until: datetime
    """Without another sign of life it ends then."""
    before: Place | None = None
    """Whose turn it was before."""
    taken_over: bool = False
    """Whether it was taken from the one before, who was still at work."""

    def is_free(self, now: datetime) -> bool:
        return now > self.until

    def needs_renewal(self, now: datetime, life: timedelta) -> bool:
        """Whether a sign of life at `now`, which is good for `life`, is worth writing down."""
        return now - self.seen_at >= RENEWED_AFTER or self.until > now + life

    def renewed(self, now: datetime, life: timedelta) -> "Turn":
        return replace(self, seen_at=now, until=now + life)

    def passed_to(self, place: Place, now: datetime, life: timedelta) -> "Turn":
        """It is the other place's turn from now on."""
        return Turn(
            number=self.number + 1,
            place=place,
            since=now,
            seen_at=now,
            until=now + life,
            before=self.place,
            taken_over=not self.is_free(now),
        )


def arrived(turn: Turn | None, place: Place, now: datetime, life: timedelta) -> Turn:
    """What becomes of the turn when somebody comes to work: it stays another's as long as that one is heard of."""
    if turn is None:
        return Turn(number=1, place=place, since=now, seen_at=now, until=now + life)
    if turn.place == place:
        return turn.renewed(now, life) if turn.needs_renewal(now, life) else turn
    return turn.passed_to(place, now, life) if turn.is_free(now) else turn


def taken(turn: Turn | None, place: Place, now: datetime, life: timedelta) -> Turn:
    """What becomes of it when somebody takes over: it is theirs."""
    if turn is None or turn.place == place:
        return arrived(turn, place, now, life)
    return turn.passed_to(place, now, life)
