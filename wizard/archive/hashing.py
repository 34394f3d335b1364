"""SHA-256 of what passes by; of much of it in a second thread, for hashlib lets others run meanwhile."""

import hashlib
import threading
import weakref
from queue import SimpleQueue

from wizard.archive.limits import HASHED_AT_ONCE

MOST_WAITING = 4
"""Batches that wait for the thread; whoever brings more waits for it."""


class Meter:
    """Counts and hashes, in the order of its pieces. Its thread ends with the digest, or with the meter."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._batch: list[bytes] = []
        self._length = 0
        self._thread: _Thread | None = None

    def add(self, piece: bytes) -> None:
        """The next piece."""
        self.size += len(piece)
        self._length += len(piece)
        self._batch.append(piece)
        if self._length >= HASHED_AT_ONCE:
            if self._thread is None:
                self._thread = _Thread(self._hash)
                weakref.finalize(self, self._thread.end)
            self._thread.hash(self._batch)
            self._batch, self._length = [], 0

    @property
    def digest(self) -> str:
        """Of all so far, in lower-case hex."""
        if self._thread is not None:
            self._thread.end()
            self._thread.join()
            self._thread = None
        for piece in self._batch:
            self._hash.update(piece)
        self._batch, self._length = [], 0
        return self._hash.hexdigest()


class _Thread(threading.Thread):
    """Knows nothing of its meter, so that it ends with it."""

    def __init__(self, hash: "hashlib._Hash") -> None:
        super().__init__(name="hashing", daemon=True)
        self._hash = hash
        self._waiting: SimpleQueue[list[bytes]] = SimpleQueue()
        self._room = threading.Semaphore(MOST_WAITING)
        self.start()

    def hash(self, batch: list[bytes]) -> None:
        self._room.acquire()
        self._waiting.put(batch)

    def end(self) -> None:
        """Once it has hashed all. This does not wait, and may be called from anywhere, even by a collector."""
        self._waiting.put([])

    def run(self) -> None:
        while batch := self._waiting.get():
            for piece in batch:
                self._hash.update(piece)
            self._room.release()
