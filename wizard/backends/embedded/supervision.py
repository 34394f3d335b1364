"""When a container that has ended is started again (restart policy: unless stopped)."""

from dataclasses import replace
from datetime import datetime, timedelta

from wizard.backends.embedded.folders import Container, Process, Wanted

QUICK = timedelta(seconds=30)
"""Ending within this time of its start is a sign that starting it again is no help."""
MOST_QUICK_DEATHS = 5


def after_death(container: Container, last: Process) -> Container:
    """The container after its process has ended by itself: given up when that has happened too often too soon."""
    if last.ended_at is None or last.ended_at - last.begun_at >= QUICK:
        return replace(container, quick_deaths=0)
    deaths = container.quick_deaths + 1
    wanted = Wanted.GIVEN_UP if deaths >= MOST_QUICK_DEATHS else container.wanted
    return replace(container, quick_deaths=deaths, wanted=wanted)


def may_begin(container: Container, last: Process | None, now: datetime) -> bool:
    """Whether it has waited long enough: 1, 2, 4, 8 s after each quick death, not at all after a long life."""
    if last is None or last.ended_at is None or container.quick_deaths == 0:
        return True
    return now >= last.ended_at + timedelta(seconds=2 ** (container.quick_deaths - 1))
