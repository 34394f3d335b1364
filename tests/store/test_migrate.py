"""The migrations make what the tables say."""

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from wizard.store.engine import open_engine
from wizard.store.migrate import configuration, migrate
from wizard.store.tables import metadata


def schema(engine: Engine) -> dict[str, object]:
    """Each table's columns, keys and indexes, with their conditions."""
    inspector = inspect(engine)
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)],
            inspector.get_pk_constraint(table),
            inspector.get_foreign_keys(table),
            sorted(inspector.get_unique_constraints(table), key=str),
            sorted([(index["name"], index["column_names"], index["unique"]) for index in inspector.get_indexes(table)]),
        )
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def conditions(engine: Engine) -> list[str]:
    with engine.connect() as db:
        query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
        return [row.sql for row in db.exec_driver_sql(query)]


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/migrated.sqlite")
    migrated = open_engine(f"sqlite:///{tmp_path}/migrated.sqlite")
    made = open_engine(f"sqlite:///{tmp_path}/made.sqlite")
    metadata.create_all(made)
    assert schema(migrated) == schema(made)
    assert conditions(migrated) == conditions(made)
    with migrated.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    migrated.dispose()
    made.dispose()


def test_there_is_one_head(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/any.sqlite")
    with engine.begin() as connection:
        assert len(ScriptDirectory.from_config(configuration(connection)).get_heads()) == 1
    engine.dispose()


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/wizard.sqlite"
    migrate(url)
    engine = open_engine(url)
    before = schema(engine)
    migrate(url)
    assert schema(engine) == before
    engine.dispose()


def test_four_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/wizard.sqlite"
    script = "import sys; from wizard.store import migrate; migrate(sys.argv[1])"
    together = [subprocess.Popen([sys.executable, "-W", "error", "-c", script, url]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in together] == [0, 0, 0, 0]


def test_the_database_is_set_to_keep_what_it_acknowledged(tmp_path: Path) -> None:
    """Write-ahead log, synchronous FULL (2), foreign keys on, and a patient wait for other writers."""
    engine = open_engine(f"sqlite:///{tmp_path}/wizard.sqlite")
    with engine.connect() as db:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert found == ["wal", 2, 1, 10000]
    engine.dispose()
