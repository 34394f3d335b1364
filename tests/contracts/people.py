"""What every ports.Accounts must do for people who come and go. Part of the suite of accounts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.contracts.store import at_once
from tests.factories import NOW, an_account
from wizard.domain.person import Role
from wizard.errors import InvalidInput, Stale, UnknownStep
from wizard.ports import Accounts

LATER = NOW + timedelta(hours=12)
MOMENT = timedelta(milliseconds=1)


class PeopleContract:
    def test_all_are_listed_as_they_came(self, accounts: Accounts) -> None:
        zoe, adam = an_account(name="zoe"), an_account(name="adam", created_at=LATER, role=Role.OBSERVER)
        accounts.add_account(zoe)
        accounts.add_account(adam)
        assert list(accounts.accounts()) == [zoe, adam]

    def test_the_owner_is_the_first_of_the_admins(self, accounts: Accounts) -> None:
        accounts.add_account(an_account(name="eve", role=Role.OBSERVER))
        assert accounts.owner() is None
        accounts.add_account(an_account(name="zoe", created_at=LATER))
        assert accounts.owner() == an_account(name="zoe", created_at=LATER)

    def test_when_somebody_signed_in_last_is_noted(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        accounts.signed_in("admin", LATER)
        accounts.signed_in("nobody", LATER)
        assert accounts.account("admin") == an_account(signed_in_at=LATER)

    def test_the_last_admin_is_neither_demoted_nor_removed(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        accounts.add_account(an_account(name="eve", role=Role.OBSERVER))
        with pytest.raises(InvalidInput):
            accounts.change_role("admin", Role.OBSERVER, NOW)
        with pytest.raises(InvalidInput):
            accounts.remove_account("admin", NOW)
        accounts.change_role("admin", Role.ADMIN, NOW)
        accounts.change_role("eve", Role.ADMIN, NOW)
        accounts.remove_account("admin", NOW)
        assert [(it.name, it.role) for it in accounts.accounts()] == [("eve", Role.ADMIN)]

    @pytest.mark.parametrize("act", ["demote", "remove"])
    def test_of_twelve_admins_who_put_each_other_out_at_once_one_stays(self, accounts: Accounts, act: str) -> None:
        for number in range(12):
            accounts.add_account(an_account(name=f"admin {number}"))

        def put_out(number: int) -> bool:
            name = f"admin {(number + 1) % 12}"
            try:
                if act == "remove":
                    accounts.remove_account(name, NOW)
                else:
                    accounts.change_role(name, Role.OBSERVER, NOW)
            except InvalidInput:
                return False
            return True

        assert at_once(12, put_out).count(True) == 11
        assert [it.role for it in accounts.accounts()].count(Role.ADMIN) == 1

    def test_who_was_removed_is_no_more(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        accounts.add_account(an_account(name="eve"))
        accounts.remove_account("eve", NOW)
        assert accounts.account("eve") is None
        assert accounts.account_in_session("eve", "any") is None
        for act in (
            lambda: accounts.remove_account("eve", NOW),
            lambda: accounts.change_role("eve", Role.ADMIN, NOW),
            lambda: accounts.raise_epoch("eve"),
        ):
            with pytest.raises(UnknownStep):
                act()

    def test_the_epoch_of_a_name_goes_on_when_it_is_given_again(self, accounts: Accounts) -> None:
        """The sessions of the one who was removed are not those of the one who has the name now."""
        accounts.add_account(an_account())
        accounts.add_account(an_account(name="eve", epoch=4))
        accounts.remove_account("eve", NOW)
        accounts.add_account(an_account(name="eve", created_at=LATER, role=Role.OBSERVER))
        assert accounts.account("eve") == an_account(name="eve", created_at=LATER, role=Role.OBSERVER, epoch=5)
        assert [it.name for it in accounts.accounts()] == ["admin", "eve"]

    def test_a_new_password_ends_the_sessions(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        changed = accounts.change_password(an_account(), "new")
        assert changed == accounts.account("admin") == an_account(password_hash="new", epoch=2)

    def test_of_twelve_new_passwords_at_once_one_is_taken(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())

        def change(number: int) -> bool:
            try:
                accounts.change_password(an_account(), f"hash {number}")
            except Stale:
                return False
            return True

        assert at_once(12, change).count(True) == 1

    def test_raising_the_epoch_changes_nothing_else(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        assert accounts.raise_epoch("admin") == accounts.account("admin") == replace(an_account(), epoch=2)

    def test_a_session_that_was_ended_is_nobodys(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        for _ in range(2):
            accounts.end_session("s1", NOW, LATER)
        assert accounts.account_in_session("admin", "s1") is None
        assert accounts.account_in_session("admin", "s2") == an_account()
        assert accounts.account_in_session("nobody", "s2") is None

    def test_an_ended_session_is_remembered_as_long_as_it_could_have_lasted(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        accounts.end_session("s1", NOW, LATER)
        accounts.end_session("s2", LATER, LATER + LATER.resolution)
        assert accounts.account_in_session("admin", "s1") is None
        accounts.end_session("s3", LATER + MOMENT, LATER + timedelta(days=1))
        assert accounts.account_in_session("admin", "s1") == an_account()
