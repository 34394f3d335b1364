"""`make sim`: all of it, its counts, and its figures.

SEED=… for other worlds, SCALE=0.1 for a tenth of them; an argument such as `years:17` or `traces:4711` runs that one.
"""

import os
import sys
from collections import Counter
from time import monotonic

from tests.figures import tell
from tests.simulation.boundaries import AIMS, OFFSETS
from tests.simulation.running import WORKERS, Portion, Tally, portions, run, run_all

SEED = "1"
PROJECT_YEARS = 1_000
TRACES = 200_000
LONGEST = 120
"""Seconds."""


def main(arguments: list[str]) -> int:
    seed, scale = os.environ.get("SEED", SEED), float(os.environ.get("SCALE", "1"))
    print(f"seed {seed}", flush=True)
    if arguments:
        kind, _, number = arguments[0].partition(":")
        tally = run(Portion(kind, seed, int(number)))
    else:
        tally = _everything(seed, scale)
    print(tally.failure, end="\n" if tally.failure else "")
    return 1 if tally.mismatches else 0


def _everything(seed: str, scale: float) -> Tally:
    started = monotonic()
    tally = Tally()
    for part in run_all(portions(seed, round(PROJECT_YEARS * scale), round(TRACES * scale))):
        tally.add(part)
    _count(tally)
    if scale == 1:
        tell("sim.project_years", tally.project_years, ">=", PROJECT_YEARS)
        tell("sim.boundary_traces", tally.traces.total(), ">=", TRACES)
    tell("sim.mismatches", tally.mismatches, "=", 0)
    print(f"{os.times().children_user:.0f} s of processor time, of {WORKERS} at once; other work makes it longer")
    if scale == 1:
        tell("sim.seconds", monotonic() - started, "<=", LONGEST, digits=1)
    return tally


def _count(tally: Tally) -> None:
    print(f"{tally.project_years} project-years, {tally.beats:,} requests, {tally.promises:,} reconnected as promised")
    print(
        f"{tally.traces.total():,} traces; what those alone with a limit are told just before, at, and just after it:"
    )
    for aim in AIMS:
        sides = " | ".join(_mostly(tally.told, aim.name, offset) for offset in OFFSETS)
        print(f"  {tally.traces[aim.name]:>7,}  {aim.name:<40} {sides}")


def _mostly(told: Counter[tuple[str, int, str]], name: str, offset: int) -> str:
    answers = Counter({answer: count for (aim, side, answer), count in told.items() if (aim, side) == (name, offset)})
    return answers.most_common(1)[0][0] if answers else "-"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
