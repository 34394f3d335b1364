"""Registrations, operations and the health of nodes in a database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from wizard.domain.deployment import Deployment, ServerStatus
from wizard.domain.inspection import Inspection
from wizard.domain.instance import Health
from wizard.domain.operation import LEASE, Operation, OperationState
from wizard.domain.registration import Registration
from wizard.errors import Stale, UnknownStep
from wizard.store import documents
from wizard.store.engine import open_engine, reading
from wizard.store.tables import healths, inspections, is_active, operations, registrations
from wizard.text import say

REVISION = select(
    registrations.c.revision,
    select(func.coalesce(func.sum(operations.c.revision), 0))
    .where(operations.c.registration_id == registrations.c.id)
    .scalar_subquery(),
    select(func.coalesce(func.sum(healths.c.revision), 0)).scalar_subquery(),
    select(func.coalesce(func.sum(inspections.c.revision), 0))
    .where(inspections.c.registration_id == registrations.c.id)
    .scalar_subquery(),
).where(registrations.c.id == bindparam("id"))
"""Each open page asks this every second: one statement. The sums only ever rise, since no row is ever removed."""


class SqlStore:
    """ports.Store on any database that SQLAlchemy speaks to; `url` is SQLAlchemy's. Run `migrate(url)` before."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def registrations(self) -> Sequence[Registration]:
        query = select(registrations).order_by(registrations.c.number.desc())
        return [_registration(row) for row in self._rows(query)]

    def registration(self, id: str) -> Registration:
        rows = self._rows(select(registrations).where(registrations.c.id == id))
        if not rows:
            raise _no_such_registration()
        return _registration(rows[0])

    def save(self, registration: Registration) -> Registration:
        saved = _next(registration)
        with self._engine.begin() as db:
            if registration.version == 0:
                _insert(db, saved)
            else:
                _update(db, saved)
        return saved

    def observe(self, id: str, status: ServerStatus) -> None:
        with self._engine.begin() as db:
            stored = _locked(db, id)
            if stored.deployment is None or (stored.server and stored.server.seen_at > status.seen_at):
                return
            change = 0 if status.says_the_same_as(stored.server) else 1
            db.execute(
                update(registrations)
                .where(registrations.c.id == id)
                .values(observed=documents.write(status), revision=registrations.c.revision + change)
            )

    def cleared(self, id: str, name: str) -> None:
        with self._engine.begin() as db:
            left = tuple(deployment for deployment in _locked(db, id).discarded if deployment.name != name)
            db.execute(
                update(registrations)
                .where(registrations.c.id == id)
                .values(discarded=documents.write(left), revision=registrations.c.revision + 1)
            )

    def queue(self, operation: Operation) -> Operation:
        with self._engine.begin() as db:
            _locked(db, operation.registration_id)  # one at a time for each registration
            query = select(operations).where(operations.c.registration_id == operation.registration_id, is_active)
            active = db.execute(query).first()
            if active is not None:
                return _operation(active)
            db.execute(
                insert(operations).values(
                    id=operation.id,
                    registration_id=operation.registration_id,
                    kind=operation.kind,
                    abort=operation.abort,
                    revision=1,
                    **_progress(operation),
                )
            )
        return operation

    def operation(self, id: str) -> Operation:
        rows = self._rows(select(operations).where(operations.c.id == id))
        if not rows:
            raise UnknownStep(say("There is no such operation."), todo=say("Go back to the registration."))
        return _operation(rows[0])

    def operations(self, prefix: str) -> Sequence[Operation]:
        begins_so = func.substr(operations.c.id, 1, len(prefix)) == prefix
        return [
            _operation(row) for row in self._rows(select(operations).where(begins_so).order_by(operations.c.number))
        ]

    def last_operation(self, registration_id: str, kind: str | None = None) -> Operation | None:
        query = select(operations).where(operations.c.registration_id == registration_id)
        if kind is not None:
            query = query.where(operations.c.kind == kind)
        rows = self._rows(query.order_by(operations.c.number.desc()).limit(1))
        return _operation(rows[0]) if rows else None

    def claim(self, owner: str, now: datetime, besides: Collection[str] = ()) -> Operation | None:
        is_free = or_(operations.c.owner.is_(None), operations.c.lease_until < now)
        oldest = (
            select(operations.c.number)
            .where(is_active, is_free, operations.c.registration_id.not_in(besides))
            .order_by(operations.c.number)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        claim = (
            update(operations)
            .where(operations.c.number == oldest, is_active, is_free)
            .values(
                owner=owner,
                lease_until=now + LEASE,
                state=OperationState.RUNNING.value,
                attempt=operations.c.attempt + 1,
                revision=operations.c.revision + 1,
            )
            .returning(operations)
        )
        with self._engine.begin() as db:
            row = db.execute(claim).first()
        return None if row is None else _operation(row)

    def renew(self, id: str, owner: str, now: datetime) -> bool:
        with self._engine.begin() as db:
            return _change(db, id, owner, {"lease_until": now + LEASE})

    def record(self, operation: Operation, owner: str, result: Registration | None = None) -> bool:
        values = {"revision": operations.c.revision + 1, **_progress(operation)}
        if operation.state is not OperationState.RUNNING:
            values |= {"owner": None, "lease_until": None}
        with self._engine.begin() as db:
            if not _change(db, operation.id, owner, values):
                return False
            if result is not None:
                _update(db, _next(result))
        return True

    def owners(self) -> Sequence[str]:
        query = select(operations.c.owner).where(operations.c.owner.is_not(None)).distinct()
        return [row.owner for row in self._rows(query)]

    def release(self, owner: str) -> None:
        with self._engine.begin() as db:
            db.execute(update(operations).where(operations.c.owner == owner).values(owner=None, lease_until=None))

    def ask_to_abort(self, id: str) -> None:
        with self._engine.begin() as db:
            db.execute(
                update(operations)
                .where(operations.c.id == id, is_active, operations.c.abort.is_(False))
                .values(abort=True, revision=operations.c.revision + 1)
            )

    def seen(self, health: Health) -> None:
        of_node = healths.c.node == health.node
        document = documents.write(health)
        with self._engine.begin() as db:
            row = db.execute(select(healths).where(of_node).with_for_update()).first()
            if row is None:
                db.execute(insert(healths).values(node=health.node, revision=1, document=document))
                return
            before = documents.read(row.document, Health)
            change = 0 if replace(before, seen_at=health.seen_at) == health else 1
            db.execute(update(healths).where(of_node).values(document=document, revision=healths.c.revision + change))

    def healths(self) -> dict[str, Health]:
        return {row.node: documents.read(row.document, Health) for row in self._rows(select(healths))}

    def inspected(self, registration_id: str, inspection: Inspection) -> None:
        of_it = inspections.c.registration_id == registration_id
        document = documents.write(inspection)
        with self._engine.begin() as db:
            _locked(db, registration_id)
            row = db.execute(select(inspections).where(of_it)).first()
            if row is None:
                db.execute(insert(inspections).values(registration_id=registration_id, revision=1, document=document))
                return
            change = 0 if inspection.says_the_same_as(documents.read(row.document, Inspection)) else 1
            values = {"document": document, "revision": inspections.c.revision + change}
            db.execute(update(inspections).where(of_it).values(values))

    def inspection(self, registration_id: str) -> Inspection | None:
        rows = self._rows(select(inspections).where(inspections.c.registration_id == registration_id))
        return documents.read(rows[0].document, Inspection) if rows else None

    def revision(self, registration_id: str) -> str:
        with self._reading.connect() as db:
            row = db.execute(REVISION, {"id": registration_id}).first()
        if row is None:
            raise _no_such_registration()
        return ".".join(str(number) for number in row)

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._reading.connect() as db:
            return db.execute(query).all()


def _change(db: Connection, id: str, owner: str, values: dict[str, object]) -> bool:
    """Change an operation that this owner still holds."""
    held = update(operations).where(operations.c.id == id, operations.c.owner == owner)
    return db.execute(held.values(values)).rowcount == 1


def _next(registration: Registration) -> Registration:
    return replace(registration, version=registration.version + 1)


def _insert(db: Connection, registration: Registration) -> None:
    try:
        db.execute(insert(registrations).values(id=registration.id, revision=1, **_columns(registration)))
    except IntegrityError as error:
        raise _stale() from error


def _update(db: Connection, registration: Registration) -> None:
    unchanged = (registrations.c.id == registration.id, registrations.c.version == registration.version - 1)
    values = {"revision": registrations.c.revision + 1, **_columns(registration)}
    if db.execute(update(registrations).where(*unchanged).values(**values)).rowcount == 0:
        raise _stale()


def _locked(db: Connection, id: str) -> Registration:
    """The registration, which nobody else can change before this transaction ends."""
    row = db.execute(select(registrations).where(registrations.c.id == id).with_for_update()).first()
    if row is None:
        raise _no_such_registration()
    return _registration(row)


def _columns(registration: Registration) -> dict[str, object]:
    """What changes without a new version has columns of its own, and is left out of the document."""
    return {
        "version": registration.version,
        "document": documents.write(replace(registration, server=None, discarded=())),
        "observed": documents.write(registration.server) if registration.server else None,
        "discarded": documents.write(registration.discarded),
    }


def _registration(row: Row[Any]) -> Registration:
    return replace(
        documents.read(row.document, Registration),
        version=row.version,
        server=documents.read(row.observed, ServerStatus) if row.observed else None,
        discarded=documents.read(row.discarded, tuple[Deployment, ...]),
    )


def _progress(operation: Operation) -> dict[str, object]:
    return {
        "state": operation.state.value,
        "attempt": operation.attempt,
        "document": documents.write(operation),
    }


def _operation(row: Row[Any]) -> Operation:
    """The columns are the truth where they overlap with the document."""
    return replace(
        documents.read(row.document, Operation),
        state=OperationState(row.state),
        attempt=row.attempt,
        abort=row.abort,
    )


def _no_such_registration() -> UnknownStep:
    return UnknownStep(say("There is no such registration."), todo=say("Go back to the list of registrations."))


def _stale() -> Stale:
    return Stale(
        say("This registration was changed meanwhile."),
        why=say("Another tab, another person, or work in the background has saved it since this page was loaded."),
        todo=say("Look at what it says now, then try again."),
    )
