"""Counts of wrong passwords: charged in one transaction that holds the rows, so that many at once get no more."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from wizard.domain.throttle import FORGOTTEN_AFTER, Bound, Tally
from wizard.store.tables import tries

INSERTS: Mapping[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The same words in both databases; SQLAlchemy has them once for each."""


class SqlTries:
    """ports.Tries."""

    _engine: Engine

    def charge(self, bounds: Mapping[str, Bound], now: datetime) -> datetime | None:
        self._forget(now)
        with self._engine.connect() as db, db.begin() as transaction:
            tallies = _held(db, sorted(bounds), now)
            free_at = max(tally.free_at(bounds[key], now) for key, tally in tallies.items())
            if free_at > now:
                transaction.rollback()
                return free_at
            for key, tally in tallies.items():
                charged = tally.charged(now)
                counted = {"failures": charged.failures, "last_at": charged.last_at}
                db.execute(update(tries).where(tries.c.key == key).values(counted))
            return None

    def refund(self, kept: Collection[str], cleared: Collection[str]) -> None:
        with self._engine.begin() as db:
            db.execute(delete(tries).where(tries.c.key.in_(cleared)))
            for key in sorted(kept):
                theirs = (tries.c.key == key, tries.c.failures > 0)
                db.execute(update(tries).where(*theirs).values(failures=tries.c.failures - 1))

    def _forget(self, now: datetime) -> None:
        with self._engine.begin() as db:
            db.execute(delete(tries).where(tries.c.last_at < now - FORGOTTEN_AFTER))


def _held(db: Connection, keys: Sequence[str], now: datetime) -> dict[str, Tally]:
    """What stands under each key; nobody else can change it before this transaction ends. In one order: no deadlock."""
    insert = INSERTS[db.dialect.name]
    for key in keys:
        db.execute(insert(tries).values(key=key, failures=0, last_at=now).on_conflict_do_nothing())
    held = select(tries).where(tries.c.key.in_(keys)).order_by(tries.c.key).with_for_update()
    return {row.key: Tally(failures=row.failures, last_at=row.last_at) for row in db.execute(held)}
