"""Who asks for something, in whatever way they were let in."""

from dataclasses import dataclass
from enum import StrEnum

from wizard.domain.registration import Registration


class Role(StrEnum):
    """What somebody may do."""

    ADMIN = "admin"
    """Sees and changes everything."""
    OBSERVER = "observer"
    """Sees everything, changes nothing."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who makes a request. Each way of being let in makes one of its own; everything else asks only this."""

    name: str
    """Of the account, or what stands for one: acts are noted under it, and uploads belong to it."""
    role: Role
    surfaces: frozenset[str] | None = None
    """The names of the only blueprints that they reach; None for all of them."""
    registration: str | None = None
    """The id of the only registration that they see."""
    project: str | None = None
    """The slug of the only project whose registrations they see."""

    @property
    def may_change(self) -> bool:
        return self.role is Role.ADMIN

    def sees(self, registration: Registration) -> bool:
        return (self.registration is None or self.registration == registration.id) and (
            self.project is None or self.project in registration.concerns
        )
