"""The audit trail in a database."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from wizard.domain.audit import Chain, Deed, End, Entry, Outcome, Sought, Way, verified
from wizard.store import documents
from wizard.store.engine import open_engine, reading
from wizard.store.tables import audit, audit_end
from wizard.text import Text, say

logger = logging.getLogger("wizard.audit")

BATCH = 500
"""Rows that are in memory at a time."""
EVERY = 100
"""Of so many entries, one has its digest logged."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What of a deed has no column of its own. What cannot be read any more fits to no digest."""

    way: Way = Way.STRANGER
    address: str = ""
    status: int = 0
    reason: Text | None = None
    details: Mapping[str, str] = field(default_factory=dict)


UNREADABLE = Kept(reason=say("This entry was changed, and cannot be read any more."))


class SqlTrail:
    """ports.Trail on any database that SQLAlchemy speaks to; `url` is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def append(self, deed: Deed) -> Entry:
        """The row of the end is the lock: whoever comes second waits for it, and reads what the first has written."""
        with self._engine.begin() as db:
            entry = _end(db, locked=True).followed_by(deed)
            db.execute(insert(audit).values(_columns(entry)))
            db.execute(update(audit_end).values(number=entry.number, digest=entry.digest))
        if entry.number % EVERY == 0:
            logger.warning("audit trail: entry %s has the digest %s", entry.number, entry.digest)
        return entry

    def entries(self, sought: Sought, before: int | None = None, most: int | None = None) -> Iterator[Entry]:
        query = select(audit).where(*_conditions(sought)).order_by(audit.c.number.desc())
        left = most
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            below = () if before is None else (audit.c.number < before,)
            rows = self._rows(query.where(*below).limit(size))
            yield from map(_entry, rows)
            if len(rows) < size:
                return
            before = rows[-1].number
            left = None if left is None else left - size

    def count(self, sought: Sought) -> int:
        query = select(func.count()).select_from(audit).where(*_conditions(sought))
        with self._reading.connect() as db:
            return db.execute(query).scalar_one()

    def people(self) -> Sequence[str]:
        return sorted(row.who for row in self._rows(select(audit.c.who).distinct()) if row.who)

    def end(self) -> End:
        with self._reading.connect() as db:
            return _end(db)

    def chain(self) -> Chain:
        return verified(self._oldest_first(), self.end)

    def _oldest_first(self) -> Iterator[Entry]:
        query, last = select(audit).order_by(audit.c.number).limit(BATCH), None
        while True:
            rows = self._rows(query if last is None else query.where(audit.c.number > last))
            yield from map(_entry, rows)
            if len(rows) < BATCH:
                return
            last = rows[-1].number

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._reading.connect() as db:
            return db.execute(query).all()


def _end(db: Connection, *, locked: bool = False) -> End:
    query = select(audit_end)
    row = db.execute(query.with_for_update() if locked else query).one()
    return End(number=row.number, digest=row.digest)


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    same = {
        audit.c.who: sought.who,
        audit.c.act: sought.act,
        audit.c.outcome: sought.outcome,
        audit.c.registration_id: sought.registration,
    }
    conditions = [column == value for column, value in same.items() if value]
    if sought.since is not None:
        conditions.append(audit.c.at >= sought.since)
    if sought.until is not None:
        conditions.append(audit.c.at < sought.until)
    return conditions


def _columns(entry: Entry) -> dict[str, object]:
    """What is looked for has a column of its own, and is nowhere else: a changed column is a changed entry."""
    deed = entry.deed
    kept = Kept(way=deed.way, address=deed.address, status=deed.status, reason=deed.reason, details=deed.details)
    return {
        "number": entry.number,
        "at": deed.at,
        "who": deed.who,
        "act": deed.act,
        "outcome": deed.outcome.value,
        "registration_id": deed.registration,
        "document": documents.write(kept),
        "digest": entry.digest,
    }


def _entry(row: Row[Any]) -> Entry:
    try:
        kept, outcome = documents.read(row.document, Kept), Outcome(row.outcome)
    except (msgspec.MsgspecError, ValueError):
        kept, outcome = UNREADABLE, Outcome.FAILED
    deed = Deed(
        at=row.at,
        who=row.who,
        way=kept.way,
        address=kept.address,
        act=row.act,
        outcome=outcome,
        status=kept.status,
        reason=kept.reason,
        registration=row.registration_id,
        details=kept.details,
    )
    return Entry(number=row.number, deed=deed, digest=row.digest)
