"""SQLite's log after a kill: every bit of it is either as it was written, or found damaged."""

import random
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from wizard.licensing.rules.instance import Instance, State
from wizard.licensing.server.database import LARGEST_LOG, check_log, connect, log_of, open_engine
from wizard.licensing.server.rows import Damaged
from wizard.licensing.server.store import DATABASE

FLIPS = 150
"""Bits that are flipped, one at a time, at places that a fixed seed picks."""
CUTS = 60
SEED = 20261124


class Killed:
    """What a kill leaves of an instance: its folder as it was at that moment, with a log full of what was committed."""

    def __init__(self, folder: Path) -> None:
        bench = Bench(folder / "running")
        bench.verify()
        Member(bench).register()
        bench.keep_mark()
        self.database = folder / "killed" / DATABASE
        self.log = log_of(self.database)
        self._bench = bench
        self._left = folder / "left"
        shutil.copytree(bench.config, self._left)
        bench.kill()
        self.whole = log_of(self._left / DATABASE).read_bytes()

    def boot(self, log: bytes) -> Instance:
        """The next process, with that log."""
        shutil.rmtree(self.database.parent, ignore_errors=True)
        shutil.copytree(self._left, self.database.parent)
        self.log.write_bytes(log)
        self._bench.config = self.database.parent
        self._bench.boot()
        instance = self._bench.authorization.look(self._bench.now)
        self._bench.kill()
        return instance


@pytest.fixture
def killed(tmp_path: Path) -> Killed:
    return Killed(tmp_path)


def flipped(whole: bytes, bit: int) -> bytes:
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_what_was_committed_before_a_kill_is_in_the_log_and_counts(killed: Killed) -> None:
    assert len(killed.whole) > 10 * 4096
    assert killed.boot(killed.whole).state is State.WINDOW


def test_no_flipped_bit_of_the_log_is_dropped_without_a_word(killed: Killed) -> None:
    """SQLite itself would forget what comes after it: a lock, a counter, a registration."""
    for bit in random.Random(SEED).sample(range(len(killed.whole) * 8), FLIPS):
        instance = killed.boot(flipped(killed.whole, bit))
        assert instance.state is State.REAUTHENTICATE, bit


def test_every_bit_of_its_head_and_of_the_head_of_a_frame_is_looked_at(killed: Killed) -> None:
    last = len(killed.whole) - 4096 - 24
    heads = [*range(32 * 8), *range(last * 8, (last + 24) * 8)]
    killed.log.parent.mkdir()
    for bit in heads:
        killed.log.write_bytes(flipped(killed.whole, bit))
        with pytest.raises(Damaged):
            check_log(killed.log)


def test_a_log_that_was_cut_off_by_a_kill_is_no_damage(killed: Killed) -> None:
    states = set()
    for length in random.Random(SEED).sample(range(len(killed.whole)), CUTS):
        states.add(killed.boot(killed.whole[:length]).state)
    assert states <= {State.UNAUTHENTICATED, State.WINDOW}
    assert State.UNAUTHENTICATED in states


def test_frames_of_an_earlier_log_end_it(tmp_path: Path) -> None:
    """As SQLite leaves them when somebody else read for so long that the log could not be cut."""
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE numbers (number INTEGER)")
        for number in range(50):
            with database:
                database.execute("INSERT INTO numbers VALUES (?)", (number,))
        database.execute("PRAGMA wal_checkpoint(RESTART)")
        with database:
            database.execute("INSERT INTO numbers VALUES (50)")
        log = log_of(path).read_bytes()
        salts = {struct.unpack_from(">II", log, start + 8) for start in range(32, len(log), 4096 + 24)}
        assert len(salts) == 2
        check_log(log_of(path))


def test_the_log_is_brought_home_before_it_is_large(bench: Bench) -> None:
    member = Member(bench)
    bench.verify()
    member.register()
    sizes: list[int] = []
    while len(sizes) < 500:
        member.beat()
        sizes.append(log_of(bench.config / DATABASE).stat().st_size)
    assert max(sizes) <= LARGEST_LOG
    assert sizes != sorted(sizes)


def test_trouble_while_a_connection_is_made_is_trouble_of_the_storage(tmp_path: Path) -> None:
    """The driver's own error would be nobody's: it is none of SQLAlchemy's."""
    with pytest.raises(OperationalError):
        connect(open_engine(tmp_path / "no such folder" / "some.db"))
