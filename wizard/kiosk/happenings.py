"""What happened to a licence, told from two looks at both sides: the words of the time line, each with its rule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wizard.domain.deployment import ServerState, ServerStatus
from wizard.text import Text, say

NOISE = timedelta(seconds=2)
"""Times that are asked for again waver by less."""
TRIES = 6
"""Codes that are looked at before the lock; the sixth wrong one is what locks (R6)."""
LONGEST = 120
"""Entries. The oldest ones go first."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Both sides at `at`."""

    at: datetime
    server: ServerStatus | None
    """None while it is stopped."""
    expires_at: datetime | None
    """Of the QR code that is open."""
    project: str
    """The state of the project (SPEC.md, section 3), as its own side has it."""
    heard_at: datetime | None
    """When the project was last answered."""

    def unlived(self) -> "Look":
        """The same before anything has happened: as it was made."""
        fresh = self.server and replace(
            self.server,
            state=ServerState.UNAUTHENTICATED,
            challenge=None,
            tries_left=TRIES,
            locked_until=None,
            slots=(),
        )
        return replace(self, server=fresh, expires_at=None, project="UNREGISTERED", heard_at=None)

    @property
    def word(self) -> str:
        """The state of the authorization application."""
        return self.server.state.value if self.server else "STOPPED"

    def count(self, state: str) -> int:
        return sum(slot.state == state for slot in self.server.slots) if self.server else 0


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line. `tone` is how it is meant: plain, success, warning or danger."""

    at: datetime
    what: Text
    rule: str = ""
    tone: str = "plain"
    times: int = 1
    """How often it happened in a row; `at` is the last time, `since` the first."""
    since: datetime | None = None


@dataclass(frozen=True)
class Line:
    """What is said, by which rule, and in which tone."""

    rule: str
    what: Text
    tone: str = "plain"

    def at(self, moment: datetime) -> Happening:
        return Happening(at=moment, what=self.what, rule=self.rule, tone=self.tone)


S = ServerState
REGISTERED = Line("R8", say("The project has registered. The licence is at work."), "success")
SERVER: Mapping[tuple[str, str], Line] = {
    (S.UNAUTHENTICATED, S.VERIFIED): Line(
        "R6", say("The code was accepted: it is verified. Until a project registers, that is volatile."), "success"
    ),
    (S.REAUTHENTICATE, S.VERIFIED): Line("R6", say("The code was accepted: it is verified again."), "success"),
    (S.VERIFIED, S.UNAUTHENTICATED): Line(
        "R7",
        say("Nobody had registered: a restart, or 24 hours, took the verification back. A new code is needed."),
        "danger",
    ),
    (S.VERIFIED, S.ACTIVE): REGISTERED,
    (S.UNAUTHENTICATED, S.ACTIVE): REGISTERED,
    (S.REAUTHENTICATE, S.ACTIVE): REGISTERED,
    (S.ACTIVE, S.WINDOW): Line(
        "R10", say("It was down for no more than 24 hours: it waits two hours for its project to reconnect."), "warning"
    ),
    (S.ACTIVE, S.REAUTHENTICATE): Line(
        "R10",
        say("It was down for more than 24 hours: a new scan is needed, and every registration has failed."),
        "danger",
    ),
    (S.WINDOW, S.REAUTHENTICATE): Line(
        "R10",
        say("It was down for more than 24 hours: a new scan is needed, and every registration has failed."),
        "danger",
    ),
}
"""What a change of state of the authorization application means, from when it last answered to now."""

PROJECT: Mapping[tuple[str, str], Line] = {
    ("CONNECTED", "DISCONNECTED"): Line(
        "R9",
        say("The project got no answer. It asks again after 60 s, then ever more slowly, up to each 5 minutes."),
        "warning",
    ),
    ("DISCONNECTED", "CONNECTED"): Line("R9", say("The project is answered again."), "success"),
    ("CONNECTED", "LAPSED"): Line(
        "R11", say("The project got no answer for more than 24 hours: it is blocked."), "danger"
    ),
    ("DISCONNECTED", "LAPSED"): Line(
        "R11", say("The project got no answer for more than 24 hours: it is blocked."), "danger"
    ),
    ("LAPSED", "CONNECTED"): Line(
        "R10", say("It was told that the shutdown was no longer than 24 hours: it goes on."), "success"
    ),
    ("LAPSED", "FAILED"): Line(
        "R11", say("The registration of the project has failed. It must register again."), "danger"
    ),
    ("CONNECTED", "FAILED"): Line(
        "R11", say("The project was told that its registration is gone. It must register again."), "danger"
    ),
    ("DISCONNECTED", "FAILED"): Line(
        "R11", say("The project was told that its registration is gone. It must register again."), "danger"
    ),
    ("FAILED", "CONNECTED"): Line("R8", say("The project has registered again."), "success"),
}
"""What a change of state of the project means."""

BEAT = Line("R9", say("A request was answered: one each two hours."))
QR_SHOWN = Line("R6", say("A QR code is shown. It is valid for five minutes."))
QR_EXPIRED = Line(
    "R6", say("The QR code has expired: its five minutes are over. It must be refreshed by hand."), "warning"
)
LOCKED = Line("R6", say("Six wrong codes: the entry is locked for 15 minutes, and no QR code is shown."), "danger")
OPEN_AGAIN = Line("R6", say("The lock is over. There are six tries again."), "success")
TOO_LATE = Line(
    "R10", say("The project did not reconnect within two hours of the restart: its registration has failed."), "danger"
)
RECONNECTED = Line("R10", say("The project has reconnected within two hours of the restart. All goes on."), "success")
SILENT = Line(
    "R11",
    say("No request came for more than 24 hours: this registration has failed. The authentication stays."),
    "danger",
)


def happened(before: Look, up: Look, after: Look) -> Iterator[Happening]:
    """What happened from one look to the next. `up` is the last one at which the authorization application answered."""
    if after.server is not None:
        yield from _at_the_entry(up, after)
        if (up.word, after.word) in SERVER:
            yield SERVER[up.word, after.word].at(after.at)
        yield from _with_slots(up, after)
    if (before.project, after.project) in PROJECT:
        yield PROJECT[before.project, after.project].at(after.at)
    yield from _beats(before, after)


def _at_the_entry(before: Look, after: Look) -> Iterator[Happening]:
    """What became of the QR code, and of codes that were entered (R6)."""
    now, then = after.server, before.server
    if now is None or then is None:
        return
    if now.challenge and now.challenge != then.challenge:
        yield QR_SHOWN.at(after.at)
    if now.locked_until and not then.locked_until:
        yield LOCKED.at(after.at)
    elif then.locked_until and not now.locked_until:
        yield OPEN_AGAIN.at(after.at)
    elif now.tries_left < then.tries_left:
        what = say("A wrong code. Tries left: %(left)s.", left=now.tries_left)
        yield Line("R6", what, "warning").at(after.at)
    expired = before.expires_at is not None and after.at >= before.expires_at
    if then.challenge and not now.challenge and expired and not now.locked_until:
        yield QR_EXPIRED.at(after.at)


def _with_slots(before: Look, after: Look) -> Iterator[Happening]:
    """What became of the places of the project."""
    failed = after.count("FAILED") - before.count("FAILED")
    if before.count("AWAITING") and not after.count("AWAITING") and after.word != S.REAUTHENTICATE:
        if failed > 0:
            yield TOO_LATE.at(after.at)
        elif after.count("LIVE"):
            yield RECONNECTED.at(after.at)
    elif failed > 0 and after.word == S.ACTIVE:
        yield SILENT.at(after.at)


def _beats(before: Look, after: Look) -> Iterator[Happening]:
    now, then = after.heard_at, before.heard_at
    if now is not None and (then is None or now - then > NOISE):
        yield BEAT.at(now)


def told(history: Sequence[Happening], news: Sequence[Happening]) -> tuple[Happening, ...]:
    """The history with the news. What happens again and again, with nothing in between, is one line."""
    lines = list(history)
    for new in news:
        last = lines[-1] if lines else None
        if last is not None and (last.what, last.rule) == (new.what, new.rule):
            lines[-1] = replace(last, at=new.at, times=last.times + 1, since=last.since or last.at)
        else:
            lines.append(new)
    return tuple(lines[-LONGEST:])
