"""Which scans are answered: the activation page's rules (SPEC.md, section 4). Pure: `now` is an argument.

The vendor sees an instance only when somebody scans. What it can notice: another instance under the same licence; the
same counter twice, which only a copy or a restored snapshot can produce; and a lower counter made later than a higher
one, which only a restored snapshot can. A lower counter made earlier is an older QR code, and nothing to worry about.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from wizard.licensing.protocol.claims import Claims

CHALLENGES_A_DAY = 20
DAY = timedelta(hours=24)
VALIDITY = timedelta(minutes=5)
"""How long a QR code is valid (R6)."""


class LicenceState(StrEnum):
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    """Another licence has taken over from it."""
    DESTROYED = "destroyed"
    """The vendor has ended it (R13). Final."""


class Refusal(StrEnum):
    """Why there is no code. The first three are about the QR itself, the others about the licence it names."""

    MALFORMED = "malformed"
    FORGED = "forged"
    UNKNOWN = "unknown"
    INACTIVE = "inactive"
    DESTROYED = "destroyed"
    OTHER_INSTANCE = "other-instance"
    OTHER_LICENCE = "other-licence"
    OUTDATED = "outdated"
    CLONED = "cloned"
    ROLLED_BACK = "rolled-back"
    TOO_MANY = "too-many"


ALARMING = frozenset({Refusal.CLONED, Refusal.ROLLED_BACK})
"""What the vendor's people should look at: these refusals are kept as alarms."""


class Refused(Exception):
    """The scan gets no code."""

    def __init__(self, refusal: Refusal, *, retry_at: datetime | None = None) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.retry_at = retry_at
        """When it can be tried again, where waiting helps."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A QR with a right tag, as somebody opened it. `digest` is the SHA-256 (hex) of its bytes."""

    digest: str
    instance: bytes
    counter: int
    minute: int
    """When it was made: whole minutes since 1970 by the instance's clock."""
    held: str | None
    """The active licence that this instance is bound to already."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was decided about one QR."""

    digest: str
    instance: bytes
    counter: int
    issued: bool
    """Whether the code was shown; else it was declined."""
    at: datetime
    minute: int | None
    """The QR's. None of answers that were given before it was noted."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A scan that shows a copy or a rollback. `kind` is one of ALARMING."""

    digest: str
    instance: bytes
    counter: int
    kind: Refusal
    at: datetime
    seen: datetime | None = None
    """When one of the vendor's people acknowledged it."""


@dataclass(frozen=True, kw_only=True)
class Licence:
    """A licence that was issued, and what became of it. `answers` are in the order in which they were given."""

    claims: Claims
    state: LicenceState = LicenceState.ACTIVE
    instance: bytes | None = None
    """The instance that it is bound to, since the first code."""
    answers: tuple[Answer, ...] = ()
    destroyed: datetime | None = None
    """When it was ended for good."""
    unlocked: datetime | None = None
    """The challenges up to then no longer count towards the day's limit."""

    def answer_to(self, scan: Scan) -> Answer | None:
        """What was decided about this very QR before."""
        return next((answer for answer in self.answers if answer.digest == scan.digest), None)

    def check(self, scan: Scan, now: datetime) -> None:
        """Whether the scan is answered, or can be decided about now. Refused otherwise."""
        if self.state is not LicenceState.ACTIVE:
            raise Refused(_ENDED[self.state])
        if self.answer_to(scan) is not None:
            return
        self._check_instance(scan)
        self._check_counter(scan)
        self._check_rate(now)

    def answered(self, scan: Scan, *, issued: bool, now: datetime) -> "Licence":
        """The same after a decision. The first code binds the licence to the instance; what was answered stays."""
        self.check(scan, now)
        if self.answer_to(scan) is not None:
            return self
        answer = Answer(
            digest=scan.digest,
            instance=scan.instance,
            counter=scan.counter,
            minute=scan.minute,
            issued=issued,
            at=now,
        )
        instance = scan.instance if issued else self.instance
        return replace(self, instance=instance, answers=(*self.answers, answer))

    def superseded(self) -> "Licence":
        """The same after another licence took over; a destroyed one stays destroyed."""
        return self if self.state is LicenceState.DESTROYED else replace(self, state=LicenceState.SUPERSEDED)

    def destroy(self, now: datetime) -> "Licence":
        """The same, ended for good. Once is enough: the first time stands."""
        return replace(self, state=LicenceState.DESTROYED, destroyed=self.destroyed or now)

    def unlock(self, now: datetime) -> "Licence":
        """The same with the day's limit counted anew from now. What it is bound to stays (R13)."""
        return replace(self, unlocked=now)

    def counted(self, now: datetime) -> list[datetime]:
        """When the challenges were answered that count towards the limit of the day, the oldest first."""
        since = max(filter(None, [now - DAY, self.unlocked]))
        return [answer.at for answer in self.answers if answer.at > since]

    def _check_instance(self, scan: Scan) -> None:
        if self.instance not in (None, scan.instance):
            raise Refused(Refusal.OTHER_INSTANCE)
        if scan.held not in (None, self.claims.licence, self.claims.supersedes):
            raise Refused(Refusal.OTHER_LICENCE)

    def _check_counter(self, scan: Scan) -> None:
        """Counters are the instance's: one that was installed anew before its first code counts from the beginning."""
        answers = [answer for answer in self.answers if answer.instance == scan.instance]
        if scan.counter in {answer.counter for answer in answers}:
            raise Refused(Refusal.CLONED)
        newer = [answer for answer in answers if answer.counter > scan.counter]
        if any(answer.minute is not None and answer.minute < scan.minute for answer in newer):
            raise Refused(Refusal.ROLLED_BACK)
        if newer:
            raise Refused(Refusal.OUTDATED)

    def _check_rate(self, now: datetime) -> None:
        today = self.counted(now)
        if len(today) >= CHALLENGES_A_DAY:
            raise Refused(Refusal.TOO_MANY, retry_at=today[-CHALLENGES_A_DAY] + DAY)


_ENDED = {LicenceState.SUPERSEDED: Refusal.INACTIVE, LicenceState.DESTROYED: Refusal.DESTROYED}


def valid_until(minute: int) -> datetime:
    """Until when a QR made in that minute is valid, to the minute, by the instance's clock; never later than it is."""
    return datetime.fromtimestamp(minute * 60, UTC) + VALIDITY
