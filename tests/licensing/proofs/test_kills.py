"""The server is killed (SIGKILL, master and worker) again and again while it is used."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from tests.figures import tell
from tests.licensing.issuing import Vendor
from tests.licensing.proofs.actors import Actor, Onlooker
from tests.licensing.proofs.books import Books, QrCodes
from tests.licensing.proofs.people import Person
from tests.licensing.proofs.projects import NODES, Project
from tests.licensing.server.process import Process, scan

PROJECTS = 6
LIFE = 20
"""Kills of one instance. Then comes another one, for the locks of this one stay longer than that."""
LONGEST_SECONDS = 0.6
"""From the moment at which everybody begins to the kill."""
SEED = 20261124


class Life:
    """One instance, and everybody who uses it."""

    def __init__(self, process: Process, vendor: Vendor, draw: random.Random) -> None:
        self.books = Books()
        self._process = process
        self._draw = draw
        qr_codes = QrCodes(self.books)
        projects = [
            Project(f"Project {number}", f"127.0.1.{number}", self.books, draw, stays=number == 0)
            for number in range(PROJECTS)
        ]
        self._people = [
            Person("127.0.2.1", None, vendor, self.books, qr_codes, draw),
            Person("127.0.2.2", process.admin, vendor, self.books, qr_codes, draw),
        ]
        self._actors: Sequence[Actor] = [*projects, *self._people, Onlooker("127.0.2.3", qr_codes)]
        assert scan(process, vendor) == "accepted"
        with projects[0].caller(process.door) as caller:  # until it is registered, no restart may come (R7)
            projects[0].act(caller)

    def spend(self, kills: int) -> None:
        """From some time on each of the people enters a sixth wrong code, in the first half: the rest sees the lock."""
        carefree = [self._draw.randrange(kills // 2) for _ in self._people]
        for number in range(kills):
            for person, last in zip(self._people, carefree, strict=True):
                person.careful = number < last
            self._be_killed()

    def _be_killed(self) -> None:
        killed = Event()
        with ThreadPoolExecutor(len(self._actors)) as threads:
            acting = [threads.submit(actor.run, self._process.door, killed) for actor in self._actors]
            time.sleep(self._draw.uniform(0, LONGEST_SECONDS))
            killed.set()
            self._process.kill()
        for one in acting:
            one.result()
        self.books.kills += 1
        self._process.start()
        for actor in self._actors:
            actor.check(self._process.door)


def live(folder: Path, draw: random.Random, kills: int) -> Books:
    vendor = Vendor()
    process = Process(folder, vendor, registrations=PROJECTS * len(NODES))
    try:
        life = Life(process, vendor, draw)
        life.spend(kills)
        return life.books
    finally:
        process.end()


def kill(folder: Path, kills: int) -> None:
    draw, books = random.Random(SEED), Books()
    for number in range(0, kills, LIFE):
        books += live(folder / str(number), draw, min(LIFE, kills - number))
    print(books)
    assert books.acknowledged
    assert books.charged
    assert books.locks
    figures = (
        tell("kills.survived", books.kills, "=", kills),
        tell("kills.lost", books.lost, "=", 0),
        tell("kills.forgotten", books.forgotten, "=", 0),
        tell("kills.reused", books.reused, "=", 0),
    )
    assert all(figures)


def test_a_server_that_is_killed_under_load_loses_nothing_that_it_has_answered(tmp_path: Path) -> None:
    kill(tmp_path, 12)


@pytest.mark.long
def test_in_five_hundred_kills_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    kill(tmp_path, 500)
