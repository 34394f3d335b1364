"""The clocks of a world: the host's, and ahead of it by what its visitor has made to pass."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Travel:
    """Tells the time to all of a world: to the wizard, the vendor and the project here, to others by the file.

    The file holds the milliseconds by which all of their clocks are ahead. It is replaced as a whole, and only rises.
    """

    def __init__(self, file: Path, clock: Callable[[], datetime]) -> None:
        self._file, self._clock = file, clock
        self._ahead = timedelta(0)
        self._tell()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._clock() + self._ahead

    def millis(self) -> int:
        """The same in milliseconds since 1970."""
        return (self.now() - EPOCH) // MILLISECOND

    def go(self, by: timedelta) -> None:
        """Be so much further ahead. Never back: what has happened has happened."""
        self._ahead += max(timedelta(0), by)
        self._tell()

    def _tell(self) -> None:
        partial = self._file.with_suffix(".partial")
        partial.write_text(str(self._ahead // MILLISECOND))
        partial.replace(self._file)


def moment(millis: int) -> datetime:
    return EPOCH + millis * MILLISECOND
