"""Turns and shares in memory. They pass the same contract suites as the ones on SQL."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from wizard.domain.share import HandOver, ObserverLink
from wizard.domain.turn import Place, Turn, arrived, taken
from wizard.ports import Store


class MemoryTurns:
    """ports.Turns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turns: dict[str, Turn] = {}
        self._lock = threading.Lock()
        self.writes = 0

    def arrive(self, registration_id: str, place: Place, now: datetime, life: timedelta) -> Turn:
        with self._lock:
            turn = self._turns.get(registration_id)
            return self._written(registration_id, arrived(turn, place, now, life))

    def take_over(self, registration_id: str, place: Place, now: datetime, life: timedelta) -> Turn:
        with self._lock:
            return self._written(registration_id, taken(self._turns.get(registration_id), place, now, life))

    def _written(self, registration_id: str, turn: Turn) -> Turn:
        self._store.registration(registration_id)
        if turn is not self._turns.get(registration_id):
            self.writes += 1
            self._turns[registration_id] = turn
        return turn


class MemoryShares:
    """ports.Shares."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._links: dict[str, ObserverLink] = {}
        self._hand_overs: dict[str, HandOver] = {}
        self._lock = threading.Lock()

    def add_link(self, link: ObserverLink) -> None:
        self._store.registration(link.registration_id)
        self._links[link.id] = link

    def links(self, registration_id: str) -> Sequence[ObserverLink]:
        return [link for link in reversed(self._links.values()) if link.registration_id == registration_id]

    def link(self, id: str) -> ObserverLink | None:
        return self._links.get(id)

    def link_of(self, token_hash: str) -> ObserverLink | None:
        return next((link for link in self._links.values() if link.token_hash == token_hash), None)

    def link_used(self, id: str, now: datetime) -> None:
        self._links[id] = replace(self._links[id], used_at=now)

    def revoke_link(self, id: str, now: datetime) -> None:
        if self._links[id].revoked_at is None:
            self._links[id] = replace(self._links[id], revoked_at=now)

    def add_hand_over(self, hand_over: HandOver) -> None:
        self._store.registration(hand_over.registration_id)
        with self._lock:
            for id, other in self._hand_overs.items():
                of_the_same = (other.registration_id, other.account) == (hand_over.registration_id, hand_over.account)
                if of_the_same and other.is_good(hand_over.created_at):
                    self._hand_overs[id] = replace(other, expires_at=hand_over.created_at - timedelta.resolution)
            self._hand_overs[hand_over.id] = hand_over

    def hand_over(self, id: str) -> HandOver | None:
        return self._hand_overs.get(id)

    def hand_over_of(self, token_hash: str) -> HandOver | None:
        return next((it for it in self._hand_overs.values() if it.token_hash == token_hash), None)

    def take_hand_over(self, token_hash: str, now: datetime) -> HandOver | None:
        with self._lock:
            found = self.hand_over_of(token_hash)
            if found is None or not found.is_good(now):
                return None
            self._hand_overs[found.id] = replace(found, taken_at=now)
            return self._hand_overs[found.id]
