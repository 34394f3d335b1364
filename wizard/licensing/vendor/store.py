"""The vendor's records, in SQLite: licences, the answers that were given, and alarms."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from wizard.licensing.protocol.claims import read_claims
from wizard.licensing.vendor.rules import Answer, Licence, LicenceState, Scan

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

metadata = MetaData()

licences = Table(
    "licences",
    metadata,
    Column("licence", String, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("instance", LargeBinary, index=True),
)

answers = Table(
    "answers",
    metadata,
    Column("digest", String, primary_key=True),
    Column("licence", ForeignKey("licences.licence"), nullable=False, index=True),
    Column("instance", LargeBinary, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("issued", Boolean, nullable=False),
    Column("at", Integer, nullable=False, comment="milliseconds since 1970, UTC"),
    Index("one_answer_a_counter", "licence", "instance", "counter", unique=True),
)

alarms = Table(
    "alarms",
    metadata,
    Column("digest", String, primary_key=True),
    Column("licence", ForeignKey("licences.licence"), nullable=False, index=True),
    Column("instance", LargeBinary, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("at", Integer, nullable=False, comment="milliseconds since 1970, UTC"),
)


class Store:
    """The database file. Claims that are read back are checked with the vendor's own public keys."""

    def __init__(self, path: Path, keys: dict[str, Ed25519PublicKey]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._keys = keys
        self._engine = create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        with self._engine.begin() as connection:
            metadata.create_all(connection)

    @contextmanager
    def transaction(self) -> Iterator["Ledger"]:
        """One transaction, alone with the database; what it wrote is durable when the block ends without an error."""
        with self._engine.begin() as connection:
            yield Ledger(connection, self._keys)

    def close(self) -> None:
        self._engine.dispose()


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
            .values(state=licence.state.value, instance=licence.instance)
        )
        for answer in licence.answers:
            self._connection.execute(
                sqlite_insert(answers)
                .values(
                    digest=answer.digest,
                    licence=licence.claims.licence,
                    instance=answer.instance,
                    counter=answer.counter,
                    issued=answer.issued,
                    at=_milliseconds(answer.at),
                )
                .on_conflict_do_nothing(index_elements=["digest"])
            )

    def alarm(self, licence: Licence, scan: Scan, now: datetime) -> bool:
        """Note a clone or a rollback. False when this very QR has raised one before."""
        values = {"digest": scan.digest, "licence": licence.claims.licence, "instance": scan.instance}
        result = self._connection.execute(
            sqlite_insert(alarms)
            .values(**values, counter=scan.counter, at=_milliseconds(now))
            .on_conflict_do_nothing(index_elements=["digest"])
        )
        return result.rowcount == 1

    def alarms(self, licence: str) -> int:
        """How many alarms the licence has raised."""
        count = select(func.count()).select_from(alarms).where(alarms.c.licence == licence)
        return self._connection.execute(count).scalar_one()

    def _licence(self, row: Row[tuple[object, ...]]) -> Licence:
        given = self._connection.execute(
            select(answers).where(answers.c.licence == row.licence).order_by(answers.c.at, answers.c.counter)
        )
        return Licence(
            claims=read_claims(row.envelope, self._keys),
            state=LicenceState(row.state),
            instance=row.instance,
            answers=tuple(
                Answer(
                    digest=answer.digest,
                    instance=answer.instance,
                    counter=answer.counter,
                    issued=answer.issued,
                    at=EPOCH + timedelta(milliseconds=answer.at),
                )
                for answer in given
            ),
        )


def _milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Leave transactions to SQLAlchemy, not to sqlite3; and be durable."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later fails when another wrote between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
