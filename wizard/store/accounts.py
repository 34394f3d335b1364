"""Who may sign in, and the one-time links."""

from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from wizard.domain.account import Account
from wizard.domain.person import Role
from wizard.errors import InvalidInput
from wizard.store.engine import open_engine, reading
from wizard.store.tables import accounts, links
from wizard.text import say


class SqlAccounts:
    """ports.Accounts on any database that SQLAlchemy speaks to; `url` is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def owner(self) -> Account | None:
        return self._one(select(accounts).order_by(accounts.c.number).limit(1))

    def account(self, name: str) -> Account | None:
        return self._one(select(accounts).where(accounts.c.name == name))

    def add_account(self, account: Account) -> None:
        row = insert(accounts).values(
            name=account.name,
            password_hash=account.password_hash,
            created_at=account.created_at,
            epoch=account.epoch,
            role=account.role,
        )
        try:
            with self._engine.begin() as db:
                db.execute(row)
        except IntegrityError as error:
            raise InvalidInput(
                say("There is already an account named %(name)s.", name=account.name),
                todo=say("Choose another name, or sign in with this one."),
                field="name",
            ) from error

    def add_link(self, token_hash: str, now: datetime, expires_at: datetime) -> None:
        with self._engine.begin() as db:
            db.execute(insert(links).values(token_hash=token_hash, created_at=now, expires_at=expires_at))

    def link_is_good(self, token_hash: str, now: datetime) -> bool:
        with self._reading.connect() as db:
            return db.execute(select(links.c.token_hash).where(_is_good(token_hash, now))).first() is not None

    def use_link(self, token_hash: str, now: datetime) -> bool:
        with self._engine.begin() as db:
            return db.execute(update(links).where(_is_good(token_hash, now)).values(used_at=now)).rowcount == 1

    def close(self) -> None:
        self._engine.dispose()

    def _one(self, query: Select[tuple[object, ...]]) -> Account | None:
        with self._reading.connect() as db:
            row = db.execute(query).first()
        return None if row is None else _account(row)


def _is_good(token_hash: str, now: datetime) -> ColumnElement[bool]:
    return and_(links.c.token_hash == token_hash, links.c.used_at.is_(None), links.c.expires_at >= now)


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        name=row.name,
        password_hash=row.password_hash,
        created_at=row.created_at,
        epoch=row.epoch,
        role=Role(row.role),
    )
