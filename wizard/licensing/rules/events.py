"""What can happen to an authorization application, and what whoever causes it is told."""

from dataclasses import dataclass
from enum import StrEnum

from wizard.licensing.rules.instance import Asker, SlotKey


class Answer(StrEnum):
    """What whoever caused an event is told."""

    DONE = "DONE"
    LOCKED = "LOCKED"
    SUPERSEDED = "SUPERSEDED"
    CONSUMED = "CONSUMED"
    EXPIRED = "EXPIRED"
    CHARGED = "CHARGED"
    WRONG = "WRONG"
    ACCEPTED = "ACCEPTED"
    REGISTERED = "REGISTERED"
    FULL = "FULL"
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    OK = "OK"
    RECONNECTED = "RECONNECTED"
    UNKNOWN = "UNKNOWN"
    REAUTHENTICATE = "REAUTHENTICATE"
    RELEASED = "RELEASED"
    RETIRED = "RETIRED"


@dataclass(frozen=True)
class Boot:
    """The process has started, with claims that the vendor signed; `maximum` is what they allow."""

    maximum: int


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class Stop:
    """A clean stop: the last thing that happens."""


@dataclass(frozen=True)
class NewChallenge:
    """A QR is asked for. `id` is of the challenge made with the next counter. Its rate is limited where it comes in."""

    id: str
    asker: Asker = Asker.ANONYMOUS


@dataclass(frozen=True)
class Charge:
    """Six digits came in for that challenge: counted as wrong, durably, before they are looked at (R6)."""

    challenge: str
    asker: Asker = Asker.ANONYMOUS


@dataclass(frozen=True)
class Judge:
    """What the digits of a charged input turned out to be. `now` is when they were received."""

    challenge: str
    right: bool
    asker: Asker = Asker.ANONYMOUS


@dataclass(frozen=True)
class Register:
    """A project asks for a slot for each of its nodes: all of them, or none."""

    project: str
    name: str
    nodes: frozenset[str]

    @property
    def slots(self) -> frozenset[SlotKey]:
        """Those asked for."""
        return frozenset((self.project, node) for node in self.nodes)


@dataclass(frozen=True)
class Request:
    """A beat. `acknowledges`: it shows that the last answer to this slot has arrived."""

    project: str
    node: str
    acknowledges: bool

    @property
    def slot(self) -> SlotKey:
        return self.project, self.node


@dataclass(frozen=True)
class Deauthorize:
    """Signed by that project (R12)."""

    project: str


@dataclass(frozen=True)
class Retire:
    """Confirmed by the admin (R13)."""


@dataclass(frozen=True)
class Damage:
    """What is remembered is not what was written, so nothing of it proves that the authentication still holds."""


Event = Boot | Tick | Stop | NewChallenge | Charge | Judge | Register | Request | Deauthorize | Retire | Damage
