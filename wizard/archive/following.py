"""The check of an upload while it arrives: it reads what is there, and waits for what is not."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Generic, TypeVar

from wizard.archive.tar import Readable
from wizard.archive.verdicts import Refused

Found = TypeVar("Found")
SECONDS_TO_WAIT = 300
"""For the next byte. Whoever sends on later has the file checked from its beginning."""


class GivenUp(Exception):
    """Nothing more has come, or nobody wants to know any more."""


class Following(Generic[Found]):
    """Checks a file that grows, in a thread of its own.

    `check` reads the file from its beginning to its end and gives what it has found, or raises.
    """

    def __init__(self, path: Path, length: int, check: Callable[[Readable], Found]) -> None:
        self._path = path
        self._length = length
        self._check = check
        self._arrived = 0
        self._is_given_up = False
        self._changed = threading.Condition()
        self._outcome: Future[Found] = Future()
        threading.Thread(target=self._run, name=f"check {path.parent.name}", daemon=True).start()

    @property
    def has_given_up(self) -> bool:
        return isinstance(self._error, GivenUp)

    @property
    def _error(self) -> BaseException | None:
        return self._outcome.exception() if self._outcome.done() else None

    @property
    def refusal(self) -> Refused | None:
        """Why it is no licence image, as soon as that is known."""
        error = self._error
        return error if isinstance(error, Refused) else None

    def arrived(self, size: int) -> None:
        """So many bytes of the file are there, and will stay as they are."""
        with self._changed:
            self._arrived = size
            self._changed.notify_all()

    def give_up(self) -> None:
        with self._changed:
            self._is_given_up = True
            self._changed.notify_all()

    def result(self) -> Found:
        """What was found, once the whole file has arrived; or what the check has raised. GivenUp when it was."""
        return self._outcome.result()

    def _run(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as file:
                self._outcome.set_result(self._check(_Growing(file.fileno(), self._wait)))
        except Exception as error:  # noqa: BLE001  # whoever asks for the result is told
            self._outcome.set_exception(error)

    def _wait(self, position: int) -> int:
        """How many bytes there are behind that position: at least one, or none at the end of the file."""
        with self._changed:
            is_there = self._changed.wait_for(
                lambda: self._is_given_up or self._arrived > position or position == self._length, SECONDS_TO_WAIT
            )
            if self._is_given_up or not is_there:
                raise GivenUp
            return self._arrived - position


class _Growing:
    """Reads a file no further than its bytes have arrived."""

    def __init__(self, file: int, wait: Callable[[int], int]) -> None:
        self._file = file
        self._wait = wait
        self._position = 0

    def read(self, size: int, /) -> bytes:
        data = os.pread(self._file, min(size, self._wait(self._position)), self._position)
        self._position += len(data)
        return data
