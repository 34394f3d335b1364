"""What is done with an upload while it arrives: its SHA-256 is computed, and it is checked.

Each has a thread of its own, which reads from the file what is there, and waits for what is not. Whoever has sent the
file waits for its digest, but not for the check: so the check stands back while the processors are not enough for all.
They are where bytes come over a network, even a fast one.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from io import FileIO
from pathlib import Path
from typing import Generic, TypeVar

from wizard.archive.verdicts import Refused

Found = TypeVar("Found")
Done = TypeVar("Done")
SECONDS_TO_WAIT = 300
"""For the next byte. Whoever sends on later has the file checked from its beginning."""
SECONDS_TO_LOOK = 0.1
"""So often those who wait look by themselves, for what comes slowly."""
STEP = 2 << 20
"""Bytes. Once for so many they are woken: each of them takes the interpreter from whoever receives."""
HASHED_AT_ONCE = 1 << 20
"""Bytes. With less there are more fights for the interpreter, with more it is no faster."""
CHECKED_AT_ONCE = 1 << 18
"""Bytes. Some pieces of that size wait in memory for others to look at them, of each upload."""
BEHIND = 4 << 20
"""Bytes. When more than these have arrived and are not hashed yet, the check stands back until all have arrived."""
SECONDS_TO_STAND_BACK = 0.01
"""At a time."""


class GivenUp(Exception):
    """Nothing more has come, or nobody wants to know any more."""


class Following(Generic[Found]):
    """Follows a file that grows.

    `check` reads it from its beginning to its end and gives what it has found, or raises.
    """

    def __init__(self, path: Path, length: int, check: Callable[["Growing"], Found]) -> None:
        self._path = path
        self._length = length
        self._check = check
        self._arrived = 0
        self._told = 0
        self._hashed = 0
        self._given_up = threading.Event()
        self._changed = threading.Condition()
        self._digest: Future[str] = Future()
        self._outcome: Future[Found] = Future()
        self._begin("hash", self._hash, self._digest)
        self._begin("check", self._checked, self._outcome)

    @property
    def has_given_up(self) -> bool:
        return self._given_up.is_set()

    @property
    def refusal(self) -> Refused | None:
        """Why it is no licence image, as soon as that is known."""
        error = self._outcome.exception() if self._outcome.done() else None
        return error if isinstance(error, Refused) else None

    def arrived(self, size: int) -> None:
        """So many bytes of the file are there, and will stay as they are."""
        self._arrived = size
        if size - self._told >= STEP or size == self._length:
            with self._changed:
                self._told = size
                self._changed.notify_all()

    def give_up(self) -> None:
        with self._changed:
            self._given_up.set()
            self._changed.notify_all()

    def digest(self) -> str:
        """SHA-256 of the file in lower-case hex, once all of it has arrived. GivenUp when it was."""
        return self._digest.result()

    def result(self) -> Found:
        """What was found, once the whole file has arrived; or what the check has raised. GivenUp when it was."""
        return self._outcome.result()

    def _begin(self, name: str, work: Callable[[FileIO], Done], outcome: Future[Done]) -> None:
        """Have it done with the file in a thread."""

        def run() -> None:
            try:
                with self._path.open("rb", buffering=0) as file:
                    outcome.set_result(work(file))
            except Exception as error:  # noqa: BLE001  # whoever asks for the outcome is told
                outcome.set_exception(error)

        threading.Thread(target=run, name=f"{name} {self._path.parent.name}", daemon=True).start()

    def _hash(self, file: FileIO) -> str:
        digest, piece = hashlib.sha256(), memoryview(bytearray(HASHED_AT_ONCE))
        while there := self._wait(self._hashed):
            size = file.readinto(piece[:there])
            if not size:  # of what was there, something was taken away
                self.give_up()
            digest.update(piece[:size])
            self._hashed += size
        return digest.hexdigest()

    def _checked(self, file: FileIO) -> Found:
        return self._check(Growing(file.fileno(), self._wait_and_stand_back, self.digest))

    def _wait_and_stand_back(self, position: int) -> int:
        """As for whoever hashes, and then until that one is not far behind."""
        there = self._wait(position)
        while self._arrived < self._length and self._arrived - self._hashed > BEHIND:
            if self._given_up.wait(SECONDS_TO_STAND_BACK):
                break
        return there

    def _wait(self, position: int) -> int:
        """How many bytes there are behind that position: at least one, or none at the end of the file."""
        if not self._is_there(position):
            with self._changed:
                for _ in range(round(SECONDS_TO_WAIT / SECONDS_TO_LOOK)):
                    if self._changed.wait_for(lambda: self._is_there(position), SECONDS_TO_LOOK):
                        break
                else:
                    self.give_up()
        if self._given_up.is_set():
            raise GivenUp
        return self._arrived - position

    def _is_there(self, position: int) -> bool:
        """Whether whoever is at that position need not wait."""
        return self._given_up.is_set() or self._arrived > position or position == self._length


class Growing:
    """Reads a file no further than its bytes have arrived (tar.Readable)."""

    def __init__(self, file: int, wait: Callable[[int], int], digest: Callable[[], str]) -> None:
        self._file = file
        self._wait = wait
        self._position = 0
        self.digest = digest
        """Of the whole file, which somebody else computes (Following.digest)."""

    def read(self, size: int, /) -> bytes:
        data = os.pread(self._file, min(size, CHECKED_AT_ONCE, self._wait(self._position)), self._position)
        self._position += len(data)
        return data
