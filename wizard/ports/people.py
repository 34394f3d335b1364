"""Who may come in."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from wizard.domain.account import Account, Invitation
from wizard.domain.person import Role
from wizard.domain.throttle import Bound


class Invitations(Protocol):
    """The links by which others make accounts of their own, kept as hashes."""

    def add_invitation(self, invitation: Invitation) -> None: ...

    def invitations(self, now: datetime) -> Sequence[Invitation]:
        """Those that are open, the newest first."""
        ...

    def invitation(self, token_hash: str, now: datetime) -> Invitation | None:
        """The open one of that hash. Does not use it up."""
        ...

    def revoke_invitation(self, id: str, now: datetime) -> bool:
        """False when it was not open any more."""
        ...

    def accept_invitation(self, token_hash: str, account: Account, now: datetime) -> Account | None:
        """Use it up and add the account, with the invitation's role: both, or neither. None when it was not open.

        InvalidInput when the name is taken; the invitation stays open then.
        """
        ...


class Tries(Protocol):
    """Counts of wrong passwords, for all replicas together."""

    def charge(self, bounds: Mapping[str, Bound], now: datetime) -> datetime | None:
        """Count one wrong try under each key, before it is looked at; None when it may be looked at.

        Where one of the keys has to wait, nothing is counted, and the moment is returned at which all of them are free.
        Of any number at the same time no more come through than one after the other.
        """
        ...

    def refund(self, kept: Collection[str], cleared: Collection[str]) -> None:
        """The try was right: take one back under the keys that are kept, and all under those that are cleared."""
        ...


class Accounts(Invitations, Tries, Protocol):
    """Who may sign in, and the one-time links that let a person in without a password, kept as hashes."""

    def owner(self) -> Account | None:
        """The first of the admins: whom a one-time link of the terminal signs in. None before there is any."""
        ...

    def account(self, name: str) -> Account | None: ...

    def accounts(self) -> Sequence[Account]:
        """All, in the order in which they were made."""
        ...

    def add_account(self, account: Account) -> None:
        """InvalidInput when the name is taken. Who was removed can be added again: the epoch goes on from theirs."""
        ...

    def change_role(self, name: str, role: Role, now: datetime) -> None:
        """InvalidInput when it is the last admin, UnknownStep when there is no such account.

        The open invitations of an admin end with the role.
        """
        ...

    def remove_account(self, name: str, now: datetime) -> None:
        """End its sessions and its open invitations as well. InvalidInput and UnknownStep as above."""
        ...

    def change_password(self, account: Account, password_hash: str) -> Account:
        """Raises the epoch as well. Stale when the account was changed meanwhile."""
        ...

    def raise_epoch(self, name: str) -> Account:
        """End all sessions of the account. UnknownStep when there is no such account."""
        ...

    def signed_in(self, name: str, now: datetime) -> None: ...

    def account_in_session(self, name: str, session_id: str) -> Account | None:
        """The account, unless that session was ended."""
        ...

    def end_session(self, session_id: str, now: datetime, until: datetime) -> None:
        """Remember that it was ended, for as long as it could have lasted. Ending it twice is no error."""
        ...

    def add_link(self, token_hash: str, now: datetime, expires_at: datetime) -> None: ...

    def link_is_good(self, token_hash: str, now: datetime) -> bool:
        """Whether it exists, was not used, and has not expired. Does not use it up."""
        ...

    def use_link(self, token_hash: str, now: datetime) -> bool:
        """Use it up, in one conditional UPDATE; False when it was not good."""
        ...
