"""Invitations, and the account that comes of one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from wizard.domain.account import Account, Invitation
from wizard.domain.person import Role
from wizard.errors import InvalidInput
from wizard.store.tables import accounts, invitations
from wizard.text import say


class SqlInvitations:
    """ports.Invitations."""

    _engine: Engine
    _reading: Engine

    def add_invitation(self, invitation: Invitation) -> None:
        with self._engine.begin() as db:
            db.execute(insert(invitations).values(vars(invitation)))

    def invitations(self, now: datetime) -> Sequence[Invitation]:
        query = select(invitations).where(is_open(now)).order_by(invitations.c.number.desc())
        with self._reading.connect() as db:
            return [_invitation(row) for row in db.execute(query)]

    def invitation(self, token_hash: str, now: datetime) -> Invitation | None:
        query = select(invitations).where(invitations.c.token_hash == token_hash, is_open(now))
        with self._reading.connect() as db:
            row = db.execute(query).first()
        return None if row is None else _invitation(row)

    def revoke_invitation(self, id: str, now: datetime) -> bool:
        of_it = (invitations.c.id == id, is_open(now))
        with self._engine.begin() as db:
            return db.execute(update(invitations).where(*of_it).values(revoked_at=now)).rowcount == 1

    def accept_invitation(self, token_hash: str, account: Account, now: datetime) -> Account | None:
        of_it = (invitations.c.token_hash == token_hash, is_open(now))
        use = update(invitations).where(*of_it).values(used_at=now).returning(invitations.c.role)
        with self._engine.begin() as db:
            role = db.execute(use).scalar()
            return None if role is None else add(db, account, Role(role))


def is_open(now: datetime) -> ColumnElement[bool]:
    unspent = and_(invitations.c.used_at.is_(None), invitations.c.revoked_at.is_(None))
    return and_(unspent, invitations.c.expires_at >= now)


def add(db: Connection, account: Account, role: Role) -> Account:
    """As it was added. Raises out of the transaction, which takes everything back, when the name is taken."""
    values = vars(account) | {"role": role}
    again = update(accounts).where(accounts.c.name == account.name, accounts.c.removed_at.is_not(None))
    anew = values | {"epoch": accounts.c.epoch + account.epoch, "removed_at": None}
    row = db.execute(again.values(anew).returning(accounts)).first()
    if row is not None:
        return account_of(row)
    try:
        row = db.execute(insert(accounts).values(values).returning(accounts)).one()
    except IntegrityError as error:
        raise InvalidInput(
            say("There is already an account named %(name)s.", name=account.name),
            todo=say("Choose another name, or sign in with this one."),
            field="name",
        ) from error
    return account_of(row)


def account_of(row: Row[Any]) -> Account:
    return Account(
        name=row.name,
        password_hash=row.password_hash,
        created_at=row.created_at,
        epoch=row.epoch,
        role=Role(row.role),
        signed_in_at=row.signed_in_at,
    )


def _invitation(row: Row[Any]) -> Invitation:
    values = {name: value for name, value in row._mapping.items() if name != "number"}
    return Invitation(**values | {"role": Role(row.role)})
