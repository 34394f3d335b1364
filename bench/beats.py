"""`beats`: one authorization application as it is shipped, and all of its projects.

What comes in two hours comes here in a minute, each beat on a new connection, as projects send it. Then as many come as
can be answered, on kept connections, in turns with a peer that is the same in everything and does nothing.
"""

import random
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.crowd import Crowd, Run, Share, crowd
from tests.figures import tell
from tests.licensing.issuing import Vendor
from tests.licensing.server.process import Process, scan
from wizard.licensing.client.line import TIME_LIMIT
from wizard.licensing.protocol import api
from wizard.licensing.rules.limits import BEAT, SECOND

FEW = 10
"""Projects, whose memory the others are compared with."""
WARM_ROUNDS = 100
"""Beats of each of the few: what is allocated once is allocated then."""
SEED = 20261124

ENOUGH = 100
"""Beats a second: after a restart all 2,000 projects come back within a minute (R9), three times over."""
FAIR = 0.1
"""Of the peer's rate. Each beat waits for the disk before it is answered, one after the other; the peer never does."""
GROWTH_MB = 5


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of it. At full load there are so many laps, each with so many beats of every project."""

    projects: int = 2000
    compression: int = 120
    laps: int = 5
    rounds: int = 2

    @property
    def seconds(self) -> float:
        """Into which two hours are pressed."""
        return BEAT / SECOND / self.compression


def run(size: Size = Size()) -> bool:
    """Print the figures. Whether all of them meet their goals."""
    with (
        TemporaryDirectory(prefix="beats-") as folder,
        crowd() as projects,
        _running(Path(folder, "server"), size, "wizard.licensing.server") as server,
        _running(Path(folder, "peer"), size, "bench.peer") as peer,
    ):
        return Bench(size, projects, server, peer).run()


@contextmanager
def _running(folder: Path, size: Size, module: str) -> Iterator[Process]:
    vendor = Vendor()
    process = Process(folder, vendor, registrations=size.projects, module=module)
    try:
        if module != "bench.peer":
            assert scan(process, vendor) == "accepted"
        yield process
    finally:
        process.end()


class Bench:
    """The parts of it, in order."""

    def __init__(self, size: Size, projects: Crowd, server: Process, peer: Process) -> None:
        self._size = size
        self._projects = projects
        self._server = server
        self._peer = peer
        self._all = Share(door=server.door, projects=range(size.projects))

    def run(self) -> bool:
        few_mb = self._register_the_few()
        many_mb = self._register_the_rest()
        missed = self._two_hours() + self._not_live()
        before_mb = self._memory()
        beats, nothing = self._full_load()
        after_mb = self._memory()
        print(f"memory: {few_mb:.1f} MB with {FEW} projects, {many_mb:.1f} with all, {after_mb:.1f} after all beats")
        load = Run.of(beats)
        rate, most = (statistics.median(run.per_second for run in runs) for runs in (beats, nothing))
        print(
            f"full load: {rate:.0f} beats a second, {most:.0f} of nothing; "
            f"p50 {load.percentile(0.5):.1f} ms, p99 {load.percentile(0.99):.1f} ms"
        )
        figures = (
            tell("bench.beats.missed", missed + load.missed, "=", 0),
            tell("bench.beats.per_second", rate, ">=", ENOUGH),
            tell("bench.beats.ratio_to_noop", rate / most, ">=", FAIR, digits=2),
            tell("bench.beats.rss_growth_mb", after_mb - before_mb, "<=", GROWTH_MB, digits=1),
        )
        return all(figures)

    def _register_the_few(self) -> float:
        few = replace(self._all, projects=self._all.projects[:FEW])
        _demand(self._projects.register(few))
        _demand(self._projects.beat(replace(few, first=1, rounds=WARM_ROUNDS)))
        return self._memory()

    def _register_the_rest(self) -> float:
        registered = self._projects.register(replace(self._all, projects=self._all.projects[FEW:]))
        _demand(registered)
        print(f"registered: {self._size.projects} projects, {registered.per_second:.0f} a second")
        return self._memory()

    def _two_hours(self) -> int:
        """How many beats were not answered OK within the time that a project waits."""
        draw = random.Random(SEED)
        moments = {project: draw.uniform(0, self._size.seconds) for project in self._all.projects}
        run = self._projects.pace(replace(self._all, first=1000, moments=moments))
        late = sum(latency > TIME_LIMIT for latency in run.latencies)
        print(
            f"two hours in {self._size.seconds:.0f} s ({self._size.compression}x): {len(run.latencies)} beats, "
            f"{run.missed} not OK, {late} late; p50 {run.percentile(0.5):.1f} ms, p99 {run.percentile(0.99):.1f} ms, "
            f"longest {run.percentile(1):.1f} ms"
        )
        return run.missed + late

    def _not_live(self) -> int:
        """How many of the projects the authorization application has not heard of since they were registered."""
        slots = self._server.get(api.STATUS)["slots"]
        heard = sum(slot["state"] == "LIVE" and slot["last_request_ms"] is not None for slot in slots)
        return self._size.projects - int(heard)

    def _full_load(self) -> tuple[list[Run], list[Run]]:
        """By turns, so that a machine that is slow for a while is so for both."""
        beats, nothing = [], []
        for lap in range(self._size.laps):
            share = replace(self._all, first=2000 + lap * self._size.rounds, rounds=self._size.rounds)
            beats.append(self._projects.beat(share))
            nothing.append(self._projects.beat(replace(share, door=self._peer.door, genuine=False)))
        _demand(*nothing)
        return beats, nothing

    def _memory(self) -> float:
        """Resident, in megabytes, of the process that keeps the state."""
        return self._server.worker.memory_info().rss / (1 << 20)


def _demand(*runs: Run) -> None:
    """Without these, nothing is measured."""
    if any(run.missed for run in runs):
        raise RuntimeError("An answer was not as wanted, so there is nothing to measure.")
