"""`make mutants`: plant each fault of faults.toml, two at a time, and list which test finds it.

Arguments, if any, are test files, and then only these must find them.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import monotonic

from tests.figures import tell
from tests.mutants.planting import SUITE, Bed, Fault, faults

AT_ONCE = 2
GOAL = 40


def main(suite: Sequence[str]) -> int:
    started = monotonic()
    with TemporaryDirectory() as folder:
        beds = [Bed(Path(folder, str(number))) for number in range(AT_ONCE)]
        if (failed := beds[0].run(suite)) is not None:
            print(f"The suite must pass before a fault is planted: {failed}")
            return 1
        survivors = _plant_all(beds, faults(), suite)
    print(f"{monotonic() - started:.0f} s")
    enough = tell("mutants.planted", len(faults()), ">=", GOAL)
    found = tell("mutants.survived", survivors, "=", 0)
    return 0 if enough and found else 1


def _plant_all(beds: Sequence[Bed], todo: Sequence[Fault], suite: Sequence[str]) -> int:
    """How many survive."""
    free: SimpleQueue[Bed] = SimpleQueue()
    for bed in beds:
        free.put(bed)

    def plant(fault: Fault) -> str | None:
        bed = free.get()
        try:
            return bed.find(fault, suite)
        finally:
            free.put(bed)

    survivors = 0
    with ThreadPoolExecutor(len(beds)) as pool:
        for fault, found in zip(todo, pool.map(plant, todo), strict=True):
            survivors += found is None
            print(f"{fault.rule:<4} {fault.file:<12} {fault.name}: {found or 'SURVIVED'}", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or SUITE))
