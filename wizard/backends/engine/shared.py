"""What one finds out for all who want to know it at the same moment."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Found = TypeVar("Found")


class Shared:
    """Lets one look at a time. Who has waited for a look takes what it has found, or why it has failed, for its own."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._asking = 0
        self._failure: tuple[float, Exception] | None = None

    def get(self, known: Callable[[], Found | None], find: Callable[[], Found], patience: float = -1) -> Found:
        """What is `known` when its turn comes, or else what it can `find`, errors included.

        TimeoutError when its turn does not come within `patience`, in seconds; there is no end to it when negative.
        """
        with self._among_those_who_ask():
            asked = self._now()
            if not self._lock.acquire(timeout=patience):
                raise TimeoutError(f"Another one has been asking for {patience:g} s, in vain.")
            try:
                if (found := known()) is not None:
                    return found
                if self._failure is not None and self._failure[0] > asked:
                    raise self._failure[1]
                return self._try(find)
            finally:
                self._lock.release()

    @contextmanager
    def _among_those_who_ask(self) -> Iterator[None]:
        """The last to go forgets the failure, which holds on to all that it came by: sockets, too."""
        with self._counting:
            self._asking += 1
        try:
            yield
        finally:
            with self._counting:
                self._asking -= 1
                if not self._asking:
                    self._failure = None

    def _try(self, find: Callable[[], Found]) -> Found:
        try:
            return find()
        except Exception as error:
            self._failure = (self._now(), error)
            raise
