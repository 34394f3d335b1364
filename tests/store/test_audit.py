"""The audit trail on SQLite passes the contract, and shows what was done to its rows."""
# ruff: noqa: S608  # the statements are this file's own

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text

from tests.contracts.audit import RICH, TrailContract, a_deed
from tests.memory_audit import MemoryTrail
from wizard.domain.audit import Chain, End, Sought
from wizard.store.audit import EVERY, SqlTrail
from wizard.store.engine import open_engine


class TestSqlTrail(TrailContract):
    @pytest.fixture
    def trail(self, url: str) -> Iterator[SqlTrail]:
        trail = SqlTrail(url)
        yield trail
        trail.close()


class TestMemoryTrail(TrailContract):
    @pytest.fixture
    def trail(self) -> MemoryTrail:
        return MemoryTrail()


@pytest.fixture
def trail(url: str) -> Iterator[SqlTrail]:
    """Of six entries."""
    trail = SqlTrail(url)
    for _ in range(3):
        trail.append(RICH)
        trail.append(a_deed())
    yield trail
    trail.close()


Spoil = Callable[..., None]


@pytest.fixture
def spoil(url: str) -> Iterator[Spoil]:
    """Does to the tables what only somebody beside the wizard would."""
    engine = open_engine(url)

    def run(*statements: str) -> None:
        with engine.begin() as db:
            for statement in statements:
                execute(db, statement)

    yield run
    engine.dispose()


def execute(db: Connection, statement: str) -> None:
    assert db.execute(text(statement)).rowcount >= 1, statement


CHANGES = {
    "at": "at + 1",
    "who": "'mallory'",
    "act": "'port'",
    "outcome": "'failed'",
    "registration_id": "'r9'",
    "document": "replace(document, '303', '302')",
    "digest": f"'{'0' * 64}'",
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_row_is_found(trail: SqlTrail, spoil: Spoil, column: str) -> None:
    assert trail.chain().is_whole
    spoil(f"UPDATE audit SET {column} = {CHANGES[column]} WHERE number = 4")
    assert trail.chain().broken == 4


@pytest.mark.parametrize("number", range(1, 7))
def test_a_removed_row_is_found_also_the_first_and_the_last(trail: SqlTrail, spoil: Spoil, number: int) -> None:
    spoil(f"DELETE FROM audit WHERE number = {number}")
    assert trail.chain().broken == number


def test_two_rows_that_changed_places_are_found(trail: SqlTrail, spoil: Spoil) -> None:
    spoil(
        "UPDATE audit SET number = 99 WHERE number = 2",
        "UPDATE audit SET number = 2 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 99",
    )
    assert trail.chain().broken == 2


def test_a_row_put_in_between_is_found_though_the_later_ones_were_moved(trail: SqlTrail, spoil: Spoil) -> None:
    columns = "at, who, act, outcome, registration_id, document, digest"
    spoil(
        *(f"UPDATE audit SET number = {number + 1} WHERE number = {number}" for number in (6, 5, 4)),
        f"INSERT INTO audit (number, {columns}) SELECT 4, {columns} FROM audit WHERE number = 2",
        "UPDATE audit_end SET number = 7",
    )
    assert trail.chain().broken == 4


def test_a_row_put_in_behind_the_end_is_found_however_well_it_is_chained(trail: SqlTrail, spoil: Spoil) -> None:
    spoil("DELETE FROM audit_end")
    with pytest.raises(Exception, match="No row"):
        trail.append(a_deed())
    end = next(trail.entries(Sought()))
    forged = End(number=6, digest=end.digest).followed_by(end.deed)
    spoil(
        f"INSERT INTO audit_end (id, number, digest) VALUES (1, 6, '{end.digest}')",
        "INSERT INTO audit (number, at, who, act, outcome, registration_id, document, digest) "
        f"SELECT 7, at, who, act, outcome, registration_id, document, '{forged.digest}' FROM audit WHERE number = 6",
    )
    assert trail.chain() == Chain(end=End(number=7, digest=forged.digest), broken=7)


def test_a_row_that_cannot_be_read_any_more_is_shown_as_that_and_found(trail: SqlTrail, spoil: Spoil) -> None:
    spoil("UPDATE audit SET document = '{' WHERE number = 5")
    assert [entry.number for entry in trail.entries(Sought())] == [6, 5, 4, 3, 2, 1]
    assert trail.chain().broken == 5


def test_what_a_chain_cannot_show_a_noted_digest_does(trail: SqlTrail, spoil: Spoil) -> None:
    """The newest rows and the end set back with them: whole, but it does not reach what was noted."""
    noted = trail.end()
    spoil(
        "DELETE FROM audit WHERE number > 4",
        "UPDATE audit_end SET number = 4, digest = (SELECT digest FROM audit WHERE number = 4)",
    )
    chain = trail.chain()
    assert chain.is_whole
    assert chain.end.number < noted.number


def test_the_digest_of_each_hundredth_entry_is_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    trail = SqlTrail(url)
    with caplog.at_level(logging.INFO, "wizard.audit"):
        entries = [trail.append(a_deed()) for _ in range(2 * EVERY)]
    trail.close()
    assert [record.args for record in caplog.records] == [
        (number, entries[number - 1].digest) for number in (EVERY, 2 * EVERY)
    ]


def test_eight_processes_that_write_at_once_leave_a_whole_chain(url: str) -> None:
    script = """
import sys
from tests.contracts.audit import a_deed
from wizard.store.audit import SqlTrail
trail = SqlTrail(sys.argv[1])
for _ in range(20):
    trail.append(a_deed())
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, url]) for _ in range(8)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 8
    trail = SqlTrail(url)
    assert trail.chain().end.number == 160
    assert trail.chain().is_whole
    trail.close()
