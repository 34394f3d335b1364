"""Who is at work on a registration, and what was given away of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from wizard.domain.share import HandOver, ObserverLink
from wizard.domain.turn import Place, Turn


class Turns(Protocol):
    """One turn a registration, by its id. Several processes may share them."""

    def arrive(self, registration_id: str, place: Place, now: datetime, life: timedelta) -> Turn:
        """Whose turn it is now that `place` gives a sign of life, which is good for `life` (domain.turn.arrived).

        Cheap when there is nothing to write. UnknownStep when there is no such registration.
        """
        ...

    def take_over(self, registration_id: str, place: Place, now: datetime, life: timedelta) -> Turn:
        """It is the turn of `place` from now on. UnknownStep when there is no such registration."""
        ...


class Shares(Protocol):
    """Links for observers, and hand-overs to other browsers, kept as hashes."""

    def add_link(self, link: ObserverLink) -> None: ...

    def links(self, registration_id: str) -> Sequence[ObserverLink]:
        """All of the registration, the newest first, also those that are over."""
        ...

    def link(self, id: str) -> ObserverLink | None: ...

    def link_of(self, token_hash: str) -> ObserverLink | None: ...

    def link_used(self, id: str, now: datetime) -> None: ...

    def revoke_link(self, id: str, now: datetime) -> None:
        """Nothing to do when it was revoked before."""
        ...

    def add_hand_over(self, hand_over: HandOver) -> None:
        """Another one that the same account has open for the same registration is void from now on."""
        ...

    def hand_over(self, id: str) -> HandOver | None: ...

    def hand_over_of(self, token_hash: str) -> HandOver | None: ...

    def take_hand_over(self, token_hash: str, now: datetime) -> HandOver | None:
        """Use it up, in one conditional UPDATE; None when it was not good."""
        ...
