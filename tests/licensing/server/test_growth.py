"""What strangers can make the store and the answers grow by: nothing without bound."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from wizard.licensing.protocol import api
from wizard.licensing.protocol.request import MOST_REGISTRATIONS
from wizard.licensing.rules.limits import REMEMBERED
from wizard.licensing.server.store import DATABASE
from wizard.relay import LARGEST_ANSWER

LONGEST = "😀" * 200
"""A name of as many letters as one may have; each of them takes twelve bytes in JSON."""
ROUNDS = REMEMBERED + 20


def rows(bench: Bench, table: str) -> int:
    with closing(sqlite3.connect(bench.config / DATABASE)) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names


def come_and_go(bench: Bench, name: str) -> None:
    """One who registers, beats, and gives up."""
    member = Member(bench, name=name)
    member.register()
    member.beat()
    member.deauthorize()
    bench.now += 1


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, registrations=2)
    yield bench
    bench.kill()


def test_who_comes_and_goes_again_and_again_leaves_only_so_much(bench: Bench) -> None:
    bench.verify()
    Member(bench, "node-a", name="Sales").register()
    for count in range(ROUNDS):
        come_and_go(bench, f"Stranger {count}")
    assert rows(bench, "slots") <= REMEMBERED + 2
    assert rows(bench, "answers") <= 2 * (REMEMBERED + 2)
    assert rows(bench, "slots") > REMEMBERED
    bench.tick()
    names = [slot["project"] for slot in bench.status()["slots"]]
    assert "Sales" in names
    assert f"Stranger {ROUNDS - 1}" in names
    assert "Stranger 0" not in names
    bench.restart()
    assert bench.state == "WINDOW"


def test_the_longest_status_there_can_be_is_read_by_the_wizard(bench: Bench) -> None:
    bench.verify()
    Member(bench, "node-a").register()
    before = len(bench.client.get(api.STATUS).data)
    Member(bench, LONGEST, name=LONGEST).register()
    each = len(bench.client.get(api.STATUS).data) - before
    assert each * (MOST_REGISTRATIONS + REMEMBERED) < LARGEST_ANSWER
