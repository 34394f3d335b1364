"""Storage that notices damage: whatever happens to `license.db`, it is never silently ACTIVE, and it always starts."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from wizard.licensing.rules.instance import Asker, Instance, SlotState, State
from wizard.licensing.rules.limits import LOCK
from wizard.licensing.server import tables
from wizard.licensing.server.rows import Damaged
from wizard.licensing.server.store import DAMAGED, DATABASE, FRESH, Store

FLIPS = 200
"""Bits that are flipped, one at a time, at places that a fixed seed picks."""
CHANGED = {int: lambda value: value ^ 1, str: lambda value: value + "x", bytes: lambda value: value + b"x"}
"""How a value is damaged, by its kind."""
TABLES = [table.name for table in tables.metadata.sorted_tables]
COLUMNS = [(table.name, column.name) for table in tables.metadata.sorted_tables for column in table.columns]


@pytest.fixture
def member(bench: Bench) -> Member:
    return Member(bench)


@pytest.fixture
def active(bench: Bench, member: Member) -> Bench:
    """An instance with one project, an open challenge, and a mark, stopped cleanly."""
    bench.verify()
    member.register()
    bench.challenge()
    bench.keep_mark()
    bench.stop()
    return bench


def look(bench: Bench) -> Instance:
    return bench.authorization.look(bench.now)


def must_scan_again(bench: Bench) -> None:
    """What damage leads to."""
    instance = look(bench)
    assert instance.state is State.REAUTHENTICATE
    assert not any(slot.is_held for slot in instance.slots.values())
    assert all(instance.entry(asker).lock.until == bench.now + LOCK for asker in Asker)
    assert instance.counter == bench.now // 1000
    assert (bench.config / DAMAGED).exists()


def change(bench: Bench, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(bench.config / DATABASE)) as database, database:
        database.execute(statement, values)


def damage(bench: Bench, table: str, column: str) -> bool:
    """Change that column of the first row; False when it is empty, or when SQLite itself forbids it."""
    with closing(sqlite3.connect(bench.config / DATABASE)) as database, database:
        (value,) = database.execute(f"SELECT {column} FROM {table}").fetchone()  # noqa: S608 - our own names
        changed = "x" if value is None else CHANGED[type(value)](value)
        try:
            database.execute(f"UPDATE {table} SET {column} = ?", (changed,))  # noqa: S608
        except sqlite3.IntegrityError:
            return False
    return True


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_whatever_column_of_whatever_row_is_changed_it_is_found(active: Bench, table: str, column: str) -> None:
    if not damage(active, table, column):
        assert column == "id"
        return
    active.now += 1000
    active.boot()
    must_scan_again(active)


def test_an_instance_that_was_damaged_can_be_authenticated_and_registered_again(active: Bench) -> None:
    damage(active, "instance", "state")
    active.boot()
    active.now += LOCK
    active.verify()
    Member(active).register()
    assert look(active).state is State.ACTIVE
    active.restart()
    assert look(active).state is State.WINDOW


def test_without_damage_it_goes_on(active: Bench) -> None:
    active.boot()
    assert look(active).state is State.WINDOW
    assert not (active.config / DAMAGED).exists()


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_gone_is_missed(active: Bench, table: str) -> None:
    change(active, f"DELETE FROM {table}")  # noqa: S608
    active.boot()
    must_scan_again(active)


@pytest.mark.parametrize("table", TABLES)
def test_an_earlier_copy_of_a_row_is_noticed(active: Bench, member: Member, table: str) -> None:
    """It has a right seal. But what stands in all other rows has gone on."""
    with closing(sqlite3.connect(active.config / DATABASE)) as database:
        cursor = database.execute(f"SELECT * FROM {table}")  # noqa: S608
        names = [column[0] for column in cursor.description]
        earlier = cursor.fetchall()
    active.boot()
    active.now += 1000
    member.beat()
    active.challenge()
    active.keep_mark()
    active.stop()
    change(active, f"DELETE FROM {table}")  # noqa: S608
    for row in earlier:
        change(active, f"INSERT INTO {table} ({','.join(names)}) VALUES ({','.join('?' * len(row))})", *row)  # noqa: S608
    active.boot()
    must_scan_again(active)


def test_an_earlier_instance_beneath_a_running_process_is_noticed_at_once(active: Bench) -> None:
    with closing(sqlite3.connect(active.config / DATABASE)) as database:
        (version, seal) = database.execute("SELECT version, seal FROM instance").fetchone()
    active.boot()
    change(active, "UPDATE instance SET version = ?, seal = ?", version, seal)
    with pytest.raises(Damaged):
        look(active)


def test_a_row_of_another_instance_is_none_of_ours(active: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other")
    other.stop()
    with closing(sqlite3.connect(other.config / DATABASE)) as database:
        (seal,) = database.execute("SELECT seal FROM instance").fetchone()
    change(active, "UPDATE instance SET seal = ?", seal)
    active.boot()
    must_scan_again(active)


def test_the_slots_of_which_the_rows_are_sound_are_still_shown(active: Bench) -> None:
    damage(active, "instance", "counter")
    active.boot()
    (slot,) = look(active).slots.values()
    assert (slot.name, slot.state, slot.reason) == ("Sales", SlotState.FAILED, "damaged storage")


def test_a_damaged_registration_makes_no_lock_forgotten_and_no_counter_unknown(active: Bench) -> None:
    active.boot()
    active.lock()
    before = look(active)
    active.stop()
    damage(active, "slots", "name")
    active.boot()
    after = look(active)
    assert after.entry(Asker.ANONYMOUS).lock.total == before.entry(Asker.ANONYMOUS).lock.total == 6
    assert after.slots == {}


def test_a_first_start_that_was_killed_is_a_first_start_again(tmp_path: Path) -> None:
    """A database is under its name when there is all of it; so half a one is never taken for a damaged one."""
    config = tmp_path / "config"
    config.mkdir()
    for name in (FRESH, f"{FRESH}-wal", f"{FRESH}-shm"):
        (config / name).write_bytes(b"SQLite format 3\0" + bytes(1000))
    bench = Bench(tmp_path)
    assert look(bench).state is State.UNAUTHENTICATED
    assert sorted(path.name for path in config.iterdir() if path.name.startswith(FRESH)) == []
    bench.kill()


class Interrupted(Exception):
    pass


class InterruptedStore(Store):
    """Is killed before the new database has got its name."""

    def _fill(self, engine: Engine, instance: Instance) -> None:
        super()._fill(engine, instance)
        raise Interrupted


def test_until_a_database_is_whole_there_is_none(tmp_path: Path) -> None:
    store = InterruptedStore(tmp_path, bytes(32))
    with pytest.raises(Interrupted):
        store.make(Instance())
    assert not store.exists


def spoil(path: Path, content: bytes | None) -> None:
    path.unlink()
    if content is not None:
        path.write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + bytes(4096)])
def test_a_file_that_is_no_database_any_more_is_put_aside(active: Bench, content: bytes) -> None:
    spoil(active.config / DATABASE, content)
    active.boot()
    must_scan_again(active)


def test_a_database_that_is_gone_does_not_make_it_a_new_instance(active: Bench) -> None:
    """Its counter would begin anew, and its wrong inputs be forgotten."""
    spoil(active.config / DATABASE, None)
    active.boot()
    instance = look(active)
    assert (instance.state, instance.counter) == (State.REAUTHENTICATE, active.now // 1000)


def test_a_database_of_another_version_is_not_guessed_at(active: Bench) -> None:
    change(active, "PRAGMA user_version = 1")
    active.boot()
    must_scan_again(active)


def test_a_log_of_a_database_that_is_gone_is_not_taken_for_the_new_ones(active: Bench) -> None:
    (active.config / f"{DATABASE}-wal").write_bytes(b"what was left behind" * 100)
    spoil(active.config / DATABASE, None)
    active.boot()
    assert look(active).state is State.REAUTHENTICATE


def test_damage_under_a_running_server_is_found_at_the_next_minute(active: Bench) -> None:
    active.boot()
    change(active, "UPDATE slots SET healing = 1")
    with pytest.raises(Damaged):
        active.tick()
    active.kill()
    active.boot()
    must_scan_again(active)


def test_what_is_retired_stays_so_without_its_database(active: Bench) -> None:
    active.boot()
    statement = active.authorization.retire(active.now)
    active.stop()
    spoil(active.config / DATABASE, None)
    active.boot()
    assert look(active).state is State.RETIRED
    assert active.authorization.retire(active.now + 5) == statement


def test_what_is_retired_states_so_again_when_private_config_was_lost(active: Bench) -> None:
    active.boot()
    active.authorization.retire(active.now)
    active.stop()
    (active.config / "privateConfig").unlink()
    active.boot()
    config = active.authorization.identity.private_config()
    assert config is not None
    assert config.is_retired


def test_no_flipped_bit_keeps_it_from_starting_or_is_taken_for_the_truth(active: Bench) -> None:
    """Either the bit means nothing, and all is as it was; or it is found."""
    path = active.config / DATABASE
    whole = path.read_bytes()
    active.boot()
    expected = look(active)
    active.kill()
    found = 0
    for bit in random.Random(20261124).sample(range(len(whole) * 8), FLIPS):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        for left in active.config.glob(f"{DATABASE}*"):
            left.unlink()
        path.write_bytes(flipped)
        active.boot()
        instance = look(active)
        active.kill()
        if instance != expected:
            found += 1
            assert instance.state is State.REAUTHENTICATE, bit
            assert not any(slot.is_held for slot in instance.slots.values()), bit
    assert 0 < found < FLIPS
