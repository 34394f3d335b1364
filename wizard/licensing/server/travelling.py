"""A clock that is ahead of the host's: for a kiosk whose visitors make the time pass. Only with `--time-machine`."""

from collections.abc import Callable
from pathlib import Path
from threading import RLock

from wizard.licensing.rules.limits import MINUTE, Millis
from wizard.licensing.rules.timeline import Reading
from wizard.licensing.server.store import Store
from wizard.licensing.server.timekeeper import Runs, Timekeeper, read_clocks

STRIDE: Millis = 3 * MINUTE
"""What is passed at once: less than a pause, after which the process would count as one that did not run (R10)."""


class Travelling(Timekeeper):
    """A Timekeeper whose host's clocks, both alike, are ahead by the milliseconds that a file says.

    Whoever asks for the time first after the file has changed goes the whole way there, stride by stride, as the same
    process would have lived through it. What the file says at the first question is the start, not a way: the process
    did not run meanwhile. The file never says less than before. `arrive` is told the time at the end of each way.
    """

    def __init__(
        self,
        store: Store,
        instance: Runs,
        earliest: Millis,
        file: Path,
        arrive: Callable[[Millis], None],
        read: Callable[[], Reading] = read_clocks,
    ) -> None:
        super().__init__(store, instance, earliest, self._shifted)
        self._file = file
        self._ahead = ahead(file)
        self._read_host = read
        self._arrive = arrive
        self._way = RLock()

    def __call__(self) -> Millis:
        with self._way:
            now = super().__call__()
            there = ahead(self._file)
            while self._ahead < there:
                self._ahead = min(self._ahead + STRIDE, there)
                now = super().__call__()
                if self._ahead == there:
                    self._arrive(now)
            return now

    def _shifted(self) -> Reading:
        host = self._read_host()
        return Reading(utc=host.utc + self._ahead, boottime=host.boottime + self._ahead, boot_id=host.boot_id)


def ahead(file: Path) -> Millis:
    """By how much the clocks are ahead; not at all while there is no file."""
    try:
        return int(file.read_text())
    except FileNotFoundError:
        return 0
