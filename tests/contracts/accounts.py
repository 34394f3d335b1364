"""What every ports.Accounts must do. Inherit, and give a fixture `accounts` that is empty."""

from datetime import timedelta

import pytest

from tests.contracts.invitations import InvitationsContract
from tests.contracts.people import PeopleContract
from tests.contracts.store import at_once
from tests.contracts.tries import TriesContract
from tests.factories import NOW, an_account
from wizard.errors import InvalidInput
from wizard.ports import Accounts

LATER = NOW + timedelta(hours=24)
MOMENT = timedelta(milliseconds=1)


class AccountsContract(PeopleContract, InvitationsContract, TriesContract):
    def test_nobody_has_an_account_at_first(self, accounts: Accounts) -> None:
        assert accounts.owner() is None
        assert accounts.account("admin") is None

    def test_an_account_comes_back_as_it_was_added(self, accounts: Accounts) -> None:
        accounts.add_account(an_account(epoch=7))
        assert accounts.account("admin") == an_account(epoch=7)

    def test_the_owner_is_who_came_first(self, accounts: Accounts) -> None:
        accounts.add_account(an_account(name="zoe"))
        accounts.add_account(an_account(name="adam"))
        assert accounts.owner() == an_account(name="zoe")

    def test_a_name_is_taken_once(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        with pytest.raises(InvalidInput) as refusal:
            accounts.add_account(an_account(password_hash="another"))
        assert refusal.value.problem.field == "name"
        assert accounts.account("admin") == an_account()

    def test_a_link_is_used_once(self, accounts: Accounts) -> None:
        accounts.add_link("hash", NOW, LATER)
        assert accounts.link_is_good("hash", NOW)
        assert accounts.use_link("hash", NOW)
        assert not accounts.link_is_good("hash", NOW)
        assert not accounts.use_link("hash", NOW)

    def test_looking_at_a_link_does_not_use_it_up(self, accounts: Accounts) -> None:
        accounts.add_link("hash", NOW, LATER)
        assert all(accounts.link_is_good("hash", NOW) for _ in range(3))

    def test_a_link_is_good_to_the_last_moment_and_no_longer(self, accounts: Accounts) -> None:
        accounts.add_link("hash", NOW, LATER)
        assert not accounts.use_link("hash", LATER + MOMENT)
        assert accounts.use_link("hash", LATER)

    def test_an_unknown_link_is_not_good(self, accounts: Accounts) -> None:
        assert not accounts.link_is_good("none", NOW)
        assert not accounts.use_link("none", NOW)

    def test_of_twelve_who_use_a_link_at_once_one_comes_in(self, accounts: Accounts) -> None:
        accounts.add_link("hash", NOW, LATER)
        assert at_once(12, lambda _: accounts.use_link("hash", NOW)).count(True) == 1
