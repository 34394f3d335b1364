"""Each minute, and the stop: what goes wrong is said, and the next minute comes all the same."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.licensing.server.test_timekeeper import Host
from wizard.licensing.rules.limits import MINUTE
from wizard.licensing.server.minutes import Minutes
from wizard.licensing.server.store import DATABASE


class Ending:
    """Counts how often the process was told to end."""

    def __init__(self, folder: Path) -> None:
        self.host = Host(folder)
        self.ends = 0
        self.minutes = Minutes(self.host.authorization, self.host.clock, self.end)

    def end(self) -> None:
        self.ends += 1


@pytest.fixture
def ending(tmp_path: Path) -> Ending:
    ending = Ending(tmp_path)
    ending.host.clock()
    return ending


def alive(ending: Ending) -> int:
    return ending.host.authorization.store.load().alive


def test_each_minute_the_time_alive_is_written(ending: Ending) -> None:
    before = alive(ending)
    ending.host.passes(MINUTE)
    ending.minutes.passes()
    assert alive(ending) == before + MINUTE


def test_damage_ends_the_process_and_nothing_is_written_over_it(ending: Ending) -> None:
    path = ending.host.config / DATABASE
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE instance SET counter = counter + 1")
    ending.host.passes(MINUTE)
    ending.minutes.passes()
    assert ending.ends == 1
    ending.minutes.stop()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT clean FROM instance").fetchone() == (0,)


def test_a_stop_is_the_last_thing_that_is_written(ending: Ending) -> None:
    ending.host.passes(MINUTE)
    ending.minutes.stop()
    instance = ending.host.authorization.store.load()
    assert (instance.clean, instance.alive) == (True, ending.host.utc)


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.licensing.server.test_minutes import Ending, MINUTE
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ending = Ending(Path(sys.argv[1]))
ending.host.clock()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
for _ in range(3):
    ending.host.passes(MINUTE)
    ending.minutes.passes()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ending.host.passes(MINUTE)
ending.minutes.passes()
assert ending.ends == 0
assert ending.host.authorization.store.load().alive == ending.host.utc
"""
"""No file can grow for three minutes, as on a full disk."""


def test_a_full_disk_ends_no_minute_after_it(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("The time alive could not be written.") == 3
