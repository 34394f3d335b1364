"""Who may come in."""

from datetime import datetime
from typing import Protocol

from wizard.domain.account import Account


class Accounts(Protocol):
    """Who may sign in, and the one-time links that let a person in without a password, kept as hashes."""

    def owner(self) -> Account | None:
        """The account that was made first: whom a one-time link of the terminal signs in. None before there is any."""
        ...

    def account(self, name: str) -> Account | None: ...

    def add_account(self, account: Account) -> None:
        """InvalidInput when the name is taken."""
        ...

    def add_link(self, token_hash: str, now: datetime, expires_at: datetime) -> None: ...

    def link_is_good(self, token_hash: str, now: datetime) -> bool:
        """Whether it exists, was not used, and has not expired. Does not use it up."""
        ...

    def use_link(self, token_hash: str, now: datetime) -> bool:
        """Use it up, in one conditional UPDATE; False when it was not good."""
        ...
