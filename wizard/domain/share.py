"""What an admin gives away of a registration: the sight of it to an observer, or the work on it to another browser.

Of each link only the hash of its secret is kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LIVES = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
"""How long an observer link can be good, by the word that the form sends."""
HAND_OVER_LIFE = timedelta(minutes=5)
"""As long as a QR code of R6: it is opened at once, or not at all."""


@dataclass(frozen=True, kw_only=True)
class ObserverLink:
    """Whoever holds it may look at one registration, until it expires or is revoked."""

    id: str
    """Names it in pages and addresses; no secret."""
    token_hash: str
    registration_id: str
    made_by: str
    """The name of the account that made it."""
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    """When somebody last looked through it."""
    revoked_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        return self.revoked_at is None and now <= self.expires_at


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """Lets one other browser go on as the same account, once."""

    id: str
    """Names it in pages and addresses; no secret."""
    token_hash: str
    registration_id: str
    account: str
    """By its name."""
    epoch: int
    """The account's when it was made: what ends its sessions ends this, too."""
    browser: str
    """From which it is handed over (Place)."""
    created_at: datetime
    expires_at: datetime
    taken_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        return self.taken_at is None and now <= self.expires_at
