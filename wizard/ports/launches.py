"""Launch tokens that were used."""

from datetime import datetime
from typing import Protocol


class Launches(Protocol):
    """So that a launch token is good once."""

    def use(self, issuer: str, jti: str, now: datetime, expires_at: datetime) -> bool:
        """Note that it is used up, in one conditional INSERT; False when it was before.

        What has expired by now is forgotten: such a token is refused for its age.
        """
        ...
