"""Who may sign in, the sessions that were ended, and the one-time links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)

from wizard.domain.account import Account
from wizard.domain.person import Role
from wizard.errors import InvalidInput, Stale, UnknownStep
from wizard.store.engine import open_engine, reading
from wizard.store.invitations import SqlInvitations, account_of, add, is_open
from wizard.store.tables import accounts, ended_sessions, invitations, links
from wizard.store.tries import INSERTS, SqlTries
from wizard.text import say

THERE = accounts.c.removed_at.is_(None)
IN_SESSION = select(accounts).where(
    accounts.c.name == bindparam("name"),
    THERE,
    ~exists().where(ended_sessions.c.id == bindparam("session_id")),
)
"""Each request of somebody who has signed in asks this: two rows, by their keys."""


class SqlAccounts(SqlInvitations, SqlTries):
    """ports.Accounts on any database that SQLAlchemy speaks to; `url` is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def owner(self) -> Account | None:
        admins = select(accounts).where(THERE, accounts.c.role == Role.ADMIN)
        return self._one(admins.order_by(accounts.c.created_at, accounts.c.number).limit(1))

    def account(self, name: str) -> Account | None:
        return self._one(select(accounts).where(accounts.c.name == name, THERE))

    def accounts(self) -> Sequence[Account]:
        query = select(accounts).where(THERE).order_by(accounts.c.created_at, accounts.c.number)
        with self._reading.connect() as db:
            return [account_of(row) for row in db.execute(query)]

    def add_account(self, account: Account) -> None:
        with self._engine.begin() as db:
            add(db, account, account.role)

    def change_role(self, name: str, role: Role, now: datetime) -> None:
        with self._engine.begin() as db:
            _ensure_an_admin_stays(db, name, role)
            _changed(db, name, role=role)
            if role is not Role.ADMIN:
                _end_invitations(db, name, now)

    def remove_account(self, name: str, now: datetime) -> None:
        with self._engine.begin() as db:
            _ensure_an_admin_stays(db, name, None)
            _changed(db, name, removed_at=now)
            _end_invitations(db, name, now)

    def change_password(self, account: Account, password_hash: str) -> Account:
        of_it = (accounts.c.name == account.name, accounts.c.epoch == account.epoch, THERE)
        change = update(accounts).where(*of_it).values(password_hash=password_hash, epoch=account.epoch + 1)
        with self._engine.begin() as db:
            row = db.execute(change.returning(accounts)).first()
        if row is None:
            raise Stale(
                say("The password was not changed: the account was, meanwhile, in another browser."),
                todo=say("Sign in again, then look whether it still has to be done."),
            )
        return account_of(row)

    def raise_epoch(self, name: str) -> Account:
        with self._engine.begin() as db:
            return _changed(db, name, epoch=accounts.c.epoch + 1)

    def signed_in(self, name: str, now: datetime) -> None:
        with self._engine.begin() as db:
            db.execute(update(accounts).where(accounts.c.name == name).values(signed_in_at=now))

    def account_in_session(self, name: str, session_id: str) -> Account | None:
        return self._one(IN_SESSION, name=name, session_id=session_id)

    def end_session(self, session_id: str, now: datetime, until: datetime) -> None:
        with self._engine.begin() as db:
            db.execute(delete(ended_sessions).where(ended_sessions.c.until < now))
            ended = INSERTS[db.dialect.name](ended_sessions).values(id=session_id, until=until)
            db.execute(ended.on_conflict_do_nothing())

    def add_link(self, token_hash: str, now: datetime, expires_at: datetime) -> None:
        with self._engine.begin() as db:
            db.execute(insert(links).values(token_hash=token_hash, created_at=now, expires_at=expires_at))

    def link_is_good(self, token_hash: str, now: datetime) -> bool:
        with self._reading.connect() as db:
            return db.execute(select(links.c.token_hash).where(_is_good(token_hash, now))).first() is not None

    def use_link(self, token_hash: str, now: datetime) -> bool:
        with self._engine.begin() as db:
            return db.execute(update(links).where(_is_good(token_hash, now)).values(used_at=now)).rowcount == 1

    def _one(self, query: Select[Any], **values: str) -> Account | None:
        with self._reading.connect() as db:
            row = db.execute(query, values).first()
        return None if row is None else account_of(row)


def _is_good(token_hash: str, now: datetime) -> ColumnElement[bool]:
    return and_(links.c.token_hash == token_hash, links.c.used_at.is_(None), links.c.expires_at >= now)


def _ensure_an_admin_stays(db: Connection, name: str, role: Role | None) -> None:
    """Nobody else can change an admin before this transaction ends: two who demote each other do it in turn."""
    of_admins = select(accounts.c.name).where(THERE, accounts.c.role == Role.ADMIN)
    admins = set(db.scalars(of_admins.order_by(accounts.c.number).with_for_update()))
    if admins == {name} and role is not Role.ADMIN:
        raise InvalidInput(
            say("Nothing was changed: %(name)s is the only admin.", name=name),
            why=say("Without an admin nobody could change anything here."),
            todo=say("Make somebody else an admin before."),
        )


def _changed(db: Connection, name: str, **values: object) -> Account:
    row = db.execute(update(accounts).where(accounts.c.name == name, THERE).values(values).returning(accounts)).first()
    if row is None:
        raise UnknownStep(
            say("There is no account named %(name)s any more.", name=name), todo=say("Load the page again.")
        )
    return account_of(row)


def _end_invitations(db: Connection, made_by: str, now: datetime) -> None:
    """Who is no admin any more could come back as one by an invitation of their own."""
    db.execute(update(invitations).where(invitations.c.made_by == made_by, is_open(now)).values(revoked_at=now))
