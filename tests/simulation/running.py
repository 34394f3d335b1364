"""The whole simulation in portions, each of which can be run again alone, on all processors."""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from random import Random

from tests.simulation.boundaries import shoot
from tests.simulation.comparing import REAL, Rules
from tests.simulation.limits import DAY
from tests.simulation.scene import Scene
from tests.simulation.world import World
from tests.simulation.years import Life

YEAR = 365 * DAY
YEARS = 2
"""Each life takes so many."""
PROJECTS = (2, 2, 3, 3, 6)
"""Of an authorization application, in turn."""
AT_ONCE = 1000
"""Traces in one portion."""
WORKERS = 2


@dataclass(frozen=True)
class Portion:
    """`years`: life number `first`. `traces`: those from `first` on, `size` of them."""

    kind: str
    seed: str
    first: int
    size: int = 1

    def __str__(self) -> str:
        return f"{self.kind}:{self.first}"


@dataclass
class Tally:
    """What was run, and the first mismatch, if there is one."""

    project_years: int = 0
    beats: int = 0
    promises: int = 0
    traces: Counter[str] = field(default_factory=Counter)
    told: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """What traces that went to one limit only were told there: its name, the side of it, the answer."""
    mismatches: int = 0
    failure: str = ""

    def add(self, other: "Tally") -> None:
        self.project_years += other.project_years
        self.beats += other.beats
        self.promises += other.promises
        self.traces.update(other.traces)
        self.told.update(other.told)
        self.mismatches += other.mismatches
        self.failure = self.failure or other.failure


def portions(seed: str, project_years: int, traces: int) -> list[Portion]:
    """So many project-years at least, and exactly so many traces, which find most of what is wrong: they come first."""
    lives: list[Portion] = []
    lived = 0
    while lived < project_years:
        lived += YEARS * PROJECTS[len(lives) % len(PROJECTS)]
        lives.append(Portion("years", seed, len(lives)))
    shots = [Portion("traces", seed, first, min(AT_ONCE, traces - first)) for first in range(0, traces, AT_ONCE)]
    return shots + lives


def run(portion: Portion, rules: Rules = REAL) -> Tally:
    """One portion, up to its first mismatch."""
    tally = Tally()
    runs = _live if portion.kind == "years" else _shoot_all
    runs(portion, rules, tally)
    return tally


def run_all(todo: Iterable[Portion], workers: int = WORKERS) -> Iterator[Tally]:
    """All of them, in order, until one has a mismatch."""
    with get_context("fork").Pool(workers, initializer=gc.disable) as pool:
        for tally in pool.imap(run, todo):
            yield tally
            if tally.mismatches:
                return


def _live(portion: Portion, rules: Rules, tally: Tally) -> None:
    projects = PROJECTS[portion.first % len(PROJECTS)]
    life = Life(Random(f"{portion.seed}:{portion}"), projects, rules)
    try:
        life.live(YEARS * YEAR)
        tally.project_years = YEARS * projects
    except Exception as error:  # noqa: BLE001  # whatever the rules do instead of answering is a mismatch
        _fail(tally, portion, life.world, error)
    tally.beats, tally.promises = life.world.beats, life.promises
    del life
    gc.collect()


def _shoot_all(portion: Portion, rules: Rules, tally: Tally) -> None:
    for number in range(portion.first, portion.first + portion.size):
        one = Portion("traces", portion.seed, number)
        scene = Scene(Random(f"{portion.seed}:{one}"), rules)
        try:
            hit = shoot(scene)
        except Exception as error:  # noqa: BLE001  # as above
            _fail(tally, one, scene.world, error)
            return
        tally.traces[hit.aim.name] += 1
        if not hit.paired:
            tally.told[hit.aim.name, hit.offset, str(hit.told)] += 1
    gc.collect()


def _fail(tally: Tally, portion: Portion, world: World, error: Exception) -> None:
    tally.mismatches += 1
    again = f"SEED={portion.seed} python -m tests.simulation {portion}"
    tally.failure = f"{world.trace}\n{type(error).__name__}: {error}\nAgain: {again}"
