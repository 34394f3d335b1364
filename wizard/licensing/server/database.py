"""SQLite, as the store uses it: what is committed is on the disk, and damage is told from trouble that passes.

Each commit is appended to a log (WAL) beside the database. SQLite checks its sums when it opens the log, but drops
without a word what comes after a frame that does not fit, as if a write had been cut off there. So the log is checked
here before SQLite reads it (`check_log`), and never written over in place: it is brought home and cut to nothing
(`bring_home`), so that after a kill every whole frame in it was written as a whole.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from wizard.licensing.server.rows import Damaged

THREADS = 16
BUSY_SECONDS = 30

LARGEST_LOG = 4 << 20
"""Bytes; a larger one is brought home after the commit that made it so."""

PASSING = ("BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "PERM", "NOMEM")
"""Trouble of the disk, or of its owner, that says nothing about what is written there (SQLITE_FULL and so on)."""

WRITES = {"begin": "BEGIN IMMEDIATE"}
OUTSIDE = {"begin": None}
"""Options of a connection: how its transaction begins. A checkpoint must be in none."""

_HEADER = struct.Struct(">8I")
"""Magic number, format, page size, number of the log, two salts, two sums (sqlite.org/fileformat2, 4.1)."""
_FRAME = struct.Struct(">6I")
"""Page, size of the database after a commit, the two salts, two sums."""
_MAGIC = 0x377F0682
"""Its last bit says in which order of bytes the sums are taken."""


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def beside(path: Path) -> tuple[Path, Path]:
    """What SQLite keeps beside a database: it belongs to that one, and to no other."""
    return log_of(path), path.with_name(f"{path.name}-shm")


def open_engine(path: Path) -> Engine:
    """A pool of connections. A transaction begins as its connection's options say, by default to read."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), pool_size=THREADS, connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # the driver would begin too late, and never IMMEDIATE
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")  # damaged text is still a row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        how = connection.get_execution_options().get("begin", "BEGIN")
        if how is not None:
            connection.exec_driver_sql(how)

    return engine


def connect(engine: Engine) -> Connection:
    """A connection. While one is made the driver speaks for itself; its trouble is told as every other one."""
    try:
        return engine.connect()
    except sqlite3.OperationalError as error:
        raise OperationalError(None, None, error) from error


@contextmanager
def trusting() -> Iterator[None]:
    """Around what reads: Damaged when the database, or a value in it, cannot be what was written."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:  # the latter while a connection is made
        name = str(getattr(getattr(error, "orig", error), "sqlite_errorname", ""))
        if name.removeprefix("SQLITE_").startswith(PASSING):
            raise
        raise Damaged(f"{name}: {error}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise Damaged(str(error)) from error


def bring_home(connection: Connection) -> None:
    """Move what is in the log into the database, and cut the log. No other connection may be writing."""
    with connection.execution_options(**OUTSIDE).begin():
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()


def check_log(path: Path) -> None:
    """Damaged unless every whole frame of the log is as it was written. Nobody may be writing to it.

    A last frame that is not whole was cut off by a kill: nothing of it was acknowledged.
    """
    log = path.read_bytes() if path.exists() else b""
    if len(log) < _HEADER.size:
        return
    magic, _, page_size, _, *salts, first, second = _HEADER.unpack_from(log)
    order = ">II" if magic & 1 else "<II"
    sums = _summed(log[: _HEADER.size - 8], order, (0, 0))
    if magic | 1 != _MAGIC | 1 or sums != (first, second):
        raise Damaged("The head of the log was changed.")
    size = _FRAME.size + page_size
    for start in range(_HEADER.size, len(log) - size + 1, size):
        frame = log[start : start + size]
        _, _, *found, first, second = _FRAME.unpack_from(frame)
        if _is_older(found, salts):
            return
        sums = _summed(frame[_FRAME.size :], order, _summed(frame[:8], order, sums))
        if found != salts or sums != (first, second):
            raise Damaged(f"The log was changed in its frame {(start - _HEADER.size) // size + 1}.")


def _is_older(found: list[int], salts: list[int]) -> bool:
    """Whether a frame is left from a log before this one: its second salt is then another random number.

    That can be so only when somebody else kept the database open for so long that the log was not cut.
    """
    return (found[1] ^ salts[1]).bit_count() > 1


def _summed(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """SQLite's running sums (sqlite.org/fileformat2, 4.2), over pairs of 32-bit words."""
    first, second = sums
    for one, two in struct.iter_unpack(order, data):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
