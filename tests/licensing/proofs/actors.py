"""Those who use a server while it is killed.

Each writes down what was answered. What was asked and not answered may have happened or not.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from http.client import HTTPException
from threading import Event
from typing import Any

from tests.licensing.proofs.books import QrCodes
from tests.licensing.server.process import Caller, Door
from wizard.licensing.protocol import api

SLACK = 0.02
"""Seconds by which a span that the server tells may differ from the same span measured here."""


class Look:
    """A status document, and the moments (monotonic, in seconds) between which it was true."""

    def __init__(self, caller: Caller) -> None:
        self.since = time.monotonic()
        status, self.document = caller.get(api.STATUS)
        self.until = time.monotonic()
        assert status == 200, self.document

    @property
    def challenge(self) -> dict[str, Any] | None:
        challenge: dict[str, Any] | None = self.document["challenge"]
        return challenge


class Actor(ABC):
    """Somebody with an address. `headers` go with each request."""

    def __init__(self, source: str, headers: Mapping[str, str] | None = None) -> None:
        self._source = source
        self._headers = dict(headers or {})

    def caller(self, door: Door) -> Caller:
        return Caller(door, self._source, self._headers)

    def run(self, door: Door, killed: Event) -> None:
        """Act until the server is gone. `killed` is set before that is done: by itself it must not go."""
        try:
            with self.caller(door) as caller:
                while True:
                    self.act(caller)
        except (OSError, HTTPException):
            if not killed.is_set():
                raise

    def check(self, door: Door) -> None:
        """After a restart: compare what is remembered with what was answered."""
        with self.caller(door) as caller:
            self.compare(caller)

    @abstractmethod
    def act(self, caller: Caller) -> None:
        """The next request."""

    @abstractmethod
    def compare(self, caller: Caller) -> None:
        """What `check` does."""


class Onlooker(Actor):
    """Looks at the state all the time, as a wizard does, and at the QR code in it."""

    def __init__(self, source: str, qr_codes: QrCodes) -> None:
        super().__init__(source)
        self._qr_codes = qr_codes

    def act(self, caller: Caller) -> None:
        challenge = Look(caller).challenge
        if challenge is not None:
            self._qr_codes.see(challenge["url"])

    def compare(self, caller: Caller) -> None:
        self.act(caller)
