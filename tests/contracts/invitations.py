"""What every ports.Invitations must do. Part of the suite of accounts."""

from datetime import timedelta

import pytest

from tests.contracts.store import at_once
from tests.factories import NOW, an_account, an_invitation
from wizard.domain.account import INVITATION_LIFE
from wizard.domain.person import Role
from wizard.errors import InvalidInput
from wizard.ports import Accounts

END = NOW + INVITATION_LIFE
MOMENT = timedelta(milliseconds=1)


class InvitationsContract:
    def test_the_newest_open_invitation_is_the_first_of_the_list(self, accounts: Accounts) -> None:
        first, second = an_invitation(), an_invitation(id="i2", token_hash="another", role=Role.ADMIN)
        accounts.add_invitation(first)
        accounts.add_invitation(second)
        assert list(accounts.invitations(NOW)) == [second, first]
        assert accounts.invitation("hash", NOW) == first

    def test_an_invitation_is_open_to_the_last_moment_and_no_longer(self, accounts: Accounts) -> None:
        accounts.add_invitation(an_invitation())
        assert accounts.invitation("hash", END) == an_invitation()
        assert accounts.invitation("hash", END + MOMENT) is None
        assert not accounts.invitations(END + MOMENT)
        assert accounts.accept_invitation("hash", an_account(), END + MOMENT) is None
        assert accounts.accept_invitation("hash", an_account(), END) is not None

    def test_whoever_accepts_it_has_its_role_whatever_they_ask_for(self, accounts: Accounts) -> None:
        accounts.add_invitation(an_invitation(role=Role.OBSERVER))
        accepted = accounts.accept_invitation("hash", an_account(role=Role.ADMIN), NOW)
        assert accepted == accounts.account("admin") == an_account(role=Role.OBSERVER)

    def test_an_invitation_is_accepted_once(self, accounts: Accounts) -> None:
        accounts.add_invitation(an_invitation())
        accounts.accept_invitation("hash", an_account(), NOW)
        assert accounts.invitation("hash", NOW) is None
        assert accounts.accept_invitation("hash", an_account(name="eve"), NOW) is None
        assert accounts.account("eve") is None

    def test_of_twelve_who_accept_it_at_once_one_has_an_account(self, accounts: Accounts) -> None:
        accounts.add_invitation(an_invitation())
        names = [f"person {number}" for number in range(12)]
        accepted = at_once(12, lambda n: accounts.accept_invitation("hash", an_account(name=names[n]), NOW))
        assert [it.name for it in accounts.accounts()] == [it.name for it in accepted if it]
        assert accepted.count(None) == 11

    def test_a_name_that_is_taken_leaves_the_invitation_open(self, accounts: Accounts) -> None:
        accounts.add_account(an_account())
        accounts.add_invitation(an_invitation())
        with pytest.raises(InvalidInput) as refusal:
            accounts.accept_invitation("hash", an_account(password_hash="another"), NOW)
        assert refusal.value.problem.field == "name"
        assert accounts.account("admin") == an_account()
        assert accounts.accept_invitation("hash", an_account(name="eve"), NOW) is not None

    def test_a_revoked_invitation_lets_nobody_in(self, accounts: Accounts) -> None:
        accounts.add_invitation(an_invitation())
        assert accounts.revoke_invitation("i1", NOW)
        assert not accounts.revoke_invitation("i1", NOW)
        assert not accounts.invitations(NOW)
        assert accounts.accept_invitation("hash", an_account(), NOW) is None

    def test_nothing_is_known_of_an_invitation_that_never_was(self, accounts: Accounts) -> None:
        assert accounts.invitation("none", NOW) is None
        assert accounts.accept_invitation("none", an_account(), NOW) is None
        assert not accounts.revoke_invitation("none", NOW)

    @pytest.mark.parametrize("loses", ["role", "account"])
    def test_the_invitations_of_an_admin_end_with_the_rights(self, accounts: Accounts, loses: str) -> None:
        """Else they could come back as an admin by one of their own."""
        for name in ("admin", "zoe"):
            accounts.add_account(an_account(name=name))
            accounts.add_invitation(an_invitation(id=name, token_hash=name, made_by=name))
        if loses == "role":
            accounts.change_role("zoe", Role.OBSERVER, NOW)
        else:
            accounts.remove_account("zoe", NOW)
        assert [it.made_by for it in accounts.invitations(NOW)] == ["admin"]
