"""The audit trail: who did what, when, from where and with what outcome, each entry chained to the one before.

An entry's digest is SHA-256 over the digest before it and the canonical JSON of the entry, so a row that was changed,
removed, put in or moved no longer fits to the next. docs/operation.md says what such a chain cannot show.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from wizard.domain.person import Person
from wizard.domain.registration import Registration
from wizard.text import Text

BEGINNING = "0" * 64
"""What stands for the digest before the first entry."""
LONGEST_WORD = 200
"""Characters of a name or a detail; the rest is cut off."""


class Way(StrEnum):
    """How somebody came to act."""

    ACCOUNT = "account"
    OBSERVER_LINK = "observer link"
    FINEOPS = "FineOps"
    KIOSK = "kiosk"
    STRANGER = "not signed in"
    TERMINAL = "terminal"
    WORKER = "worker"
    """On behalf of whoever asked for the work."""


NARROWER: tuple[tuple[Way, Callable[[Person], bool]], ...] = (
    (Way.KIOSK, lambda person: "kiosk" in (person.surfaces or ())),
    (Way.OBSERVER_LINK, lambda person: person.registration is not None),
    (Way.FINEOPS, lambda person: person.project is not None),
)
"""The ways whose people see less than an account shows, by what they are limited to."""


def way_of(person: Person | None) -> Way:
    if person is None:
        return Way.STRANGER
    return next((way for way, fits in NARROWER if fits(person)), Way.ACCOUNT)


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    """Nothing was changed, for the reason that was told."""
    FAILED = "failed"
    """It was tried, and something was in the way."""
    UNDONE = "undone"
    """It was taken back, as somebody had asked."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What somebody did, before it has its place in the trail."""

    at: datetime
    who: str
    """The name of the person; nothing for a stranger."""
    way: Way
    address: str = ""
    """The IP address that it came from; nothing for what was not asked over the network."""
    act: str
    """A slug of audit_acts.ACTS."""
    outcome: Outcome
    status: int = 0
    """Of HTTP; 0 for what was no request."""
    reason: Text | None = None
    """Why it was refused, or failed, as the person was told."""
    registration: str = ""
    """The id of the registration that it concerned."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What it was done to, by the names of audit_acts.DETAILS."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A deed at its place in the trail. Numbers begin with 1 and have no gaps."""

    number: int
    deed: Deed
    digest: str


@dataclass(frozen=True, kw_only=True)
class End:
    """The newest entry, by its number and digest: to be noted where the trail's own database does not reach."""

    number: int = 0
    digest: str = BEGINNING

    def followed_by(self, deed: Deed) -> Entry:
        number = self.number + 1
        return Entry(number=number, deed=deed, digest=digest_of(self.digest, number, deed))


@dataclass(frozen=True, kw_only=True)
class Chain:
    """What checking the trail from its beginning has found."""

    end: End
    """How far it holds."""
    broken: int | None = None
    """The first number that does not fit to what is before it; None when the chain is whole."""

    @property
    def is_whole(self) -> bool:
        return self.broken is None


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Which entries somebody wants to see; what is empty does not matter. `since` is included, `until` is not."""

    who: str = ""
    act: str = ""
    outcome: str = ""
    registration: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, entry: Entry) -> bool:
        deed = entry.deed
        return (
            self.who in ("", deed.who)
            and self.act in ("", deed.act)
            and self.outcome in ("", deed.outcome)
            and self.registration in ("", deed.registration)
            and (self.since is None or deed.at >= self.since)
            and (self.until is None or deed.at < self.until)
        )


def word(value: object) -> str:
    """Fit to be kept: printable, and not long."""
    text = str(value)[:LONGEST_WORD]
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


SHORT_DIGEST = 12
"""Digits of an image's digest that are told."""


def subject_of(registration: Registration) -> dict[str, str]:
    """What has been chosen in it so far, by the names of audit_acts.DETAILS."""
    image = registration.image
    chosen = {
        "project": registration.project.slug if registration.project else "",
        "node": registration.node.slug if registration.node else "",
        "port": str(registration.port or ""),
        "image": image.digest[:SHORT_DIGEST] if image else "",
        "policy": image.policy if image else "",
    }
    return {name: word(value) for name, value in chosen.items() if value}


def canonical(number: int, deed: Deed) -> bytes:
    """The one way in which an entry is written as JSON (RFC 8259): sorted keys, no blanks, ASCII, times in UTC."""
    value = {
        "number": number,
        "at": deed.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "who": deed.who,
        "way": deed.way,
        "address": deed.address,
        "act": deed.act,
        "outcome": deed.outcome,
        "status": deed.status,
        "reason": plain(deed.reason) if deed.reason else None,
        "registration": deed.registration,
        "details": dict(deed.details),
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def plain(text: Text) -> dict[str, object]:
    params = {name: plain(param) if isinstance(param, Text) else param for name, param in text.params.items()}
    return {"msgid": text.msgid, "params": params}


def digest_of(before: str, number: int, deed: Deed) -> str:
    """64 hex digits."""
    return sha256(before.encode() + canonical(number, deed)).hexdigest()


def verified(entries: Iterable[Entry], end: Callable[[], End]) -> Chain:
    """Follow all entries from the first. `end` is read before and after them, as others may add to it meanwhile."""
    before, reached = end(), End()
    passed = before == reached
    for entry in entries:
        if entry != reached.followed_by(entry.deed):
            return Chain(end=reached, broken=reached.number + 1)
        reached = End(number=entry.number, digest=entry.digest)
        passed = passed or reached == before
    if not passed:  # the newest were removed, or it is another one that has the number of the end
        return Chain(end=reached, broken=min(reached.number + 1, before.number))
    after = end()
    if reached.number > after.number:  # put in behind the end
        return Chain(end=reached, broken=after.number + 1)
    return Chain(end=reached)
