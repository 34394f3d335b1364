"""Wakes the worker at once, through a huey queue. It carries no work: losing a ring costs a second (worker.py)."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from huey import SqliteHuey

logger = logging.getLogger(__name__)

LONGEST_NAP = 0.25
"""Seconds between two looks at the queue when nothing comes."""


class Bell:
    """A queue in the file `path`, which the web rings and the worker answers. Keep the file as private as the store."""

    def __init__(self, path: Path) -> None:
        self._huey = SqliteHuey("bell", filename=str(path), results=False, fsync=False)
        self._answer: Callable[[], None] = _nobody
        self._task = self._huey.task(name="ring")(self._rung)

    def ring(self) -> None:
        """Wake whoever listens. It never fails a request: the operation is written already."""
        try:
            self._task()
        except sqlite3.Error:
            logger.warning("The worker could not be woken; it will look by itself.", exc_info=True)

    @contextmanager
    def answered_by(self, answer: Callable[[], None]) -> Iterator[None]:
        """Call `answer` for each ring, in a thread of huey's, until the block is left."""
        self._answer = answer
        consumer = self._huey.create_consumer(workers=1, periodic=False, max_delay=LONGEST_NAP)
        for _, thread in consumer.worker_threads:  # not consumer.start(): it takes the signals, and keeps a schedule
            thread.start()
        try:
            yield
        finally:
            consumer.stop_flag.set()

    def close(self) -> None:
        self._huey.storage.close()

    def _rung(self) -> None:
        self._answer()


def _nobody() -> None:
    """In the web process nobody answers."""
