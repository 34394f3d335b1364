"""How long a guess waits."""

from datetime import timedelta

import pytest

from tests.factories import NOW
from wizard.domain.throttle import ADDRESS, FORGOTTEN_AFTER, NAME, PLACE, Bound, Tally


@pytest.mark.parametrize(
    ("bound", "failures", "seconds"),
    [
        *((PLACE, failures, 0) for failures in (0, 1, 5)),
        *((PLACE, failures, wait) for failures, wait in ((6, 30), (7, 60), (10, 480), (11, 900), (12, 900))),
        *((NAME, failures, wait) for failures, wait in ((20, 0), (21, 30), (26, 900))),
        *((ADDRESS, failures, wait) for failures, wait in ((100, 0), (101, 1), (104, 8), (105, 10))),
        (PLACE, 10**9, 900),
    ],
)
def test_the_wait_begins_after_what_is_tolerated_and_doubles(bound: Bound, failures: int, seconds: int) -> None:
    assert bound.wait(failures) == timedelta(seconds=seconds)


def test_one_that_is_wrong_after_a_day_is_the_first_again() -> None:
    tally = Tally(failures=9, last_at=NOW)
    assert tally.charged(NOW + FORGOTTEN_AFTER).failures == 10
    assert tally.charged(NOW + FORGOTTEN_AFTER + timedelta.resolution).failures == 1
