"""What every implementation of ports.Launches honours."""

from datetime import timedelta

from tests.contracts.store import at_once
from tests.factories import NOW
from wizard.ports import Launches

LATER = NOW + timedelta(seconds=70)


class LaunchesContract:
    def test_a_token_is_used_once(self, launches: Launches) -> None:
        assert launches.use("fineops", "a", NOW, LATER)
        assert not launches.use("fineops", "a", NOW, LATER)

    def test_another_id_and_another_issuer_are_another_token(self, launches: Launches) -> None:
        assert launches.use("fineops", "a", NOW, LATER)
        assert launches.use("fineops", "b", NOW, LATER)
        assert launches.use("another", "a", NOW, LATER)
        assert launches.use("fineopsa", "", NOW, LATER)

    def test_of_many_who_use_it_at_once_one_comes_in(self, launches: Launches) -> None:
        used = at_once(16, lambda number: launches.use("fineops", "a", NOW, LATER))
        assert sorted(used) == [False] * 15 + [True]

    def test_it_is_used_up_until_it_has_expired(self, launches: Launches) -> None:
        assert launches.use("fineops", "a", NOW, LATER)
        assert launches.use("fineops", "b", LATER, LATER)
        assert not launches.use("fineops", "a", LATER, LATER)
