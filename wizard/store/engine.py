"""Connections, with what each database needs to be told."""

import sqlite3
import time

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

PATIENCE = 10.0
"""Seconds to wait for another writer."""


def open_engine(url: str, patience: float = PATIENCE) -> Engine:
    """An engine with a kept pool. Its `begin()` is for writing; read through `reading(engine)`."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": patience}, pool_size=16)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def reading(engine: Engine) -> Engine:
    """The same pool for single SELECTs: on SQLite they take no lock, and no round trip to begin or end."""
    return engine.execution_options(reading=True)


def _prepare_sqlite(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says so
    _use_wal(connection)
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _use_wal(connection: DBAPIConnection) -> None:
    """Two processes that open a new file at once: SQLite refuses one of them at once instead of letting it wait."""
    deadline = time.monotonic() + PATIENCE
    while True:
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
        finally:
            cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Writers line up before they read: a transaction that reads first fails at once when another one has written."""
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
