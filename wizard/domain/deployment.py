"""A deployed authorization application, and what it last said of itself."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

BEAT = timedelta(hours=2)
"""A project's requests come this often (R9)."""
DAY = timedelta(hours=24)
"""Down, or silent, for longer than this costs the registration (R10, R11)."""
RECONNECT = timedelta(hours=2)
"""After a restart a project must reconnect within this time (R10)."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where an authorization application answers, and the key it must prove to hold.

    `pin` is the SHA-256, in hex, of the public key of its certificate. It came over the engine's channel, never over
    the network that it protects. Without one nothing is ever asked there.
    """

    address: str
    port: int
    pin: str
    token: str = field(default="", repr=False)
    """Read beside the pin: shows that whoever asks is the admin, so that no stranger's guesses lock out the wizard."""

    @property
    def url(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"https://{host}:{self.port}"

    @property
    def page(self) -> str:
        """The page for people, with the QR code (R5)."""
        return f"{self.url}/license/qrcode"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A container that was started from the licence image, and answered. `name` is the container's, on that node."""

    name: str
    node: str
    endpoint: Endpoint
    deployed_at: datetime

    @property
    def is_guided(self) -> bool:
        """Whether it speaks no protocol that the wizard knows: it has shown no key, so it is never asked anything.

        The vendor's own image is one such. What the wizard else does, the admin does by hand, and confirms.
        """
        return not self.endpoint.pin


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """A QR code that waits for its six digits (R6). The time left is as the server said, on our clock."""

    id: str
    url: str
    created_at: datetime
    expires_at: datetime
    scanned: bool = False


def _steady(now: datetime | None, earlier: datetime | None) -> datetime | None:
    """A time that is asked for again wavers with the network's delay; within two seconds it is the same."""
    return earlier if now and earlier and abs(now - earlier) < timedelta(seconds=2) else now


class ServerState(StrEnum):
    """The states of an authorization application (SPEC.md, 3)."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    VERIFIED = "VERIFIED"
    ACTIVE = "ACTIVE"
    WINDOW = "WINDOW"
    REAUTHENTICATE = "REAUTHENTICATE"
    RETIRED = "RETIRED"

    @property
    def is_authenticated(self) -> bool:
        return self in (ServerState.VERIFIED, ServerState.ACTIVE, ServerState.WINDOW)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One registered node of a project. `last_request_at` is None until its first request after registering."""

    project: str
    node: str
    state: str
    registered_at: datetime
    last_request_at: datetime | None

    def steadied_by(self, earlier: "Slot | None") -> "Slot":
        if earlier is None:
            return self
        return replace(
            self,
            registered_at=_steady(self.registered_at, earlier.registered_at) or self.registered_at,
            last_request_at=_steady(self.last_request_at, earlier.last_request_at),
        )


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """What an authorization application said of itself. Times carried over to our clock."""

    state: ServerState
    instance: str
    challenge: str | None
    """Id of the open challenge, or None."""
    tries_left: int
    locked_until: datetime | None
    registrations: int
    slots: tuple[Slot, ...]
    seen_at: datetime

    @property
    def live(self) -> tuple[Slot, ...]:
        return tuple(slot for slot in self.slots if slot.state == "LIVE")

    @property
    def first_request_at(self) -> datetime | None:
        """When a live slot was first heard of after registering; None while none was."""
        return min((slot.last_request_at for slot in self.live if slot.last_request_at), default=None)

    def steadied_by(self, earlier: "ServerStatus | None") -> "ServerStatus":
        """The same, with times that only wavered by the network's delay put back to what was said earlier."""
        if earlier is None or earlier.instance != self.instance:
            return self
        before = {(slot.project, slot.node): slot for slot in earlier.slots}
        return replace(
            self,
            locked_until=_steady(self.locked_until, earlier.locked_until),
            slots=tuple(slot.steadied_by(before.get((slot.project, slot.node))) for slot in self.slots),
        )

    def says_the_same_as(self, other: "ServerStatus | None") -> bool:
        """Whether nothing but the moment of asking differs."""
        return other is not None and replace(self, seen_at=other.seen_at) == other


class Judgement(StrEnum):
    """What became of a code that was entered (R6)."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CONSUMED = "consumed"
    MALFORMED = "malformed"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer to a code: what became of it, and how it stands afterwards."""

    judgement: Judgement
    status: ServerStatus
