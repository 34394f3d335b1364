"""Accounts in memory. They pass the same contract suites as those on SQL."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from wizard.domain.account import Account, Invitation
from wizard.domain.person import Role
from wizard.domain.throttle import FORGOTTEN_AFTER, Bound, Tally
from wizard.errors import InvalidInput, Stale, UnknownStep
from wizard.text import say


@dataclass
class Link:
    expires_at: datetime
    used: bool = False

    def is_good(self, now: datetime) -> bool:
        return not self.used and now <= self.expires_at


class MemoryInvitations:
    """ports.Invitations."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._removed: dict[str, int] = {}
        """The epochs of those that are no more."""
        self._invitations: dict[str, Invitation] = {}
        self._lock = threading.RLock()

    def add_invitation(self, invitation: Invitation) -> None:
        self._invitations[invitation.id] = invitation

    def invitations(self, now: datetime) -> Sequence[Invitation]:
        return [it for it in reversed(self._invitations.values()) if it.is_open(now)]

    def invitation(self, token_hash: str, now: datetime) -> Invitation | None:
        return next((it for it in self.invitations(now) if it.token_hash == token_hash), None)

    def revoke_invitation(self, id: str, now: datetime) -> bool:
        with self._lock:
            found = self._invitations.get(id)
            if found is None or not found.is_open(now):
                return False
            self._invitations[id] = replace(found, revoked_at=now)
            return True

    def accept_invitation(self, token_hash: str, account: Account, now: datetime) -> Account | None:
        with self._lock:
            found = self.invitation(token_hash, now)
            if found is None:
                return None
            self.add_account(replace(account, role=found.role))
            self._invitations[found.id] = replace(found, used_at=now)
            return self._accounts[account.name]

    def add_account(self, account: Account) -> None:
        with self._lock:
            if account.name in self._accounts:
                raise InvalidInput(say("There is already an account of this name."), field="name")
            epoch = self._removed.pop(account.name, 0) + account.epoch
            self._accounts[account.name] = replace(account, epoch=epoch)


class MemoryTries:
    """ports.Tries."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._tries_lock = threading.Lock()

    def charge(self, bounds: Mapping[str, Bound], now: datetime) -> datetime | None:
        with self._tries_lock:
            recent = {key: it for key, it in self._tallies.items() if now - it.last_at <= FORGOTTEN_AFTER}
            tallies = {key: recent.get(key, Tally(failures=0, last_at=now)) for key in bounds}
            free_at = max(tally.free_at(bounds[key], now) for key, tally in tallies.items())
            if free_at > now:
                return free_at
            self._tallies = recent | {key: tally.charged(now) for key, tally in tallies.items()}
            return None

    def refund(self, kept: Collection[str], cleared: Collection[str]) -> None:
        with self._tries_lock:
            for key in cleared:
                self._tallies.pop(key, None)
            for key in kept:
                tally = self._tallies.get(key)
                if tally and tally.failures:
                    self._tallies[key] = replace(tally, failures=tally.failures - 1)


class MemoryAccounts(MemoryInvitations, MemoryTries):
    """ports.Accounts."""

    def __init__(self) -> None:
        MemoryInvitations.__init__(self)
        MemoryTries.__init__(self)
        self._ended: dict[str, datetime] = {}
        self._links: dict[str, Link] = {}

    def owner(self) -> Account | None:
        return next((it for it in self.accounts() if it.role is Role.ADMIN), None)

    def account(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def accounts(self) -> Sequence[Account]:
        return sorted(self._accounts.values(), key=lambda it: it.created_at)

    def change_role(self, name: str, role: Role, now: datetime) -> None:
        with self._lock:
            self._ensure_an_admin_stays(name, role)
            self._accounts[name] = replace(self._there(name), role=role)
            if role is not Role.ADMIN:
                self._end_invitations(name, now)

    def remove_account(self, name: str, now: datetime) -> None:
        with self._lock:
            self._ensure_an_admin_stays(name, None)
            self._removed[name] = self._there(name).epoch
            del self._accounts[name]
            self._end_invitations(name, now)

    def change_password(self, account: Account, password_hash: str) -> Account:
        with self._lock:
            stored = self._accounts.get(account.name)
            if stored is None or stored.epoch != account.epoch:
                raise Stale(say("The account was changed meanwhile."))
            self._accounts[account.name] = replace(stored, password_hash=password_hash)
            return self.raise_epoch(account.name)

    def raise_epoch(self, name: str) -> Account:
        with self._lock:
            stored = self._there(name)
            self._accounts[name] = replace(stored, epoch=stored.epoch + 1)
            return self._accounts[name]

    def signed_in(self, name: str, now: datetime) -> None:
        with self._lock:
            if name in self._accounts:
                self._accounts[name] = replace(self._accounts[name], signed_in_at=now)

    def account_in_session(self, name: str, session_id: str) -> Account | None:
        return None if session_id in self._ended else self.account(name)

    def end_session(self, session_id: str, now: datetime, until: datetime) -> None:
        still = {id: its_until for id, its_until in self._ended.items() if its_until >= now}
        self._ended = {session_id: until} | still

    def add_link(self, token_hash: str, now: datetime, expires_at: datetime) -> None:
        self._links[token_hash] = Link(expires_at)

    def link_is_good(self, token_hash: str, now: datetime) -> bool:
        return token_hash in self._links and self._links[token_hash].is_good(now)

    def use_link(self, token_hash: str, now: datetime) -> bool:
        if not self.link_is_good(token_hash, now):
            return False
        self._links[token_hash].used = True
        return True

    def _there(self, name: str) -> Account:
        if name not in self._accounts:
            raise UnknownStep(say("There is no such account any more."))
        return self._accounts[name]

    def _ensure_an_admin_stays(self, name: str, role: Role | None) -> None:
        if role is not Role.ADMIN and [it.name for it in self.accounts() if it.role is Role.ADMIN] == [name]:
            raise InvalidInput(say("Nothing was changed: %(name)s is the only admin.", name=name))

    def _end_invitations(self, made_by: str, now: datetime) -> None:
        for it in self.invitations(now):
            if it.made_by == made_by:
                self.revoke_invitation(it.id, now)
