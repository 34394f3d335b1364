"""Who may sign in, and who is invited to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wizard.domain.person import Role

LINK_LIFE = timedelta(hours=24)
"""A one-time sign-in link that nobody used is worth nothing after this."""
INVITATION_LIFE = timedelta(hours=72)
"""The same for an invitation, which travels by mail, and over a weekend."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person who signs in by name and password. Raising `epoch` ends every session that was begun before."""

    name: str
    password_hash: str
    created_at: datetime
    epoch: int = 1
    role: Role = Role.ADMIN
    signed_in_at: datetime | None = None
    """The last time; None when they never have."""


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A link by which one person makes an account of their own. Of its secret only the hash is kept."""

    id: str
    token_hash: str
    role: Role
    made_by: str
    """The name of the admin, with whose rights it ends."""
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether somebody can still come in by it. The last moment counts (R14)."""
        return self.used_at is None and self.revoked_at is None and now <= self.expires_at
