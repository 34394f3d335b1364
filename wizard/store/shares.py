"""Who is at work on a registration, and the links that were given away of it, in a database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, insert, select, update

from wizard.domain.share import HandOver, ObserverLink
from wizard.domain.turn import Place, Turn, arrived, taken
from wizard.errors import UnknownStep
from wizard.store.engine import open_engine, reading
from wizard.store.tables import hand_overs, observer_links, registrations, turns
from wizard.text import say

TURN = select(turns).where(turns.c.registration_id == bindparam("id"))
"""Each open page asks this with every poll: one row, by its key."""


class SqlTurns:
    """ports.Turns on any database that SQLAlchemy speaks to; `url` is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def arrive(self, registration_id: str, place: Place, now: datetime, life: timedelta) -> Turn:
        with self._reading.connect() as db:
            seen = _turn(db, registration_id)
        if seen is not None and arrived(seen, place, now, life) is seen:
            return seen
        with self._engine.begin() as db:
            _lock(db, registration_id)
            turn = _turn(db, registration_id)  # once more, now that nobody else can change it
            return _written(db, registration_id, turn, arrived(turn, place, now, life))

    def take_over(self, registration_id: str, place: Place, now: datetime, life: timedelta) -> Turn:
        with self._engine.begin() as db:
            _lock(db, registration_id)
            turn = _turn(db, registration_id)
            return _written(db, registration_id, turn, taken(turn, place, now, life))


class SqlShares:
    """ports.Shares on any database that SQLAlchemy speaks to; `url` is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def add_link(self, link: ObserverLink) -> None:
        with self._engine.begin() as db:
            _lock(db, link.registration_id)
            db.execute(insert(observer_links).values(vars(link)))

    def links(self, registration_id: str) -> Sequence[ObserverLink]:
        of_it = select(observer_links).where(observer_links.c.registration_id == registration_id)
        with self._reading.connect() as db:
            return [_link(row) for row in db.execute(of_it.order_by(observer_links.c.number.desc()))]

    def link(self, id: str) -> ObserverLink | None:
        row = self._row(select(observer_links).where(observer_links.c.id == id))
        return None if row is None else _link(row)

    def link_of(self, token_hash: str) -> ObserverLink | None:
        row = self._row(select(observer_links).where(observer_links.c.token_hash == token_hash))
        return None if row is None else _link(row)

    def link_used(self, id: str, now: datetime) -> None:
        with self._engine.begin() as db:
            db.execute(update(observer_links).where(observer_links.c.id == id).values(used_at=now))

    def revoke_link(self, id: str, now: datetime) -> None:
        of_it = (observer_links.c.id == id, observer_links.c.revoked_at.is_(None))
        with self._engine.begin() as db:
            db.execute(update(observer_links).where(*of_it).values(revoked_at=now))

    def add_hand_over(self, hand_over: HandOver) -> None:
        open_ones = and_(
            hand_overs.c.registration_id == hand_over.registration_id,
            hand_overs.c.account == hand_over.account,
            hand_overs.c.taken_at.is_(None),
            hand_overs.c.expires_at >= hand_over.created_at,
        )
        with self._engine.begin() as db:
            _lock(db, hand_over.registration_id)
            before = hand_over.created_at - timedelta.resolution
            db.execute(update(hand_overs).where(open_ones).values(expires_at=before))
            db.execute(insert(hand_overs).values(vars(hand_over)))

    def hand_over(self, id: str) -> HandOver | None:
        row = self._row(select(hand_overs).where(hand_overs.c.id == id))
        return None if row is None else _hand_over(row)

    def hand_over_of(self, token_hash: str) -> HandOver | None:
        row = self._row(select(hand_overs).where(hand_overs.c.token_hash == token_hash))
        return None if row is None else _hand_over(row)

    def take_hand_over(self, token_hash: str, now: datetime) -> HandOver | None:
        is_good = and_(
            hand_overs.c.token_hash == token_hash, hand_overs.c.taken_at.is_(None), hand_overs.c.expires_at >= now
        )
        take = update(hand_overs).where(is_good).values(taken_at=now).returning(hand_overs)
        with self._engine.begin() as db:
            row = db.execute(take).first()
        return None if row is None else _hand_over(row)

    def _row(self, query: Select[Any]) -> Row[Any] | None:
        with self._reading.connect() as db:
            return db.execute(query).first()


def _lock(db: Connection, registration_id: str) -> None:
    """Nobody else can change what belongs to the registration before this transaction ends."""
    of_it = select(registrations.c.id).where(registrations.c.id == registration_id).with_for_update()
    if db.execute(of_it).first() is None:
        raise UnknownStep(say("There is no such registration."), todo=say("Go back to the list of registrations."))


def _turn(db: Connection, registration_id: str) -> Turn | None:
    row = db.execute(TURN, {"id": registration_id}).first()
    if row is None:
        return None
    return Turn(
        number=row.number,
        place=Place(person=row.person, browser=row.browser),
        since=row.since,
        seen_at=row.seen_at,
        until=row.until,
        before=None if row.before_person is None else Place(person=row.before_person, browser=row.before_browser),
        taken_over=row.taken_over,
    )


def _written(db: Connection, registration_id: str, before: Turn | None, turn: Turn) -> Turn:
    values = {
        "number": turn.number,
        "person": turn.place.person,
        "browser": turn.place.browser,
        "since": turn.since,
        "seen_at": turn.seen_at,
        "until": turn.until,
        "before_person": turn.before.person if turn.before else None,
        "before_browser": turn.before.browser if turn.before else None,
        "taken_over": turn.taken_over,
    }
    if before is None:
        db.execute(insert(turns).values(registration_id=registration_id, **values))
    elif turn is not before:
        db.execute(update(turns).where(turns.c.registration_id == registration_id).values(**values))
    return turn


def _link(row: Row[Any]) -> ObserverLink:
    return ObserverLink(**{name: value for name, value in row._mapping.items() if name != "number"})


def _hand_over(row: Row[Any]) -> HandOver:
    return HandOver(**{name: value for name, value in row._mapping.items() if name != "number"})
