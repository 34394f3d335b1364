"""Keeps the time line of an instance (`rules.timeline`): the one place where it reads the clocks of its host."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from wizard.licensing.rules.limits import SECOND, Millis
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


class Timekeeper:
    """A `site.Clock`. At the first moment that it can tell, it boots the instance, before anybody else is told a time.

    Until then each call raises ClockBehind.
    """

    def __init__(self, store: Store, boot: Callable[[Millis], None], read: Callable[[], Reading] = read_clocks) -> None:
        self._store = store
        self._boot = boot
        self._read = read
        self._mark: Mark | None = None
        self._lock = Lock()

    def __call__(self) -> Millis:
        with self._lock:
            before, mark = self._mark, self._next()
            if before is None:
                self._boot(mark.now)
            if before is None or mark.anomaly != before.anomaly:
                self._keep(mark)
            self._mark = mark
            return mark.now

    def keep(self) -> None:
        """Write the time line down. To be called each minute, and at a stop."""
        self()
        if self._mark is not None:
            self._store.keep_mark(self._mark)

    def _next(self) -> Mark:
        reading = self._read()
        last = self._mark or self._store.recall()
        return begin(reading) if last is None else advance(last, reading)

    def _keep(self, mark: Mark) -> None:
        if mark.shows_anomaly(mark.now):
            log.warning("The clock of this server has jumped by %d s.", mark.jump // SECOND)
        self._store.keep_mark(mark)
