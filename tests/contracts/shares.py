"""What every ports.Turns and ports.Shares must do.

Inherit, and give fixtures `turns` or `shares` over a store that has the registrations `r1` and `r2`, and nothing else.
"""

from datetime import timedelta

import pytest

from tests.contracts.store import at_once
from tests.factories import NOW, a_hand_over, an_observer_link
from wizard.domain.turn import HEARD_BY_LOADS, HEARD_BY_POLLS, Place
from wizard.errors import UnknownStep
from wizard.ports import Shares, Turns

ANN, BOB = Place(person="ann", browser="a"), Place(person="bob", browser="b")
MOMENT = timedelta(milliseconds=1)
LATER = NOW + timedelta(minutes=2)


class TurnsContract:
    def test_who_comes_first_is_at_work(self, turns: Turns) -> None:
        assert turns.arrive("r1", ANN, NOW, HEARD_BY_POLLS).place == ANN
        turn = turns.arrive("r1", BOB, NOW + MOMENT, HEARD_BY_POLLS)
        assert (turn.place, turn.since) == (ANN, NOW)

    def test_each_registration_has_a_turn_of_its_own(self, turns: Turns) -> None:
        turns.arrive("r1", ANN, NOW, HEARD_BY_POLLS)
        assert turns.arrive("r2", BOB, NOW, HEARD_BY_POLLS).place == BOB

    def test_a_turn_ends_by_itself_when_nothing_was_heard_for_thirty_seconds(self, turns: Turns) -> None:
        turns.arrive("r1", ANN, NOW, HEARD_BY_POLLS)
        assert turns.arrive("r1", BOB, NOW + HEARD_BY_POLLS, HEARD_BY_POLLS).place == ANN
        turn = turns.arrive("r1", BOB, NOW + HEARD_BY_POLLS + MOMENT, HEARD_BY_POLLS)
        assert (turn.place, turn.before, turn.taken_over) == (BOB, ANN, False)

    def test_a_browser_without_scripts_is_believed_to_be_there_for_fifteen_minutes(self, turns: Turns) -> None:
        turns.arrive("r1", ANN, NOW, HEARD_BY_LOADS)
        assert turns.arrive("r1", BOB, NOW + HEARD_BY_LOADS, HEARD_BY_POLLS).place == ANN
        assert turns.arrive("r1", BOB, NOW + HEARD_BY_LOADS + MOMENT, HEARD_BY_POLLS).place == BOB

    def test_the_first_poll_says_that_there_are_scripts_and_shortens_the_turn(self, turns: Turns) -> None:
        turns.arrive("r1", ANN, NOW, HEARD_BY_LOADS)
        turn = turns.arrive("r1", ANN, NOW + MOMENT, HEARD_BY_POLLS)
        assert turn.until == NOW + MOMENT + HEARD_BY_POLLS

    def test_signs_of_life_renew_the_turn_and_keep_its_beginning_and_number(self, turns: Turns) -> None:
        first = turns.arrive("r1", ANN, NOW, HEARD_BY_POLLS)
        for seconds in range(1, 120):
            turn = turns.arrive("r1", ANN, NOW + timedelta(seconds=seconds), HEARD_BY_POLLS)
        assert (turn.since, turn.number) == (NOW, first.number)
        assert turns.arrive("r1", BOB, NOW + timedelta(seconds=130), HEARD_BY_POLLS).place == ANN

    def test_a_sign_of_life_is_written_down_at_most_every_ten_seconds(self, turns: Turns) -> None:
        seen = {
            turns.arrive("r1", ANN, NOW + timedelta(seconds=second), HEARD_BY_POLLS).seen_at for second in range(21)
        }
        assert sorted(seen) == [NOW + timedelta(seconds=second) for second in (0, 10, 20)]

    def test_to_take_over_makes_it_the_turn_of_the_other(self, turns: Turns) -> None:
        first = turns.arrive("r1", ANN, NOW, HEARD_BY_POLLS)
        turn = turns.take_over("r1", BOB, NOW + MOMENT, HEARD_BY_POLLS)
        assert (turn.place, turn.before, turn.taken_over, turn.since) == (BOB, ANN, True, NOW + MOMENT)
        assert turn.number > first.number
        assert turns.arrive("r1", ANN, NOW + MOMENT, HEARD_BY_POLLS) == turn

    def test_to_take_over_what_is_ones_own_or_nobodys_changes_nothing_else(self, turns: Turns) -> None:
        first = turns.take_over("r1", ANN, NOW, HEARD_BY_POLLS)
        assert (first.place, first.taken_over) == (ANN, False)
        assert turns.take_over("r1", ANN, NOW + MOMENT, HEARD_BY_POLLS) == first

    def test_the_same_person_in_two_browsers_is_at_two_places(self, turns: Turns) -> None:
        turns.arrive("r1", ANN, NOW, HEARD_BY_POLLS)
        assert turns.arrive("r1", Place(person="ann", browser="phone"), NOW, HEARD_BY_POLLS).place == ANN

    def test_of_eight_who_come_at_once_one_is_at_work(self, turns: Turns) -> None:
        came = at_once(8, lambda number: turns.arrive("r1", Place(person=str(number)), NOW, HEARD_BY_POLLS).place)
        assert len(set(came)) == 1

    def test_nobody_is_at_work_on_what_there_is_not(self, turns: Turns) -> None:
        for verb in (turns.arrive, turns.take_over):
            with pytest.raises(UnknownStep):
                verb("none", ANN, NOW, HEARD_BY_POLLS)


class SharesContract:
    def test_links_come_back_as_they_were_added_the_newest_first(self, shares: Shares) -> None:
        first, second = an_observer_link(), an_observer_link(id="l2", token_hash="h2")
        shares.add_link(first)
        shares.add_link(second)
        shares.add_link(an_observer_link(id="l3", token_hash="h3", registration_id="r2"))
        assert list(shares.links("r1")) == [second, first]
        assert shares.link("l2") == shares.link_of("h2") == second

    def test_what_nobody_added_is_not_there(self, shares: Shares) -> None:
        assert shares.link("none") is shares.link_of("none") is None
        assert shares.hand_over("none") is shares.hand_over_of("none") is None
        assert shares.take_hand_over("none", NOW) is None

    def test_nothing_is_given_away_of_what_there_is_not(self, shares: Shares) -> None:
        with pytest.raises(UnknownStep):
            shares.add_link(an_observer_link(registration_id="none"))
        with pytest.raises(UnknownStep):
            shares.add_hand_over(a_hand_over(registration_id="none"))

    def test_that_a_link_is_used_and_revoked_is_noted(self, shares: Shares) -> None:
        shares.add_link(an_observer_link())
        shares.link_used("l1", NOW)
        shares.revoke_link("l1", LATER)
        shares.revoke_link("l1", LATER + MOMENT)
        assert shares.link("l1") == an_observer_link(used_at=NOW, revoked_at=LATER)

    def test_a_hand_over_is_taken_once(self, shares: Shares) -> None:
        shares.add_hand_over(a_hand_over())
        assert shares.take_hand_over("h1", LATER) == a_hand_over(taken_at=LATER)
        assert shares.take_hand_over("h1", LATER) is None
        assert shares.hand_over("ho1") == shares.hand_over_of("h1") == a_hand_over(taken_at=LATER)

    def test_a_hand_over_is_good_to_the_last_moment_and_no_longer(self, shares: Shares) -> None:
        shares.add_hand_over(a_hand_over())
        end = a_hand_over().expires_at
        assert shares.take_hand_over("h1", end + MOMENT) is None
        assert shares.take_hand_over("h1", end) is not None

    def test_a_new_hand_over_voids_the_one_before_of_the_same_account(self, shares: Shares) -> None:
        shares.add_hand_over(a_hand_over())
        shares.add_hand_over(a_hand_over(id="of-bob", token_hash="of-bob", account="bob"))
        shares.add_hand_over(a_hand_over(id="ho2", token_hash="h2", created_at=LATER))
        assert shares.take_hand_over("h1", LATER) is None
        assert shares.take_hand_over("of-bob", LATER) is not None
        assert shares.take_hand_over("h2", LATER) is not None

    def test_of_eight_who_take_a_hand_over_at_once_one_has_it(self, shares: Shares) -> None:
        shares.add_hand_over(a_hand_over())
        taken = at_once(8, lambda _: shares.take_hand_over("h1", NOW))
        assert [it is None for it in taken].count(False) == 1
