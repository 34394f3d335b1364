"""What is done each minute while the process runs, and once more when it stops."""

import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from wizard.licensing.rules.limits import SECOND
from wizard.licensing.rules.timeline import ClockBehind
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.rows import Damaged
from wizard.licensing.server.timekeeper import Timekeeper

log = logging.getLogger(__name__)


class Minutes:
    """Keeps an instance alive. `end` makes this process end, in good order."""

    def __init__(self, authorization: Authorization, clock: Timekeeper, end: Callable[[], None]) -> None:
        self._authorization = authorization
        self._clock = clock
        self._end = end
        self._is_sound = True

    def passes(self) -> None:
        """A minute has passed. Whatever goes wrong is in the log, and the next minute may be better."""
        try:
            self._authorization.tick(self._clock())
            self._clock.keep()
        except ClockBehind as behind:
            log.warning("The clock of this server is %d s behind.", behind.behind // SECOND)
        except Damaged as damage:  # a process that boots finds it again, and puts it right
            log.error("The storage is damaged: %s The process starts again.", damage)
            self._is_sound = False
            self._end()
        except Exception:  # a full disk, say; without its minutes the instance would die unnoticed
            log.exception("The time alive could not be written.")

    def stop(self) -> None:
        """A clean stop is written last, so that the next boot knows exactly how long it was down.

        Nothing is written over damage, for that would hide it.
        """
        if not self._is_sound:
            return
        try:
            self._clock.keep()
            self._authorization.stop(self._clock())
        except (ClockBehind, Damaged, SQLAlchemyError) as error:
            log.warning("Stopped without a note of the time: %s", error)
