"""Threads that do small jobs."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

logger = logging.getLogger(__name__)


class Crew:
    """So many threads, taking jobs from one line. One that is stuck in a job does not keep the process from ending."""

    def __init__(self, name: str, size: int) -> None:
        self._line: SimpleQueue[Callable[[], None]] = SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def __call__(self, job: Callable[[], None]) -> None:
        self._line.put(job)

    def _work(self) -> None:
        while True:
            guarded(self._line.get())


def every(seconds: float, job: Callable[[], None], stop: threading.Event) -> None:
    """Do it now and again and again, in a thread of its own, until `stop`."""

    def repeat() -> None:
        guarded(job)
        while not stop.wait(seconds):
            guarded(job)

    threading.Thread(target=repeat, name=getattr(job, "__name__", "chore"), daemon=True).start()


def guarded(job: Callable[[], None]) -> None:
    """Whatever goes wrong in one job is logged, and ends no thread."""
    try:
        job()
    except Exception:
        logger.exception("A job of the worker failed.")
