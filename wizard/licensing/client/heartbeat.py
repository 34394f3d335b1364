"""The thread that keeps a project registered: a request at once after a start, then whenever one is due (R9)."""

import logging
from collections.abc import Callable
from threading import Event, Thread

from wizard.licensing.client.causes import StorageError
from wizard.licensing.client.client import Client
from wizard.licensing.rules.limits import MINUTE, SECOND, Millis

log = logging.getLogger(__name__)

LONGEST_SLEEP: Millis = MINUTE
"""So that a clock that was set does not keep it asleep."""


class Heartbeat:
    """Beats for one client. `wake` after a registration, so that its first request goes out at once."""

    def __init__(self, client: Client, clock: Callable[[], Millis]) -> None:
        self._client = client
        self._clock = clock
        self._awake = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name=f"heartbeat of {client.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._awake.set()

    def stop(self) -> None:
        """Let it end; a request that is under way is ended first."""
        self._stopping = True
        self.wake()
        self._thread.join()

    def _run(self) -> None:
        self._beat(everyone=True)
        while not self._stopping:
            self._awake.wait(self._sleep() / SECOND)
            self._awake.clear()
            self._beat(everyone=False)

    def _beat(self, *, everyone: bool) -> None:
        try:
            self._client.beat(self._clock(), everyone=everyone)
        except StorageError as error:  # it is tried again within a minute
            log.error("%s cannot beat: %s", self._client.name, error)

    def _sleep(self) -> Millis:
        now = self._clock()
        due = self._client.next_beat(now)
        return LONGEST_SLEEP if due is None else min(max(due - now, SECOND), LONGEST_SLEEP)
