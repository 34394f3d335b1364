"""Who asks: the admin shows the token from the config volume (`api.ENTRY_TOKEN`); everybody else is a stranger."""

import hmac
from dataclasses import dataclass

from wizard.licensing.rules.instance import Asker

SCHEME = "Bearer"
"""RFC 6750."""


class WrongToken(Exception):
    """Somebody shows a token of another instance. It is said: else they would take a stranger's QR for theirs."""


class NotAdmin(Exception):
    """What was asked for needs the token, and none was shown."""


@dataclass(frozen=True)
class Visitor:
    """Who asks, and from which address. The admin is the same one everywhere, and has none."""

    asker: Asker
    address: str = ""


def recognise(authorization: str | None, address: str | None, token: str) -> Visitor:
    """The visitor with that Authorization header. WrongToken unless it is the token, or there is none at all.

    The token has 256 random bits, so guesses need no count; it is compared in constant time.
    """
    if authorization is None:
        return Visitor(Asker.ANONYMOUS, address or "")
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != SCHEME.lower() or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise WrongToken
    return Visitor(Asker.ADMIN)


def require_admin(visitor: Visitor) -> None:
    """NotAdmin unless it is."""
    if visitor.asker is not Asker.ADMIN:
        raise NotAdmin
