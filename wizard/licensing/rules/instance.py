"""What an authorization application remembers, as frozen values: `Instance` and its parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from wizard.licensing.rules.limits import (
    BLOCKING_TOTAL,
    DAY,
    LOCK,
    PERSISTED,
    QR_VALID,
    REMEMBERED,
    TOLERATED,
    Millis,
)


class State(StrEnum):
    NEW = "NEW"
    """No instance yet."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    VERIFIED = "VERIFIED"
    """A code was accepted, nothing is registered yet. Volatile (R7)."""
    ACTIVE = "ACTIVE"
    WINDOW = "WINDOW"
    """Restarted, and waiting for projects to reconnect (R10)."""
    REAUTHENTICATE = "REAUTHENTICATE"
    """Was down for too long: as unauthenticated (R10)."""
    RETIRED = "RETIRED"
    """Final (R13)."""


class SlotState(StrEnum):
    LIVE = "LIVE"
    AWAITING = "AWAITING"
    FAILED = "FAILED"
    RELEASED = "RELEASED"


class Failure(StrEnum):
    """Why a slot failed."""

    NO_REQUEST = "no request"
    DOWNTIME = "downtime"
    NOT_RECONNECTED = "not reconnected"
    DAMAGE = "damaged storage"


class Asker(StrEnum):
    """Who asks for challenges and enters codes. Each has an Entry, so that a stranger cannot lock out the admin."""

    ANONYMOUS = "anonymous"
    ADMIN = "admin"
    """Has shown that it can read the config volume."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Wrong inputs since the last lock or success, since the last success, and until when nothing is evaluated (R6)."""

    wrong: int = 0
    total: int = 0
    until: Millis | None = None

    def holds(self, now: Millis) -> bool:
        return self.until is not None and now < self.until

    @property
    def blocks(self) -> bool:
        """Whether it is the long one."""
        return self.total >= BLOCKING_TOTAL

    def charged(self, now: Millis) -> "Lock":
        """One more input, counted as a wrong one until it turns out to be right."""
        wrong, total = self.wrong + 1, self.total + 1
        if total >= BLOCKING_TOTAL:
            return Lock(wrong=wrong, total=total, until=now + DAY)
        return Lock(wrong=wrong, total=total, until=now + LOCK if wrong > TOLERATED else None)

    def doubted(self, now: Millis) -> "Lock":
        """When nobody knows whether there were more: locked once, and what is known holds on."""
        return replace(self, until=max(self.until or 0, now + LOCK))

    def is_over(self, now: Millis) -> bool:
        return self.until is not None and now >= self.until

    def opened(self) -> "Lock":
        """After its time is over."""
        return Lock(total=0 if self.blocks else self.total)


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """A QR that waits for its code."""

    id: str
    created: Millis

    def remaining(self, now: Millis) -> Millis:
        """Negative when the code comes too late; at 0 it is still in time (R6)."""
        return self.created + QR_VALID - now


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The entry of codes, as one asker sees it (R6)."""

    lock: Lock = Lock()
    challenge: Challenge | None = None
    consumed: str | None = None
    """Id of the last challenge whose code was accepted."""

    def awaits(self, challenge: str) -> bool:
        """Whether that is the challenge which is open."""
        return self.challenge is not None and self.challenge.id == challenge


SlotKey = tuple[str, str]
"""The project's public key in hex, and the name of its node."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A registered node of a project. `last` is when its last request came after it was registered."""

    project: str
    """The project's public key, in hex."""
    name: str
    """The project's name, for people."""
    node: str
    state: SlotState
    registered: Millis
    last: Millis | None = None
    reason: Failure | None = None
    healing: bool = False
    """It has reconnected, and the project has not shown yet that it knows."""

    @property
    def key(self) -> SlotKey:
        return self.project, self.node

    @property
    def is_held(self) -> bool:
        """Whether it counts against the maximum number of registrations (R8)."""
        return self.state in (SlotState.LIVE, SlotState.AWAITING)

    @property
    def heard(self) -> Millis:
        return self.registered if self.last is None else self.last

    def is_silent(self, now: Millis) -> bool:
        """Whether no request came for too long (R11). This is up time: a LIVE slot was heard of since the last boot."""
        return self.state is SlotState.LIVE and now - self.heard > DAY

    def failed(self, reason: Failure) -> "Slot":
        return replace(self, state=SlotState.FAILED, reason=reason, healing=False)

    def released(self) -> "Slot":
        """Given up by its project."""
        return replace(self, state=SlotState.RELEASED, healing=False)

    def awaiting(self) -> "Slot":
        """After a restart, until its project has reconnected (R10)."""
        return replace(self, state=SlotState.AWAITING, healing=False)

    def heard_at(self, now: Millis, *, healing: bool) -> "Slot":
        """A request came."""
        return replace(self, state=SlotState.LIVE, last=now, healing=healing)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """All that an authorization application remembers of itself."""

    state: State = State.NEW
    maximum: int = 1
    """Maximum number of registrations (R1)."""
    counter: int = 0
    """Of the last challenge; never reused."""
    entries: Mapping[Asker, Entry] = field(default_factory=lambda: dict.fromkeys(Asker, Entry()))
    verified: Millis | None = None
    window_end: Millis | None = None
    slots: Mapping[SlotKey, Slot] = field(default_factory=dict)
    alive: Millis = 0
    """When it was last known to be alive."""
    clean: bool = False
    """Whether that was a clean stop, so that `alive` is exact."""
    stopped: Millis | None = None
    started: Millis | None = None
    """The last shutdown, as it is attested to projects that reconnect (R10)."""

    def down(self, now: Millis) -> Millis:
        """For how long it was down, at boot: the lower bound, when only the last minute written is known."""
        return max(0, now - self.alive - (0 if self.clean else PERSISTED))

    def entry(self, asker: Asker) -> Entry:
        return self.entries[asker]

    def with_entry(self, asker: Asker, entry: Entry) -> "Instance":
        """One asker's entry changed, the other one's as it is."""
        return replace(self, entries={**self.entries, asker: entry})

    def with_entries(self, change: Callable[[Entry], Entry]) -> "Instance":
        return replace(self, entries={asker: change(entry) for asker, entry in self.entries.items()})

    def slots_since(self, earlier: "Instance") -> list[Slot]:
        """Those that are new or have changed."""
        known = earlier.slots.get
        return [slot for key, slot in self.slots.items() if known(key) is not slot]

    def with_slots(self, *changed: Slot) -> "Instance":
        """Those slots new or changed, and the state that follows: WINDOW for as long as a slot awaits its project."""
        slots = {**self.slots, **{slot.key: slot for slot in changed}}
        if self.state not in (State.ACTIVE, State.WINDOW):
            return replace(self, slots=slots)
        if self.window_end is not None and any(slot.state is SlotState.AWAITING for slot in slots.values()):
            return replace(self, slots=slots, state=State.WINDOW)
        return replace(self, slots=slots, state=State.ACTIVE, window_end=None)

    def without_oldest(self) -> "Instance":
        """Of the slots that are not held only the newest, by when they were heard of. Those that are held all stay."""
        over = sorted((slot.heard, slot.key) for slot in self.slots.values() if not slot.is_held)
        forgotten = {key for _, key in over[:-REMEMBERED]}
        return replace(self, slots={key: slot for key, slot in self.slots.items() if key not in forgotten})
