"""Who may sign in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wizard.domain.person import Role

LINK_LIFE = timedelta(hours=24)
"""A one-time sign-in link that nobody used is worth nothing after this."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person who signs in by name and password. Raising `epoch` ends every session that was begun before."""

    name: str
    password_hash: str
    created_at: datetime
    epoch: int = 1
    role: Role = Role.ADMIN
