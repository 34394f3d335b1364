"""Several projects and one authorization application: the maximum, what frees a slot, and a copy (R8, R12)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.client.wire import BenchLine
from tests.licensing.issuing import Vendor
from tests.licensing.server.bench import Bench
from tests.licensing.server.process import ADDRESS, Process, scan
from wizard.licensing.client import Client, Drawer, Line, NotRegistered, PinnedLine
from wizard.licensing.protocol import api
from wizard.licensing.rules.limits import BEAT, DAY, MINUTE, Millis
from wizard.licensing.rules.project import ProjectState

NOW: Millis = 1_800_000_000_000
PORT = 1
HELD = ("LIVE", "AWAITING")


class Neighbours:
    """Projects in folders of their own, by name."""

    def __init__(self, folder: Path, line: Line, port: int) -> None:
        self._folder = folder
        self._line = line
        self._port = port

    def project(self, name: str, *nodes: str) -> Client:
        return Client(name, Drawer(self._folder / name, nodes), self._line)

    def copy(self, name: str, *nodes: str) -> Client:
        """The project's folder as it is now, in a second process."""
        shutil.copytree(self._folder / name, self._folder / f"copy of {name}")
        return Client(name, Drawer(self._folder / f"copy of {name}", nodes), self._line)

    def register(self, client: Client, now: Millis) -> None:
        client.register(ADDRESS, self._port, now)
        client.beat(now)


class Town:
    """An authorization application for six registrations, on the bench."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder / "server", registrations=6)
        self.bench.verify()
        self.line = BenchLine({PORT: self.bench})
        self.neighbours = Neighbours(folder, self.line, PORT)

    @property
    def now(self) -> Millis:
        return self.bench.now

    def project(self, name: str, *nodes: str) -> Client:
        return self.neighbours.project(name, *(nodes or ("a", "b")))

    def registered(self, name: str, *nodes: str) -> Client:
        client = self.project(name, *nodes)
        self.neighbours.register(client, self.now)
        return client

    def refused(self, client: Client) -> str:
        """The code of the refusal."""
        with pytest.raises(NotRegistered) as refusal:
            self.neighbours.register(client, self.now)
        return refusal.value.code

    def held(self) -> dict[str, int]:
        """How many slots each project has, by its name."""
        names = [slot["project"] for slot in self.bench.status()["slots"] if slot["state"] in HELD]
        return {name: names.count(name) for name in names}

    def state(self, client: Client) -> ProjectState:
        """That of all of its nodes, which must have the same."""
        [state] = {node.registration.state for node in client.look(self.now).nodes}
        return state


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.bench.kill()


@pytest.fixture
def three(town: Town) -> dict[str, Client]:
    """Three projects of two nodes each: six registrations of six."""
    return {name: town.registered(name) for name in ("North", "East", "South")}


def test_three_projects_of_two_nodes_fill_six_registrations(town: Town, three: dict[str, Client]) -> None:
    assert town.held() == {"North": 2, "East": 2, "South": 2}
    assert {town.state(client) for client in three.values()} == {ProjectState.CONNECTED}


def test_a_fourth_is_refused_by_the_maximum_and_nothing_changes(town: Town, three: dict[str, Client]) -> None:
    before = town.bench.status()["slots"]
    fourth = town.project("West")
    assert town.refused(fourth) == "maximum_reached"
    assert town.state(fourth) is ProjectState.UNREGISTERED
    assert town.bench.status()["slots"] == before
    town.bench.now += BEAT
    for client in three.values():
        client.beat(town.now)
    assert {town.state(client) for client in three.values()} == {ProjectState.CONNECTED}


def test_one_that_is_given_up_frees_its_two_slots_for_the_fourth(town: Town, three: dict[str, Client]) -> None:
    fourth = town.project("West")
    town.refused(fourth)
    assert three["East"].deauthorize(town.now)
    town.neighbours.register(fourth, town.now)
    assert town.held() == {"North": 2, "South": 2, "West": 2}
    assert (town.state(three["East"]), town.state(fourth)) == (ProjectState.RELEASED, ProjectState.CONNECTED)
    assert town.refused(three["East"]) == "maximum_reached"


def test_a_project_of_three_nodes_does_not_get_the_two_that_are_free(town: Town) -> None:
    town.registered("North")
    town.registered("East")
    before = town.bench.status()["slots"]
    big = town.project("Big", "a", "b", "c")
    assert town.refused(big) == "maximum_reached"
    assert town.bench.status()["slots"] == before
    town.registered("South")
    assert town.held() == {"North": 2, "East": 2, "South": 2}


def test_one_that_falls_silent_frees_its_slots_after_a_day_and_not_before(town: Town, three: dict[str, Client]) -> None:
    began = town.now
    fourth = town.project("West")
    for moment in (began + DAY, began + DAY + 1):
        town.bench.now = moment
        for name in ("North", "South"):
            three[name].beat(town.now, everyone=True)
        if moment == began + DAY:
            assert town.refused(fourth) == "maximum_reached"
    town.neighbours.register(fourth, town.now)
    assert town.held() == {"North": 2, "South": 2, "West": 2}


def test_a_copy_of_a_project_shows_itself_on_both_sides_and_the_original_goes_on(
    town: Town, three: dict[str, Client]
) -> None:
    original, copy = three["North"], town.neighbours.copy("North", "a", "b")
    town.bench.now += BEAT
    original.beat(town.now)
    copy.beat(town.now)
    assert (town.state(original), town.state(copy)) == (ProjectState.CONNECTED, ProjectState.DISCONNECTED)
    assert copy.look(town.now).has_other_copy(town.now)

    town.bench.now += MINUTE
    copy.beat(town.now)
    town.bench.now += BEAT - MINUTE
    original.beat(town.now)
    assert original.look(town.now).has_other_copy(town.now)
    town.bench.now += MINUTE
    original.beat(town.now)
    assert town.state(original) is ProjectState.CONNECTED
    assert town.held() == {"North": 2, "East": 2, "South": 2}


def test_the_copy_registers_with_a_key_of_its_own_as_soon_as_there_is_room(
    town: Town, three: dict[str, Client]
) -> None:
    original, copy = three["North"], town.neighbours.copy("North", "a", "b")
    original.beat(town.now, everyone=True)
    copy.beat(town.now, everyone=True)
    assert town.refused(copy) == "maximum_reached"
    assert town.state(original) is ProjectState.CONNECTED

    three["East"].deauthorize(town.now)
    town.neighbours.register(copy, town.now)
    assert town.held() == {"North": 4, "South": 2}
    for _ in range(3):
        town.bench.now += BEAT
        for client in (original, copy):
            client.beat(town.now)
            assert town.state(client) is ProjectState.CONNECTED
    assert not original.look(town.now).has_other_copy(town.now)
    assert original.look(town.now).key != copy.look(town.now).key


def test_over_real_tls_a_third_is_refused_until_one_is_given_up_and_a_copy_shows_itself(tmp_path: Path) -> None:
    vendor = Vendor()
    process = Process(tmp_path / "server", vendor, registrations=2)
    try:
        assert scan(process, vendor) == "accepted"
        neighbours = Neighbours(tmp_path, PinnedLine(), process.port)
        first, second, third = (neighbours.project(name, "main") for name in ("First", "Second", "Third"))
        for client in (first, second):
            neighbours.register(client, NOW)
        with pytest.raises(NotRegistered, match="in use") as refused:
            neighbours.register(third, NOW)
        assert refused.value.code == "maximum_reached"

        copy = neighbours.copy("First", "main")
        first.beat(NOW, everyone=True)
        copy.beat(NOW, everyone=True)
        assert copy.look(NOW).needs_own_key
        assert not first.look(NOW).has_other_copy(NOW)

        assert second.deauthorize(NOW)
        neighbours.register(copy, NOW)
        slots = process.get(api.STATUS)["slots"]
        assert sorted((slot["project"], slot["state"]) for slot in slots) == [
            ("First", "LIVE"),
            ("First", "LIVE"),
            ("Second", "RELEASED"),
        ]
    finally:
        process.end()
