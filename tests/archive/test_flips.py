"""One bit of an archive is another: it is refused, or still the same image. Each bit of three small ones."""

from collections.abc import Callable, Mapping
from functools import cache, partial

import pytest

from tests.archive.apart import OK
from tests.archive.build import GOOD, Files, Recipe, legacy, modern, podmans, tar
from tests.archive.corpus.forms import layer, member
from tests.archive.fuzzing.mutants import Mutant, unchanged
from tests.archive.fuzzing.trials import LONGEST, Outcome, tried
from tests.figures import tell

SMALL = GOOD.but(base=(layer(member("x", b"y")),))
FORMS: Mapping[str, Callable[[Recipe], Files]] = {"docker-25": modern, "docker-20.10": legacy, "podman": podmans}
STEP = 499
"""Bits from one that is tried at once to the next; a prime, so that every bit of a byte has its turn."""


@cache
def small(form: str) -> Mutant:
    return unchanged(SMALL, tar(FORMS[form](SMALL)))


def flipped(form: str, bit: int) -> Mutant:
    good = small(form)
    archive = bytearray(good.archive)
    archive[bit // 8] ^= 1 << bit % 8
    return Mutant(archive=bytes(archive), ids=good.ids, diff_ids=good.diff_ids, envelope=good.envelope)


def judged(form: str, step: int) -> Outcome:
    bits = range(0, 8 * len(small(form).archive), step)
    outcome = tried(partial(flipped, form), bits)
    tell(f"flips.{form}.archives", outcome.tried, "=", len(bits))
    tell(f"flips.{form}.wrong", len(outcome.wrong), "=", 0)
    tell(f"flips.{form}.slowest_s", outcome.slowest, "<=", LONGEST, digits=3)
    print(f"flips.{form}: {dict(outcome.codes.most_common())}")
    return outcome


@pytest.mark.parametrize("form", FORMS)
def test_some_bits_flipped_leave_the_same_image_or_none(form: str) -> None:
    assert judged(form, STEP).wrong == []


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_each_bit_flipped_leaves_the_same_image_or_none(form: str) -> None:
    outcome = judged(form, 1)
    tell(f"flips.{form}.accepted", outcome.codes[OK], ">=", 1)
    assert outcome.wrong == []
    assert outcome.tried == 8 * len(small(form).archive)
