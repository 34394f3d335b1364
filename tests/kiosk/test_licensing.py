"""What a kiosk adds to both sides of a licence: a clock that is ahead, and a network that can be cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.issuing import Vendor
from wizard.licensing.client.driven import CuttableLine
from wizard.licensing.client.line import Endpoint, LineError
from wizard.licensing.protocol.messages import Message
from wizard.licensing.rules.instance import State
from wizard.licensing.rules.limits import DAY, HOUR, MINUTE, Millis
from wizard.licensing.rules.timeline import Reading
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.identity import open_identity
from wizard.licensing.server.settings import parse
from wizard.licensing.server.store import Store
from wizard.licensing.server.travelling import Travelling, ahead

T: Millis = 1_800_000_000_000


class Traveller:
    """An authorization application whose host stands still, and whose file says how far it is ahead."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ahead"
        self.arrived: list[Millis] = []
        self.identity = open_identity(folder / "config", Vendor().claims())
        self.start()

    def start(self) -> None:
        self.authorization = Authorization(self.identity, Store(self.identity.folder, self.identity.row_key))
        self.clock = Travelling(
            self.authorization.store, self.authorization, T - 100 * DAY, self.file, self.arrived.append, self.read
        )
        self.clock()

    def read(self) -> Reading:
        return Reading(utc=T, boottime=DAY, boot_id="boot")

    def go(self, to: Millis) -> None:
        self.file.write_text(str(to))

    def stop(self) -> None:
        self.clock.keep()
        self.authorization.stop(self.clock())
        self.authorization.store.close()


@pytest.fixture
def traveller(tmp_path: Path) -> Iterator[Traveller]:
    (tmp_path / "config").mkdir()
    traveller = Traveller(tmp_path)
    yield traveller
    traveller.authorization.store.close()


@pytest.mark.parametrize("span", [5 * MINUTE, 5 * MINUTE + 1, 24 * HOUR, 7 * DAY])
def test_a_way_is_lived_through_and_no_pause(traveller: Traveller, span: Millis) -> None:
    started = traveller.authorization.store.load().started
    traveller.go(span)
    assert traveller.clock() == T + span
    assert traveller.authorization.store.load().started == started  # it was not taken for a restart (R10)
    assert traveller.arrived == [T + span]
    mark = traveller.authorization.store.mark
    assert mark is not None
    assert mark.anomaly is None  # both clocks have moved alike


def test_what_passed_while_it_was_stopped_is_a_stop(traveller: Traveller) -> None:
    traveller.stop()
    traveller.go(3 * HOUR)
    traveller.start()
    instance = traveller.authorization.store.load()
    assert instance.state is State.UNAUTHENTICATED
    assert (instance.stopped, instance.started) == (T, T + 3 * HOUR)


def test_without_a_file_no_clock_is_ahead(tmp_path: Path) -> None:
    assert ahead(tmp_path / "none") == 0
    assert parse(["--address", "127.0.0.1"]).time_machine is None


class Loopback:
    """A line to somebody who always answers."""

    def find(self, address: str, port: int) -> Endpoint:
        return Endpoint(address=address, port=port, pin="00")

    def post(self, endpoint: Endpoint, path: str, message: Message) -> tuple[int, dict[str, object]]:
        return 200, {}


def test_nothing_passes_a_line_that_is_cut_until_it_is_mended() -> None:
    line = CuttableLine(Loopback())
    endpoint = line.find("192.0.2.7", 18081)
    line.is_cut = True
    for ask in (lambda: line.find("192.0.2.7", 18081), lambda: line.post(endpoint, "/", {})):
        with pytest.raises(LineError, match=r"no answer from 192\.0\.2\.7:18081"):
            ask()
    line.is_cut = False
    assert line.post(endpoint, "/", {}) == (200, {})
