"""Being launched from inside another application: who may launch, and what a launch says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from wizard.domain.person import Person, Role

LONGEST_LIFE = timedelta(seconds=60)
"""From the making of a launch token to its end."""
LEEWAY = timedelta(seconds=10)
"""How far the clocks of two machines may be apart."""
SURFACES = frozenset({"wizard", "uploads"})
"""The only blueprints that somebody who was launched reaches."""


class Algorithm(StrEnum):
    """How a launch token may be signed (RFC 7518, 3.1). One issuer has one of them, and no other."""

    RS256 = "RS256"
    ES256 = "ES256"
    HS256 = "HS256"


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """An application that may launch the wizard."""

    name: str
    """As people know it, such as FineOps."""
    iss: str
    """What its tokens say of who made them."""
    aud: str
    """What its tokens say of whom they are for: this installation."""
    algorithm: Algorithm
    key: bytes
    """A public key as PEM, or the secret of HS256."""
    origins: tuple[str, ...]
    """Where its pages are: the only ones that may show the wizard, each as a browser writes it."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What a launch token said that was found to be good."""

    issuer: str
    """Its `iss`."""
    jti: str
    project: str
    """The slug of the project."""
    role: Role
    origin: str
    """Of the page that shows the frame."""
    name: str
    """Who was launched, as people know them, and from where."""
    language: str
    """What they read, as a tag of RFC 5646; nothing when the browser decides."""
    expires_at: datetime

    @property
    def person(self) -> Person:
        return Person(name=self.name, role=self.role, surfaces=SURFACES, project=self.project)
