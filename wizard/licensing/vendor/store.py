"""The vendor's records, in SQLite: licences, the answers that were given, and alarms."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, create_engine, event, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from wizard.licensing.protocol.claims import ClaimsError, read_claims
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.rules import Alarm, Answer, Licence, LicenceState, Refusal, Scan
from wizard.licensing.vendor.tables import alarms, answers, licences, prepare_tables

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Store:
    """The database file. Claims that are read back are checked with the vendor's own public keys."""

    def __init__(self, path: Path, keys: dict[str, Ed25519PublicKey]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._keys = keys
        self._engine = create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        try:
            with self._connection() as connection:
                prepare_tables(connection)
        except VendorError:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator["Ledger"]:
        """One transaction, alone with the database; what it wrote is durable when the block ends without an error."""
        with self._connection() as connection:
            yield Ledger(connection, self._keys)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise VendorError(
                f"The vendor's records in {self._path} cannot be used: {error.orig}.",
                "Wait until nothing else holds them; if they are damaged, put the file back from a backup.",
            ) from error


class Ledger:
    """The records within one transaction."""

    def __init__(self, connection: Connection, keys: dict[str, Ed25519PublicKey]) -> None:
        self._connection = connection
        self._keys = keys

    def add(self, licence: str, envelope: bytes) -> None:
        """Note a licence that is about to be handed out."""
        self._connection.execute(
            insert(licences).values(licence=licence, envelope=envelope, state=LicenceState.ACTIVE.value)
        )

    def licence(self, licence: str) -> Licence | None:
        row = self._connection.execute(select(licences).where(licences.c.licence == licence)).first()
        return None if row is None else self._licence(row)

    def licences(self) -> list[Licence]:
        """All, the newest last."""
        rows = self._connection.execute(select(licences)).all()
        return sorted((self._licence(row) for row in rows), key=lambda licence: licence.claims.issued)

    def holder(self, instance: bytes) -> str | None:
        """The active licence that is bound to the instance."""
        return self._connection.scalar(
            select(licences.c.licence).where(
                licences.c.instance == instance, licences.c.state == LicenceState.ACTIVE.value
            )
        )

    def update(self, licence: Licence) -> None:
        """Write its state, its instance, and the answers that are new."""
        self._connection.execute(
            update(licences)
            .where(licences.c.licence == licence.claims.licence)
            .values(
                state=licence.state.value,
                instance=licence.instance,
                destroyed=_milliseconds(licence.destroyed),
                unlocked=_milliseconds(licence.unlocked),
            )
        )
        for answer in licence.answers:
            self._connection.execute(
                sqlite_insert(answers)
                .values(
                    digest=answer.digest,
                    licence=licence.claims.licence,
                    instance=answer.instance,
                    counter=answer.counter,
                    minute=answer.minute,
                    issued=answer.issued,
                    at=_milliseconds(answer.at),
                )
                .on_conflict_do_nothing(index_elements=["digest"])
            )

    def alarm(self, licence: Licence, scan: Scan, kind: Refusal, now: datetime) -> bool:
        """Note a copy or a rollback. False when this very QR has raised an alarm before."""
        result = self._connection.execute(
            sqlite_insert(alarms)
            .values(
                digest=scan.digest,
                licence=licence.claims.licence,
                instance=scan.instance,
                counter=scan.counter,
                kind=kind.value,
                at=_milliseconds(now),
            )
            .on_conflict_do_nothing(index_elements=["digest"])
        )
        return result.rowcount == 1

    def alarms(self, licence: str) -> tuple[Alarm, ...]:
        """What the licence has raised, the newest last."""
        rows = self._connection.execute(select(alarms).where(alarms.c.licence == licence).order_by(alarms.c.at))
        return tuple(
            Alarm(
                digest=row.digest,
                instance=row.instance,
                counter=row.counter,
                kind=Refusal(row.kind),
                at=_datetime(row.at),
                seen=_datetime_or_none(row.seen),
            )
            for row in rows
        )

    def acknowledge(self, licence: str, now: datetime) -> None:
        """Mark its alarms as seen; the first time stands."""
        self._connection.execute(
            update(alarms)
            .where(alarms.c.licence == licence, alarms.c.seen.is_(None))
            .values(seen=_milliseconds(now))
        )  # fmt: skip

    def _licence(self, row: Row[tuple[object, ...]]) -> Licence:
        given = self._connection.execute(
            select(answers).where(answers.c.licence == row.licence).order_by(answers.c.at, answers.c.counter)
        )
        try:
            claims, state = read_claims(row.envelope, self._keys), LicenceState(row.state)
        except (ClaimsError, ValueError) as error:
            raise VendorError(
                f"The record of licence {row.licence} is not as it was written: {error}",
                "Put the vendor's data folder back from a backup, keys and records of the same time.",
            ) from None
        return Licence(
            claims=claims,
            state=state,
            instance=row.instance,
            destroyed=_datetime_or_none(row.destroyed),
            unlocked=_datetime_or_none(row.unlocked),
            answers=tuple(
                Answer(
                    digest=answer.digest,
                    instance=answer.instance,
                    counter=answer.counter,
                    minute=answer.minute,
                    issued=answer.issued,
                    at=_datetime(answer.at),
                )
                for answer in given
            ),
        )


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // timedelta(milliseconds=1)


def _datetime(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def _datetime_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _datetime(milliseconds)


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Leave transactions to SQLAlchemy, not to sqlite3; and be durable."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later fails when another wrote between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
