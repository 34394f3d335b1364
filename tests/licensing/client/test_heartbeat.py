"""The thread: at once after a start, at once when it is woken, and it ends when it is told to."""

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.licensing.client.wire import BenchLine
from tests.licensing.server.bench import Bench
from wizard.licensing.client import Client, Drawer, Endpoint, Heartbeat
from wizard.licensing.protocol.api import BEATS
from wizard.licensing.protocol.messages import Message
from wizard.licensing.rules.limits import BEAT

PATIENCE_SECONDS = 10


class SignallingLine(BenchLine):
    """Says when a beat has been answered."""

    def __init__(self, benches: dict[int, Bench]) -> None:
        super().__init__(benches)
        self.beaten = Event()

    def post(self, endpoint: Endpoint, path: str, message: Message) -> tuple[int, dict[str, Any]]:
        answer = super().post(endpoint, path, message)
        if path == BEATS:
            self.beaten.set()
        return answer


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    bench.verify()
    yield bench
    bench.kill()


def test_a_registration_is_followed_by_a_beat_and_a_restart_too(bench: Bench, tmp_path: Path) -> None:
    line = SignallingLine({1: bench})
    for start in ("first", "second"):
        client = Client("Sales", Drawer(tmp_path / "project", ("main",)), line)
        heart = Heartbeat(client, lambda: bench.now)
        heart.start()
        if start == "first":
            client.register("127.0.0.5", 1, bench.now)
            heart.wake()
        assert line.beaten.wait(PATIENCE_SECONDS), start
        line.beaten.clear()
        heart.stop()


class Listener(logging.Handler):
    """Says when something was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = Event()
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()
        self.heard.set()


def test_a_disk_that_is_full_for_a_while_does_not_end_it(bench: Bench, tmp_path: Path) -> None:
    line, listener, folder = SignallingLine({1: bench}), Listener(), tmp_path / "project"
    logging.getLogger("wizard.licensing.client.heartbeat").addHandler(listener)
    client = Client("Sales", Drawer(folder, ("main",)), line)
    client.register("127.0.0.5", 1, bench.now)
    client.beat(bench.now)
    line.beaten.clear()
    bench.now += BEAT
    folder.rename(tmp_path / "away")
    folder.write_text("a file where the folder should be")
    heart = Heartbeat(client, lambda: bench.now)
    heart.start()
    assert listener.heard.wait(PATIENCE_SECONDS)
    assert listener.said.startswith("Sales cannot beat: registration.json cannot be read or written")
    assert not line.beaten.is_set()

    folder.unlink()
    (tmp_path / "away").rename(folder)
    heart.wake()
    assert line.beaten.wait(PATIENCE_SECONDS)
    heart.stop()
    logging.getLogger("wizard.licensing.client.heartbeat").removeHandler(listener)
