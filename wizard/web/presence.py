"""Who is at work on a registration: the one who came first, until nothing is heard of them, or another takes over.

Everybody else reads along. What a page shows follows from the `Seat` of whoever asks; what is sent is refused by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from flask import session

from wizard.domain.turn import HEARD_BY_LOADS, HEARD_BY_POLLS, Place, Turn
from wizard.errors import Stale
from wizard.ports import Turns
from wizard.text import say
from wizard.web.htmx import wants_fragment
from wizard.web.who import person


@dataclass(frozen=True, kw_only=True)
class Seat:
    """How whoever asks stands to the work on a registration."""

    may_change: bool = True
    turn: Turn | None = None
    """Whose turn it is; None where nobody has to have one."""
    place: Place | None = None
    """Where they are themselves."""

    @property
    def is_theirs(self) -> bool:
        return self.may_change and (self.turn is None or self.turn.place == self.place)

    @property
    def was_theirs(self) -> bool:
        """Whether it was their turn before the one that it is now: what they have typed in should stay to be seen."""
        return self.turn is not None and self.turn.before == self.place

    @property
    def is_the_same_person(self) -> bool:
        return self.turn is not None and self.place is not None and self.turn.place.person == self.place.person

    @property
    def word(self) -> str:
        """Changes whenever it becomes another one's turn."""
        return str(self.turn.number) if self.turn else ""


SECONDS_TO_READ = 2
"""How often the page of somebody who reads along asks whether anything has changed."""
SECONDS_TO_REST = 10
"""How often a page asks on which nothing changes by itself, to be heard of, and to hear who takes over."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What an open page asks by itself, and how often."""

    seat: Seat
    revision: str
    seconds: int | None
    """How often for whoever is at work; None when nothing changes by itself."""
    follows: bool
    """Whether it goes to the next step together with whoever is at work."""

    @property
    def every(self) -> int | None:
        """Seconds; None when it asks nothing."""
        if not self.seat.is_theirs:
            return self.seconds or SECONDS_TO_READ
        return self.seconds or (SECONDS_TO_REST if self.seat.turn else None)

    @property
    def asks(self) -> Mapping[str, str]:
        """The parameters of what it asks. A page that is only to be heard of is not made anew by what else changes."""
        of_seat = {"seat": self.seat.word} if self.seat.turn else {}
        if self.seat.is_theirs:
            return of_seat | ({"since": self.revision} if self.seconds else {})
        return of_seat | ({"follow": "yes"} if self.follows else {}) | {"since": self.revision}


class Seats:
    """Asks and tells who is at work, for the person who makes the request."""

    def __init__(self, turns: Turns, clock: Callable[[], datetime]) -> None:
        self.turns, self.clock = turns, clock

    def come(self, registration_id: str) -> Seat:
        """A sign of life of theirs: it is their turn when it is nobody else's. Only looking is no work."""
        if not person().may_change:
            return Seat(may_change=False)
        here = place()
        return Seat(turn=self.turns.arrive(registration_id, here, self.clock(), life()), place=here)

    def take_over(self, registration_id: str) -> None:
        self.turns.take_over(registration_id, place(), self.clock(), life())

    def ensure_theirs(self, registration_id: str) -> None:
        """Stale when somebody else is at work there."""
        if not self.come(registration_id).is_theirs:
            raise Stale(
                say("Nothing was changed: somebody else is at work here by now."),
                todo=say("Take over, and send it again. What you entered is still there."),
            )


def place() -> Place:
    """Where the person is. Only those who signed in are told apart by their browsers; others come without cookies."""
    asking = person()
    if asking.surfaces is not None:
        return Place(person=asking.name)
    if "browser" not in session:
        session["browser"] = token_hex(8)
    return Place(person=asking.name, browser=session["browser"])


def life() -> timedelta:
    """How long this sign of life is good: a browser in which htmx has asked once has scripts, and will poll."""
    if person().surfaces is None and wants_fragment() and "scripted" not in session:
        session["scripted"] = True
    return HEARD_BY_POLLS if wants_fragment() or "scripted" in session else HEARD_BY_LOADS
