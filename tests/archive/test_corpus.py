"""The corpus: each archive gets its own verdict, in little time and memory, in a process of its own."""

from pathlib import Path

import pytest

from tests.archive.apart import OK, Reading, read_apart
from tests.archive.corpus import GROUPS
from tests.archive.corpus.making import Case
from tests.figures import tell
from wizard.archive.verdicts import VERDICTS

LONGEST = 2
"""Seconds for one archive."""
MOST_MEMORY = 64
"""MiB for one archive."""
FEWEST = 120
OF_THIS_INSTALLATION = {
    "no-vendor-key",
    "vendor-key",
    "pins",
    "not-pinned",
    "incomplete",
    "changed",
    "excess",
    "no-space",
}
"""Verdicts that no archive earns by what is in it."""
CASES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    """What came of every archive so far."""
    return []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_archive_gets_its_own_verdict_in_little_time_and_memory(
    case: Case, readings: list[Reading], tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(case.make())
    reading = read_apart(archive)
    archive.unlink()
    readings.append(reading)
    assert (reading.code, reading.image_id) == (case.code, case.image_id if case.code == OK else "")
    assert reading.seconds < LONGEST
    assert reading.mebibytes < MOST_MEMORY


def test_it_is_told_how_many_there_are_and_what_the_worst_took(readings: list[Reading]) -> None:
    if len(readings) == len(CASES):
        tell("corpus.archives", len(readings), ">=", FEWEST)
        tell("corpus.slowest_s", max(it.seconds for it in readings), "<=", LONGEST, digits=2)
        tell("corpus.memory_mib", max(it.mebibytes for it in readings), "<=", MOST_MEMORY, digits=1)


def test_every_verdict_on_an_archive_has_a_case() -> None:
    assert {case.code for case in CASES.values()} - {OK} == set(VERDICTS) - OF_THIS_INSTALLATION
