"""A weekend at a fair: one visitor after another walks the whole journey, and nothing may grow, or be left of anybody.

KIOSK_VISITS sets how many; 500 take about three quarters of an hour on two cores.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from tests.figures import tell
from tests.kiosk.visiting import MACHINE, STAGE, WIZARD, Kiosk, KioskVisitor, running
from tests.waiting import until

VISITS = 100
SETTLING = 10
"""Visits before the first look: by then every part of the kiosk has been used."""
PATIENCE = 60
"""Seconds until what a visitor has left is gone, and the next world is ready."""
ACTS = ("2h", "restart", "2h", "24h")
"""What each visitor makes the time machine do."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What a kiosk takes while nobody is there: megabytes of its own processes and of all, and of its disk."""

    own: float
    everything: float
    disk: float
    processes: int
    ports: int


def run() -> bool:
    visits = int(os.environ.get("KIOSK_VISITS", VISITS))
    print(f"{visits} visits, one after another, {SETTLING} before the first look", flush=True)
    with running() as kiosk:
        for _ in range(SETTLING):
            visit(kiosk)
        before = at_rest(kiosk)
        began = time.monotonic()
        open_doors = sum(visit(kiosk) for _ in range(visits))
        seconds = (time.monotonic() - began) / visits
        after = at_rest(kiosk)
    print(f"before {before}\nafter  {after}", flush=True)
    met = [
        tell("kiosk-memory-growth-mb", after.own - before.own, "<=", 8, digits=1),
        tell("kiosk-memory-with-world-growth-mb", after.everything - before.everything, "<=", 30, digits=1),
        tell("kiosk-disk-growth-mb", after.disk - before.disk, "<=", 1, digits=2),
        tell("kiosk-processes-growth", after.processes - before.processes, "=", 0),
        tell("kiosk-ports-growth", after.ports - before.ports, "=", 0),
        tell("kiosk-pages-of-finished-visits-that-answer", open_doors, "=", 0),
        tell("kiosk-visit-seconds", seconds, "<=", 180, digits=1),
    ]
    return all(met)


def visit(kiosk: Kiosk) -> int:
    """A whole visit; how many of its pages still answer afterwards, to whoever kept its cookie."""
    visitor = KioskVisitor(home=kiosk.url)
    visitor.walk()
    for act in ACTS:
        visitor.press_the_machine(act)
    cookie = visitor.cookies
    visitor.leave()
    late = KioskVisitor(home=kiosk.url)
    late.wear(cookie)
    return sum(
        late.open(page).status not in (403, 404) for page in (STAGE, WIZARD, MACHINE, "/phone/static/vendor.css")
    )


def at_rest(kiosk: Kiosk) -> State:
    """The kiosk with one world ready, and nothing left of any other."""
    until(lambda: len(kiosk.worlds) == 1 and is_steady(lambda: len(kiosk.processes())), "it is at rest", PATIENCE)
    own = [process for process in kiosk.processes() if process.name() and "world" not in process.cmdline()]
    return State(
        own=megabytes(own),
        everything=megabytes(kiosk.processes()),
        disk=sum(path.stat().st_size for path in kiosk.data.rglob("*") if path.is_file()) / 1e6,
        processes=len(kiosk.processes()),
        ports=sum(len(listening(process)) for process in kiosk.processes()),
    )


def is_steady(count: Callable[[], int]) -> bool:
    """The same after two seconds: nothing is being started or removed."""
    before = count()
    time.sleep(2)
    return count() == before


def megabytes(processes: list[psutil.Process]) -> float:
    """What they hold for themselves alone."""
    total = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().uss
    return total / 1e6


def listening(process: psutil.Process) -> set[int]:
    with suppress(psutil.NoSuchProcess):
        return {it.laddr.port for it in process.net_connections("tcp") if it.status == psutil.CONN_LISTEN}
    return set()
