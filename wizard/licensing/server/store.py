"""The instance's memory: SQLite in the config folder. What a method has written is on the disk when it returns.

Damaged is raised, by any of them, when the database is not what was written. Then nothing of it is used any more: at
the next boot `start_over` makes another one.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, Engine, Select, Table, create_engine, event, select, update
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DatabaseError

from wizard.licensing.protocol.messages import Message, digest
from wizard.licensing.rules.instance import Asker, Instance
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server import rows, tables
from wizard.licensing.server.rows import Damaged, Sealer, Values

DATABASE = "license.db"
DAMAGED = "license.db.damaged"
"""The last one that was found damaged is kept under this name, for whoever wants to know why."""
BESIDE = ("license.db-wal", "license.db-shm")
"""What SQLite keeps beside a database: it belongs to that one, and to no other."""
THREADS = 16
BUSY_SECONDS = 30

PASSING = ("BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "PERM", "NOMEM")
"""Trouble of the disk, or of its owner, that says nothing about what is written there (SQLITE_FULL and so on)."""


class Conflict(Exception):
    """Another writer was faster. It cannot happen while every writer takes the lock first, so it is not mended."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The last message on a channel, and what it was answered."""

    sequence: int
    request: str
    answer: Message

    @property
    def digest(self) -> str:
        return digest(self.answer)


@dataclass(frozen=True)
class Desk:
    """A connection whose rows are sealed when they are written, and checked when they are read."""

    connection: Connection
    sealer: Sealer

    def read(self, query: Select[Any], table: Table) -> list[Values]:
        with _trusting():
            return [self.sealer.opened(table, row) for row in self.connection.execute(query)]

    def all(self, table: Table) -> list[Values]:
        return self.read(select(table), table)

    def put(self, table: Table, values: Values) -> None:
        """In place of the row with the same key, if there is one."""
        self.connection.execute(_upsert(table), self.sealer.sealed(table, values))

    def version(self) -> int:
        """Of the instance's row; -1 when there is none."""
        with _trusting():
            version = self.connection.scalar(select(tables.instance.c.version))
        return -1 if version is None else version

    def instance(self) -> tuple[int, Instance]:
        """The instance and its version, from the disk."""
        found = self.all(tables.instance)
        if len(found) != 1:
            raise Damaged("The row of the instance is missing.")
        slots = [rows.slot_of(row) for row in self.all(tables.slots)]
        return found[0]["version"], rows.instance_of(found[0], slots)


class Change:
    """One transaction, alone with the instance as it is (BEGIN IMMEDIATE). Committed when its block ends well."""

    def __init__(self, desk: Desk, version: int, instance: Instance) -> None:
        self._desk = desk
        self.version = version
        self.instance = instance

    def save(self, after: Instance) -> None:
        """Write what differs, in one UPDATE that is conditional on the version read."""
        row = self._desk.sealer.sealed(tables.instance, rows.instance_row(after, self.version + 1))
        written = self._desk.connection.execute(
            update(tables.instance).where(tables.instance.c.version == self.version).values(row)
        )
        if written.rowcount != 1:
            raise Conflict
        for slot in after.slots_since(self.instance):
            self._desk.put(tables.slots, rows.slot_row(slot))
        self.version, self.instance = self.version + 1, after

    def keep_qr(self, asker: Asker, id: str, qr: bytes) -> None:
        """The bytes of the challenge that is open for this asker from now on."""
        self._desk.put(tables.challenges, {"asker": asker.value, "id": id, "qr": qr})

    def answered(self, project: str, channel: str) -> Answered | None:
        table = tables.answers
        query = select(table).where(table.c.project == project, table.c.channel == channel)
        for row in self._desk.read(query, table):
            return Answered(sequence=row["sequence"], request=row["request"], answer=json.loads(row["answer"]))
        return None

    def keep_answer(self, project: str, channel: str, answered: Answered) -> None:
        row = {
            "project": project,
            "channel": channel,
            "sequence": answered.sequence,
            "request": answered.request,
            "answer": json.dumps(answered.answer),
        }
        self._desk.put(tables.answers, row)


class Store:
    """The database `license.db` in the config folder. `key` (32 bytes) seals its rows.

    One process works with it, and holds the instance in memory: it is read anew when its version is another one.
    """

    def __init__(self, config: Path, key: bytes) -> None:
        self.mark: Mark | None = None
        """The point of the time line that was kept last."""
        self._config = config
        self._sealer = Sealer(key)
        self._kept = (-1, Instance())
        self._keeping = Lock()
        self._turn = Lock()
        self._engine = _engine(config / DATABASE)

    @property
    def exists(self) -> bool:
        return (self._config / DATABASE).exists()

    def make(self, instance: Instance) -> None:
        """A new database for that instance. Any earlier one is put aside, so nobody else may have it open."""
        self._engine.dispose()
        if self.exists:
            (self._config / DATABASE).replace(self._config / DAMAGED)
        for name in BESIDE:
            (self._config / name).unlink(missing_ok=True)
        self._kept = (-1, Instance())
        self.mark = None
        with self._writing() as desk:
            tables.metadata.create_all(desk.connection)
            desk.put(tables.instance, rows.instance_row(instance, 0))
            for slot in instance.slots.values():
                desk.put(tables.slots, rows.slot_row(slot))
            desk.connection.exec_driver_sql(f"PRAGMA user_version = {tables.VERSION}")

    def verify(self) -> None:
        """Read every row there is, and remember the instance and the mark. Damaged when one is not as it was written.

        What SQLite still holds in its log is brought home first: a damaged log would be dropped without a word.
        """
        with _trusting(), closing(self._engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._reading() as desk:
            with _trusting():
                version = desk.connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                faults = desk.connection.exec_driver_sql("PRAGMA quick_check(1)").scalars().all()
            if version != tables.VERSION:
                raise Damaged(f"The database has the version {version}, not {tables.VERSION}.")
            if faults != ["ok"]:
                raise Damaged(f"SQLite says: {faults[0]}")
            self._keep(*desk.instance())
            desk.all(tables.challenges)
            desk.all(tables.answers)
            self.mark = next((rows.mark_of(row) for row in desk.all(tables.marks)), None)

    def recall(self) -> Mark | None:
        """The point of the time line that was kept last; None when there is none, or when it cannot be read."""
        with suppress(Damaged, DatabaseError):
            if self.exists:
                with self._reading() as desk:
                    return next((rows.mark_of(row) for row in desk.all(tables.marks)), None)
        return None

    def salvage(self) -> Instance:
        """What can still be trusted of a damaged database: the instance, or else its slots, or else nothing."""
        with suppress(Damaged, DatabaseError), self._reading() as desk:
            return desk.instance()[1]
        with suppress(Damaged, DatabaseError), self._reading() as desk:
            slots = (rows.slot_of(row) for row in desk.all(tables.slots))
            return Instance(slots={slot.key: slot for slot in slots})
        return Instance()

    def load(self) -> Instance:
        """The instance as it was last written."""
        with self._reading() as desk:
            return self._load(desk)[1]

    def qr(self, asker: Asker, id: str) -> bytes | None:
        """The bytes of that challenge, while it is the newest of this asker."""
        table = tables.challenges
        with self._reading() as desk:
            found = desk.read(select(table).where(table.c.asker == asker.value, table.c.id == id), table)
        return found[0]["qr"] if found else None

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A block in which the instance is read and written with nobody in between."""
        with self._writing() as desk:
            change = Change(desk, *self._load(desk))
            yield change
        self._keep(change.version, change.instance)

    def keep_mark(self, mark: Mark) -> None:
        with self._writing() as desk:
            desk.put(tables.marks, rows.mark_row(mark))
        self.mark = mark

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Desk]:
        with self._connected() as connection:
            yield Desk(connection, self._sealer)

    @contextmanager
    def _writing(self) -> Iterator[Desk]:
        """In turn: SQLite lets writers sleep and try again, for longer and longer, where a lock would wake them."""
        with self._turn, self._connected() as connection, connection.execution_options(writes=True).begin():
            yield Desk(connection, self._sealer)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with _trusting():
            connection = self._engine.connect()
        with connection:
            yield connection

    def _load(self, desk: Desk) -> tuple[int, Instance]:
        kept = self._kept
        if desk.version() == kept[0]:
            return kept
        return self._keep(*desk.instance())

    def _keep(self, version: int, instance: Instance) -> tuple[int, Instance]:
        """Of two threads that have just read or written, the later one counts."""
        with self._keeping:
            if version > self._kept[0]:
                self._kept = (version, instance)
        return version, instance


@cache
def _upsert(table: Table) -> Insert:
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={column.name: statement.excluded[column.name] for column in table.columns},
    )


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), pool_size=THREADS, connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # the driver would begin too late, and never IMMEDIATE
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")  # damaged text is still a row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _trusting() -> Iterator[None]:
    """Around what only reads: Damaged when the database, or a value in it, cannot be what was written."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:  # the latter while a connection is made
        name = str(getattr(getattr(error, "orig", error), "sqlite_errorname", ""))
        if name.removeprefix("SQLITE_").startswith(PASSING):
            raise
        raise Damaged(f"{name}: {error}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise Damaged(str(error)) from error
