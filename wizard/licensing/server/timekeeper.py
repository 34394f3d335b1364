"""Keeps the time line of an instance (`rules.timeline`): the one place where it reads the clocks of its host."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Protocol

from wizard.licensing.rules.limits import MINUTE, SECOND, Millis
from wizard.licensing.rules.timeline import Mark, Reading, advance, begin
from wizard.licensing.server.store import Store

log = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Of the host, also inside a container."""


def read_clocks() -> Reading:
    """Both clocks of this host."""
    return Reading(
        utc=time.time_ns() // 1_000_000,
        boottime=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
        boot_id=BOOT_ID.read_text().strip(),
    )


PAUSE: Millis = 5 * MINUTE
"""Nobody looked at the clock for longer, though it is looked at each minute: the process did not run."""


class Runs(Protocol):
    """What must be told that it has started to run (R10)."""

    def boot(self, now: Millis) -> None:
        """A new process."""

    def resume(self, now: Millis) -> None:
        """The same one, after it was held: its container was paused, or its host suspended."""


class Timekeeper:
    """A `site.Clock`. At the first moment that it can tell, it boots the instance, before anybody else is told a time.

    Until then each call raises ClockBehind. A new time line does not begin before `earliest`.
    """

    def __init__(
        self, store: Store, instance: Runs, earliest: Millis, read: Callable[[], Reading] = read_clocks
    ) -> None:
        self._store = store
        self._instance = instance
        self._earliest = earliest
        self._read = read
        self._mark: Mark | None = None
        self._lock = Lock()

    def __call__(self) -> Millis:
        with self._lock:
            before, mark = self._mark, self._next()
            if before is None:
                self._instance.boot(mark.now)
            elif mark.now - before.now > PAUSE:
                self._instance.resume(mark.now)
            self._mark = mark  # it has booted, whatever becomes of the next line
            if before is None or mark.anomaly != before.anomaly:
                self._keep(mark)
            return mark.now

    def keep(self) -> None:
        """Write the time line down. To be called each minute, and at a stop."""
        self()
        if self._mark is not None:
            self._store.keep_mark(self._mark)

    def _next(self) -> Mark:
        reading = self._read()
        last = self._mark or self._store.recall()
        return begin(reading, self._earliest) if last is None else advance(last, reading)

    def _keep(self, mark: Mark) -> None:
        if mark.shows_anomaly(mark.now):
            log.warning("The clock of this server has jumped by %d s.", mark.jump // SECOND)
        self._store.keep_mark(mark)
