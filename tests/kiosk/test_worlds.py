"""Worlds are handed out one by one, bounded in number, and taken away when a visit is over."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.waiting import until
from wizard.kiosk.bounds import Patience
from wizard.kiosk.processes import World
from wizard.kiosk.worlds import Worlds

T = datetime(2026, 6, 1, 12, tzinfo=UTC)
PATIENCE = Patience()
OVER = PATIENCE.idle + PATIENCE.warning + PATIENCE.grace
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


class Ready(World):
    """A world that is ready as soon as its process runs."""

    def is_ready(self) -> bool:
        return not self.has_ended


class Hall:
    """A kiosk's worlds over processes that only sleep, and a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.now, self.folder, self.most = T, folder, 0
        self.worlds = Worlds(folder, self.make, 2, PATIENCE, lambda: self.now)

    def make(self, slot: int) -> World:
        folder = self.folder / f"{slot}-{len(list(self.folder.glob('*')))}-{threading.get_ident()}"
        folder.mkdir(parents=True)
        world = Ready(slot=slot, port=1, folder=folder)
        world.begin(SLEEPER, self.folder, {})
        self.most = max(self.most, len(list(self.folder.glob("*"))))
        return world

    def enter(self) -> str:
        return until(self.worlds.begin, "a visitor is let in")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path / "worlds")
    hall.folder.mkdir()
    hall.worlds.open()
    yield hall
    hall.worlds.close()
    assert list(hall.folder.glob("*")) == []


def test_each_visitor_has_a_world_of_their_own(hall: Hall) -> None:
    one, other = hall.worlds.find(hall.enter()), hall.worlds.find(hall.enter())
    assert one is not None
    assert other is not None
    assert (one.folder, one.slot, one.secret) != (other.folder, other.slot, other.secret)


def test_there_are_never_more_worlds_than_visitors_and_one(hall: Hall) -> None:
    for _ in range(5):
        tokens = [hall.enter(), hall.enter()]
        assert hall.worlds.is_full()
        assert hall.worlds.begin() is None
        for token in tokens:
            hall.worlds.end(token)
    assert hall.most <= 3


def test_what_is_ended_is_gone_at_once_and_its_process_soon(hall: Hall) -> None:
    token = hall.enter()
    world = hall.worlds.find(token)
    assert world is not None
    hall.worlds.end(token)
    assert hall.worlds.find(token) is None
    assert not hall.worlds.touch(token)
    until(lambda: world.has_ended and not world.folder.exists(), "it is removed")


def test_who_touches_nothing_is_forgotten_just_after_their_time(hall: Hall) -> None:
    token = hall.enter()
    hall.now = T + OVER
    assert hall.worlds.find(token) is not None
    hall.now += timedelta(milliseconds=1)
    assert hall.worlds.find(token) is None
    assert not hall.worlds.touch(token)


def test_a_touch_begins_the_time_anew(hall: Hall) -> None:
    token = hall.enter()
    hall.now = T + OVER
    assert hall.worlds.touch(token)
    hall.now += OVER
    assert hall.worlds.find(token) is not None


def test_no_visit_is_longer_than_the_longest(hall: Hall) -> None:
    token = hall.enter()
    while hall.now <= T + PATIENCE.visit:
        assert hall.worlds.touch(token)
        hall.now += timedelta(seconds=30)
    assert hall.worlds.find(token) is None


def test_a_world_that_dies_ends_its_visit(hall: Hall) -> None:
    token = hall.enter()
    world = hall.worlds.find(token)
    assert world is not None
    assert world.process is not None
    world.process.kill()
    until(lambda: hall.worlds.find(token) is None and not world.folder.exists(), "it is noticed")
    assert hall.enter()


def test_nobody_finds_a_world_by_guessing(hall: Hall) -> None:
    assert len(hall.enter()) == 32
    assert hall.worlds.find("") is None


def test_what_a_killed_kiosk_has_left_is_cleared_at_the_start(tmp_path: Path) -> None:
    left = tmp_path / "worlds" / "0-left"
    left.mkdir(parents=True)
    process = subprocess.Popen([*SLEEPER, f"{left}/nodes"])
    hall = Hall(tmp_path / "worlds")
    hall.worlds.open()
    assert process.wait(10) != 0
    assert not left.exists()
    hall.worlds.close()
