"""The instance's memory: SQLite in the config folder. What a method has written is on the disk when it returns.

Damaged is raised, by any of them, when the database is not what was written. Then nothing of it is used any more: at
the next boot what can still be trusted is salvaged, and another one is made.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import OperationalError

from wizard.licensing.files import sync
from wizard.licensing.rules.instance import Asker, Instance
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server import rows, tables
from wizard.licensing.server.database import (
    LARGEST_LOG,
    WRITES,
    beside,
    bring_home,
    check_log,
    connect,
    log_of,
    open_engine,
    trusting,
)
from wizard.licensing.server.desk import Change, Desk, Kept
from wizard.licensing.server.rows import Damaged, Sealer

DATABASE = "license.db"
FRESH = "license.db.new"
"""While it is being made. A kill in between leaves nothing that could be taken for a database which lost something."""
DAMAGED = "license.db.damaged"
"""The last one that was found damaged is kept under this name, for whoever wants to know why."""
EARLIER = "The row of the instance is an earlier one."
NOTHING = Kept(-1, 0, Instance())


class Store:
    """The database `license.db` in the config folder. `key` (32 bytes) seals its rows.

    One process works with it, and holds the instance in memory: it is read anew when its version is a later one.
    """

    def __init__(self, config: Path, key: bytes) -> None:
        self.mark: Mark | None = None
        """The point of the time line that was kept last."""
        self._config = config
        self._path = config / DATABASE
        self._sealer = Sealer(key)
        self._kept = NOTHING
        self._keeping = Lock()
        self._turn = Lock()
        """Whoever writes has it: SQLite lets writers sleep and try again, where a lock wakes them."""
        self._engine = open_engine(self._path)

    @property
    def exists(self) -> bool:
        return self._path.exists()

    def make(self, instance: Instance) -> None:
        """A new database for that instance. Any earlier one is put aside, so nobody else may have it open."""
        fresh = self._config / FRESH
        for path in (fresh, *beside(fresh)):
            path.unlink(missing_ok=True)
        engine = open_engine(fresh)
        self._fill(engine, instance)
        engine.dispose()
        self._engine.dispose()
        if self.exists:
            self._path.replace(self._config / DAMAGED)
        for path in beside(self._path):
            path.unlink(missing_ok=True)
        fresh.replace(self._path)
        sync(self._config)
        self._kept = NOTHING
        self.mark = None

    def verify(self) -> None:
        """Read every row there is, and remember the instance and the mark. Damaged when one is not as it was written.

        The log is checked first, before SQLite reads it, and then brought home into the database. Nobody writes
        meanwhile.
        """
        with self._turn:
            check_log(log_of(self._path))
            with self._connected() as connection, trusting():
                bring_home(connection)
            with self._reading() as desk:
                self._remember(self._verified(desk))

    def recall(self) -> Mark | None:
        """The point of the time line that was kept last; None when there is none, or when it is damaged."""
        if self.exists:
            with suppress(Damaged), self._reading() as desk:
                return next(map(rows.mark_of, desk.all(tables.marks)), None)
        return None

    def salvage(self) -> Instance:
        """What can still be trusted of a damaged database: the instance, and its slots, as far as they are sound."""
        with suppress(Damaged), self._reading() as desk:
            slots = [rows.slot_of(row) for row in desk.sound(tables.slots)]
            known = [rows.instance_of(row, slots) for row in desk.sound(tables.instance)]
            return known[0] if known else Instance(slots={slot.key: slot for slot in slots})
        return Instance()

    def load(self) -> Instance:
        """The instance as it was last written."""
        with self._reading() as desk:
            return self._load(desk).instance

    def qr(self, asker: Asker, id: str) -> bytes | None:
        """The bytes of that challenge, while it is the newest of this asker."""
        table = tables.challenges
        with self._reading() as desk:
            found = desk.read(select(table).where(table.c.asker == asker.value, table.c.id == id), table)
        return found[0]["qr"] if found else None

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A block in which the instance is read and written with nobody in between."""
        with self._turn, self._connected() as connection:
            with connection.execution_options(**WRITES).begin():
                desk = Desk(connection, self._sealer)
                change = Change(desk, self._load(desk))
                yield change
                kept = change.finish()
            self._remember(kept)
            if log_of(self._path).stat().st_size > LARGEST_LOG:
                with suppress(OperationalError):  # what was written is safe: after the next commit it is tried again
                    bring_home(connection)

    def keep_mark(self, mark: Mark) -> None:
        with self.change() as change:
            change.keep_mark(mark)
        self.mark = mark

    def close(self) -> None:
        self._engine.dispose()

    def _verified(self, desk: Desk) -> Kept:
        with trusting():
            version = desk.connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            faults = desk.connection.exec_driver_sql("PRAGMA quick_check(1)").scalars().all()
        if version != tables.VERSION:
            raise Damaged(f"The database has the version {version}, not {tables.VERSION}.")
        if faults != ["ok"]:
            raise Damaged(f"SQLite says: {faults[0]}")
        kept = desk.kept()
        desk.check(kept.others)
        if kept.version < self._kept.version:
            raise Damaged(EARLIER)
        self.mark = next(map(rows.mark_of, desk.all(tables.marks)), None)
        return kept

    def _fill(self, engine: Engine, instance: Instance) -> None:
        """With that instance, as its first version."""
        with connect(engine).execution_options(**WRITES) as connection:
            with connection.begin():
                tables.metadata.create_all(connection)
                desk = Desk(connection, self._sealer)
                for slot in instance.slots.values():
                    desk.put(tables.slots, rows.slot_row(slot))
                desk.make_instance(instance)
                connection.exec_driver_sql(f"PRAGMA user_version = {tables.VERSION}")
            bring_home(connection)

    @contextmanager
    def _reading(self) -> Iterator[Desk]:
        with self._connected() as connection:
            yield Desk(connection, self._sealer)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with trusting():
            connection = connect(self._engine)
        with connection:
            yield connection

    def _load(self, desk: Desk) -> Kept:
        """As kept in memory, or from the disk when that is later. It is never earlier, unless by damage."""
        kept = self._kept
        version = desk.version()
        if version < kept.version:
            raise Damaged(EARLIER)
        return kept if version == kept.version else self._remember(desk.kept())

    def _remember(self, kept: Kept) -> Kept:
        """Of two threads that have just read or written, the later one counts."""
        with self._keeping:
            if kept.version > self._kept.version:
                self._kept = kept
        return kept
