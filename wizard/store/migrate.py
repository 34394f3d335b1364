"""Brings a database to the current tables."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from wizard.store.engine import open_engine

MIGRATION_LOCK = 0x66726C
"""Names the advisory lock of PostgreSQL; any number that nothing else uses."""


def migrate(url: str) -> None:
    """Create or update the tables. Safe from several processes at once: one does it, the others find it done."""
    engine = open_engine(url, patience=60.0)
    try:
        with engine.begin() as connection:
            _only_one(connection)
            command.upgrade(configuration(connection), "head")
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's settings, without a file. It works within the transaction that the connection is in."""
    config = Config()
    config.set_main_option("script_location", "wizard.store:migrations")
    config.attributes["connection"] = connection
    return config


def _only_one(connection: Connection) -> None:
    """On SQLite the transaction itself is the lock (BEGIN IMMEDIATE)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
