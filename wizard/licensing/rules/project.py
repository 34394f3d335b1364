"""The FanRuan application's machine, one a node. `PROJECT` is the table of SPEC.md, section 3; `follow` applies it.

Where that table leaves a case open, it is decided here: a node that did not run for more than 24 h, and so asked
nothing, has had no answer either, and lapses as a disconnected one does.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from wizard.licensing.rules.limits import BEAT, DAY, HEAL, RETRY_FIRST, RETRY_LONGEST, Millis
from wizard.licensing.rules.machine import Outcome, Transition, fire, pick, unchanged


class ProjectState(StrEnum):
    UNREGISTERED = "UNREGISTERED"
    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    """Still valid, but warns."""
    LAPSED = "LAPSED"
    """Blocked, can heal."""
    FAILED = "FAILED"
    RELEASED = "RELEASED"


class Loss(StrEnum):
    """Why a registration failed, as the project sees it."""

    NO_FEEDBACK = "no feedback"
    UNKNOWN = "unknown to the authorization application"
    REAUTHENTICATE = "the authorization application must be authenticated again"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How one node of a project stands. `feedback` is when the last good answer came."""

    state: ProjectState = ProjectState.UNREGISTERED
    feedback: Millis | None = None
    reason: Loss | None = None
    failures: int = 0
    """Requests without a good answer since then."""
    tried: Millis | None = None
    """When the last request ended, answered or not; None before the first one."""

    def age(self, now: Millis) -> Millis:
        """How long ago the last good answer came."""
        return now - (self.feedback or 0)

    @property
    def next_beat(self) -> Millis | None:
        """When the next request is due (R9): the first at once. None when there is nothing to ask for."""
        if self.state not in BEATING:
            return None
        if self.tried is None:
            return self.feedback
        return self.tried + (retry_delay(self.failures) if self.failures else BEAT)


@dataclass(frozen=True)
class Accepted:
    """The register message was accepted, and the certificate is kept."""


@dataclass(frozen=True)
class Feedback:
    """A good, signed answer to a beat. `down` when it is RECONNECTED: how long the other side says that it was down."""

    down: Millis | None = None


@dataclass(frozen=True)
class NoAnswer:
    """None, or one that cannot be trusted."""


@dataclass(frozen=True)
class Refused:
    """A signed UNKNOWN or REAUTHENTICATE."""

    reason: Loss


@dataclass(frozen=True)
class Time:
    """Time has passed."""


@dataclass(frozen=True)
class Reregister:
    """The admin gives the registration up (R12). `answered`: the authorization application has freed its slots."""

    answered: bool


ProjectEvent = Accepted | Feedback | NoAnswer | Refused | Time | Reregister


class Reply(StrEnum):
    """What the admin of the project is told."""

    DONE = "DONE"
    IGNORED = "IGNORED"
    SLOT_FREES_ITSELF = "SLOT_FREES_ITSELF"
    """After 24 h (R11)."""


VALID = frozenset({ProjectState.CONNECTED, ProjectState.DISCONNECTED})
BEATING = VALID | {ProjectState.LAPSED}
EVERY = frozenset(ProjectState)


def retry_delay(failures: int) -> Millis:
    """How long to wait after that many failed requests in a row, from 1: 60 s, doubled up to 300 s (R9)."""
    doublings = min(failures - 1, RETRY_LONGEST.bit_length())
    return min(RETRY_FIRST << doublings, RETRY_LONGEST)


def follow(registration: Registration, event: ProjectEvent, now: Millis) -> Outcome[Registration, Reply]:
    """What the event leads to at `now`. What is due by then happens first."""
    return fire(PROJECT, lapse(registration, now), event, now)


def lapse(registration: Registration, now: Millis) -> Registration:
    """The registration after all that is due by `now`."""
    time = Time()
    while due := pick(DUE, registration, time, now):
        registration = due.effect(registration, time, now)
    return registration


def _is_a_day_old(registration: Registration, event: Time, now: Millis) -> bool:
    return registration.age(now) > DAY


def _lapse(registration: Registration, event: Time, now: Millis) -> Registration:
    return replace(registration, state=ProjectState.LAPSED)


def _is_beyond_healing(registration: Registration, event: Time, now: Millis) -> bool:
    return registration.age(now) > HEAL


def _lose(registration: Registration, event: object, now: Millis) -> Registration:
    return replace(registration, state=ProjectState.FAILED, reason=Loss.NO_FEEDBACK)


def _begin(registration: Registration, event: Accepted, now: Millis) -> Registration:
    return Registration(state=ProjectState.CONNECTED, feedback=now)


def _connect(registration: Registration, event: Feedback, now: Millis) -> Registration:
    return Registration(state=ProjectState.CONNECTED, feedback=now, tried=now)


def _miss(registration: Registration, event: NoAnswer, now: Millis) -> Registration:
    return replace(registration, failures=registration.failures + 1, tried=now)


def _disconnect(registration: Registration, event: NoAnswer, now: Millis) -> Registration:
    return replace(_miss(registration, event, now), state=ProjectState.DISCONNECTED)


def _heals(registration: Registration, event: Feedback, now: Millis) -> bool:
    """`lapse` has already failed what is beyond 26 h."""
    return event.down is not None and event.down <= DAY


def _refuse(registration: Registration, event: Refused, now: Millis) -> Registration:
    return replace(registration, state=ProjectState.FAILED, reason=event.reason)


def _is_answered(registration: Registration, event: Reregister, now: Millis) -> bool:
    return event.answered


def _release(registration: Registration, event: Reregister, now: Millis) -> Registration:
    return Registration(state=ProjectState.RELEASED)


def _forget(registration: Registration, event: Reregister, now: Millis) -> Registration:
    return Registration()


Row = Transition[Registration, Reply]
_LAPSED = frozenset({ProjectState.LAPSED})

DUE = (
    Row("R11", VALID, Time, _lapse, Reply.DONE, _is_a_day_old),
    Row("R10", _LAPSED, Time, _lose, Reply.DONE, _is_beyond_healing),
)
"""What happens by itself."""

PROJECT = (
    Row("R8", EVERY - BEATING, Accepted, _begin, Reply.DONE),
    Row("R9", VALID, Feedback, _connect, Reply.DONE),
    Row("R10", _LAPSED, Feedback, _connect, Reply.DONE, _heals),
    Row("R11", _LAPSED, Feedback, _lose, Reply.DONE),
    Row("R9", VALID, NoAnswer, _disconnect, Reply.DONE),
    Row("R9", _LAPSED, NoAnswer, _miss, Reply.DONE),
    Row("R11", BEATING, Refused, _refuse, Reply.DONE),
    Row("R12", EVERY, Reregister, _release, Reply.DONE, _is_answered),
    Row("R12", EVERY, Reregister, _forget, Reply.SLOT_FREES_ITSELF),
    Row("R11", EVERY, Time, unchanged, Reply.DONE),
    Row("R12", EVERY, Accepted | Feedback | NoAnswer | Refused, unchanged, Reply.IGNORED),
)
"""The rows in order: the first that fits is taken. The last is for what comes when the registration is gone."""
