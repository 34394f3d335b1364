"""People who enter codes while the server is killed (R6)."""

import random
import time
from collections.abc import Mapping

from tests.licensing.issuing import Vendor, another
from tests.licensing.proofs.actors import SLACK, Actor, Look
from tests.licensing.proofs.books import Books, QrCodes
from tests.licensing.server.process import Caller
from wizard.licensing.protocol import api
from wizard.licensing.rules.limits import LOCK, SECOND, TOLERATED

ALL_TRIES = TOLERATED + 1
LOCKED, THROTTLED = 423, 429
BREATH = 0.02
"""Seconds, after one was told to wait."""


class Person(Actor):
    """Opens challenges, and enters wrong codes and right ones; never a sixth wrong one, as long as `careful`.

    `_least` and `_most` are the wrong codes that must and may be counted. `_until` is when a lock must open (monotonic,
    in seconds), the earliest and the latest moment.
    """

    def __init__(
        self,
        source: str,
        headers: Mapping[str, str] | None,
        vendor: Vendor,
        books: Books,
        qr_codes: QrCodes,
        draw: random.Random,
    ) -> None:
        super().__init__(source, headers)
        self.careful = True
        self._vendor = vendor
        self._books = books
        self._qr_codes = qr_codes
        self._draw = draw
        self._least = self._most = 0
        self._until: tuple[float, float] | None = None

    def act(self, caller: Caller) -> None:
        """A challenge, some wrong codes, and then the right one; or, once it is locked, a challenge in vain."""
        status, document = caller.post(api.CHALLENGES, {})
        if status != 201:
            assert status == THROTTLED or (status == LOCKED and self._until), document
            time.sleep(BREATH)
            return
        assert self._until is None, "A QR code was shown during the lock."
        challenge = document["challenge"]
        self._qr_codes.see(challenge["url"])
        right = self._vendor.answer(challenge["url"])
        room = self._draw.randint(0, TOLERATED - self._most) if self.careful else ALL_TRIES
        for _ in range(room):
            self._enter_a_wrong_one(caller, challenge["id"], another(right))
        if self.careful:
            self._enter_the_right_one(caller, challenge["id"], right)

    def compare(self, caller: Caller) -> None:
        look = Look(caller)
        counted, locked_ms = ALL_TRIES - look.document["tries_left"], look.document["locked_ms"]
        opens = (look.since + locked_ms / SECOND, look.until + locked_ms / SECOND) if locked_ms is not None else None
        if look.challenge is not None:
            self._qr_codes.see(look.challenge["url"])
        if self._until is not None:
            self._books.locks += 1
            self._books.forgotten += opens is None or not _are_one(opens, self._until)
        elif opens is not None:
            assert self._most >= ALL_TRIES, "It is locked, and nobody entered six wrong codes."
            self._until = opens
        else:
            assert counted <= self._most, "More was counted than was entered."
            self._books.forgotten += max(0, self._least - counted)
            self._least = self._most = counted

    def _enter_a_wrong_one(self, caller: Caller, challenge: str, code: str) -> None:
        before = time.monotonic()
        self._most += 1  # as long as there is no answer
        judgement = _judgement(caller, challenge, code)
        if judgement == "wrong":
            self._least += 1
            self._books.charged += 1
        elif judgement == "locked" and self._until is None:
            assert self._most >= ALL_TRIES, "It was locked too early."
            self._until = (before + LOCK / SECOND, time.monotonic() + LOCK / SECOND)
        elif judgement == "too_often":
            self._most -= 1

    def _enter_the_right_one(self, caller: Caller, challenge: str, code: str) -> None:
        least, self._least = self._least, 0
        self._most += 1
        judgement = _judgement(caller, challenge, code)
        if judgement == "accepted":
            self._most = 0
        else:
            assert judgement == "too_often", judgement
            self._least, self._most = least, self._most - 1


def _judgement(caller: Caller, challenge: str, code: str) -> str:
    _, document = caller.post(api.CODES, {"challenge": challenge, "code": code})
    judgement = str(document["judgement"] if "judgement" in document else document["error"]["code"])
    assert judgement in ("accepted", "wrong", "locked", "too_often"), document
    return judgement


def _are_one(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two moments that are known to lie within these spans can be the same."""
    return max(one[0], other[0]) <= min(one[1], other[1]) + SLACK
