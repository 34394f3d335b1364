"""What every ports.Tries must do: count wrong passwords, and let none through too soon. Part of the accounts' suite."""

from datetime import timedelta

import pytest

from tests.contracts.store import at_once
from tests.factories import NOW
from wizard.domain.throttle import FORGOTTEN_AFTER, PLACE, Bound
from wizard.ports import Accounts

MOMENT = timedelta(milliseconds=1)
STRICT = Bound(tolerated=0, first=timedelta(minutes=1), longest=timedelta(minutes=4))
ANY = Bound(tolerated=1000, first=timedelta(seconds=1), longest=timedelta(seconds=1))
PARALLEL = 50


class TriesContract:
    def test_of_fifty_guesses_at_once_six_are_looked_at(self, accounts: Accounts) -> None:
        """FINDINGS: a check, and a write after it, let 97 through a limit of 6."""
        outcomes = at_once(PARALLEL, lambda _: accounts.charge({"place": PLACE, "address": ANY}, NOW))
        assert outcomes.count(None) == 6
        assert set(outcomes) == {None, NOW + PLACE.first}

    def test_of_fifty_at_the_moment_it_is_free_again_one_is_looked_at(self, accounts: Accounts) -> None:
        accounts.charge({"key": STRICT}, NOW)
        outcomes = at_once(PARALLEL, lambda _: accounts.charge({"key": STRICT}, NOW + STRICT.first))
        assert outcomes.count(None) == 1

    def test_fifty_with_different_counts_in_common_do_not_get_in_each_others_way(self, accounts: Accounts) -> None:
        outcomes = at_once(PARALLEL, lambda n: accounts.charge({f"{n % 7}": ANY, f"{n % 5}": ANY, "all": ANY}, NOW))
        assert outcomes == [None] * PARALLEL

    def test_it_is_free_at_the_moment_it_says_and_not_before(self, accounts: Accounts) -> None:
        accounts.charge({"key": STRICT}, NOW)
        free_at = accounts.charge({"key": STRICT}, NOW)
        assert free_at == NOW + STRICT.first
        assert accounts.charge({"key": STRICT}, free_at - MOMENT) == free_at
        assert accounts.charge({"key": STRICT}, free_at) is None

    @pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 4), (60, 4)])
    def test_each_wrong_one_doubles_the_wait_up_to_the_longest(
        self, accounts: Accounts, failures: int, minutes: int
    ) -> None:
        now = NOW
        for _ in range(failures):
            assert accounts.charge({"key": STRICT}, now) is None
            last, now = now, now + STRICT.longest
        assert accounts.charge({"key": STRICT}, last) == last + timedelta(minutes=minutes)

    def test_what_has_to_wait_is_not_counted(self, accounts: Accounts) -> None:
        accounts.charge({"key": STRICT}, NOW)
        for _ in range(20):
            assert accounts.charge({"key": STRICT, "other": STRICT}, NOW) == NOW + STRICT.first
        assert accounts.charge({"other": STRICT}, NOW) is None

    def test_the_longest_of_the_waits_counts(self, accounts: Accounts) -> None:
        accounts.charge({"long": STRICT, "short": ANY}, NOW)
        assert accounts.charge({"long": STRICT, "short": ANY, "new": ANY}, NOW) == NOW + STRICT.first

    def test_one_that_was_right_is_taken_back(self, accounts: Accounts) -> None:
        for _ in range(3):
            accounts.charge({"kept": ANY, "cleared": ANY}, NOW)
        accounts.refund({"kept", "unknown"}, {"cleared", "unknown too"})
        tight = Bound(tolerated=1, first=STRICT.first, longest=STRICT.longest)
        assert accounts.charge({"kept": tight}, NOW) == NOW + STRICT.first
        assert accounts.charge({"cleared": tight}, NOW) is None

    def test_after_a_day_without_a_wrong_one_nothing_is_held_against_anybody(self, accounts: Accounts) -> None:
        for hours in range(4):
            accounts.charge({"key": STRICT}, NOW + timedelta(hours=hours))
        last = NOW + timedelta(hours=3)
        later = last + FORGOTTEN_AFTER + MOMENT
        assert accounts.charge({"key": STRICT}, later) is None
        assert accounts.charge({"key": STRICT}, later) == later + STRICT.first

    def test_a_clock_that_was_set_back_makes_nobody_wait_for_longer(self, accounts: Accounts) -> None:
        accounts.charge({"key": STRICT}, NOW + timedelta(hours=5))
        assert accounts.charge({"key": STRICT}, NOW) == NOW + STRICT.first
