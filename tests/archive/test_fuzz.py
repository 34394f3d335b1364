"""Archives made by chance: refused with a reason, or accepted as the very image that they were made from."""

import pytest

from tests.archive.apart import OK
from tests.archive.build import GOOD, digest, modern, tar
from tests.archive.fuzzing.mutants import Mutant, mutant
from tests.archive.fuzzing.trials import LONGEST, Outcome, tried
from tests.figures import tell
from wizard.archive.verdicts import VERDICTS

MOST_MEMORY = 64
"""MiB that a process may grow by."""
MANY, SOME = 100_000, 600
LEAST_ACCEPTED = 0.02
"""Of all: where nearly nothing is accepted, nearly nothing is tried but the first check."""


def judged(name: str, outcome: Outcome, count: int) -> None:
    """The figures of it, and that nothing was wrong."""
    tell(f"{name}.archives", outcome.tried, ">=", count)
    tell(f"{name}.accepted", outcome.codes[OK], ">=", LEAST_ACCEPTED * count)
    tell(f"{name}.verdicts", len(outcome.codes), ">=", 20)
    tell(f"{name}.wrong", len(outcome.wrong), "=", 0)
    tell(f"{name}.slowest_s", outcome.slowest, "<=", LONGEST, digits=3)
    tell(f"{name}.memory_mib", outcome.mebibytes, "<=", MOST_MEMORY, digits=1)
    print(f"{name}: {dict(outcome.codes.most_common())}")
    assert outcome.wrong == []
    assert outcome.tried == count
    assert set(outcome.codes) - {OK} <= set(VERDICTS)
    assert outcome.codes[OK] >= LEAST_ACCEPTED * count
    assert outcome.slowest < LONGEST
    assert outcome.mebibytes < MOST_MEMORY


def test_some_hundred_archives_made_by_chance_are_refused_or_are_the_very_image() -> None:
    judged("fuzz", tried(mutant, range(SOME)), SOME)


@pytest.mark.long
def test_a_hundred_thousand_archives_made_by_chance_are_refused_or_are_the_very_image() -> None:
    judged("fuzz", tried(mutant, range(1_000_000, 1_000_000 + MANY)), MANY)


def test_the_same_seed_makes_the_same_archive() -> None:
    assert [mutant(seed).archive for seed in range(40)] == [mutant(seed).archive for seed in range(40)]


def of_another_image(number: int) -> Mutant:
    """A good archive that should be accepted as another image than it is."""
    return Mutant(archive=tar(modern()), ids=frozenset({f"{number:064x}"}), diff_ids=(), envelope=b"")


def test_what_is_accepted_as_another_image_is_noticed() -> None:
    outcome = tried(of_another_image, range(3))
    assert sorted(outcome.wrong) == [f"{it}: AssertionError: accepted as {digest(GOOD.config)}" for it in range(3)]
