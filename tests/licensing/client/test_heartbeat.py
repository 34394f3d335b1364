"""The thread: at once after a start, at once when it is woken, and it ends when it is told to."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.licensing.client.wire import BenchLine
from tests.licensing.server.bench import Bench
from wizard.licensing.client.client import Client
from wizard.licensing.client.heartbeat import Heartbeat
from wizard.licensing.client.line import Endpoint
from wizard.licensing.client.memory import Drawer
from wizard.licensing.protocol.api import BEATS
from wizard.licensing.protocol.messages import Message

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
