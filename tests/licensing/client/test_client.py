"""The library against the real authorization application on the bench, with one clock for both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.client.wire import BenchLine, cut
from tests.licensing.server.bench import Bench
from wizard.licensing.client import Client, Drawer, LineError, Node, NotRegistered
from wizard.licensing.rules.limits import BEAT, DAY, HOUR, MINUTE, SECOND
from wizard.licensing.rules.project import Loss, ProjectState

ADDRESS = "127.0.0.5"


class Site:
    """One project, `client`, and the authorization application it can reach at port 1."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder / "server", registrations=2)
        self.line = BenchLine({1: self.bench})
        self.folder = folder / "project"
        self.client = self.restarted()

    def restarted(self) -> Client:
        """The project's process, started again."""
        self.client = Client("Sales", Drawer(self.folder, ("node-a", "node-b")), self.line)
        return self.client

    def register(self) -> None:
        self.bench.verify()
        self.client.register(ADDRESS, 1, self.bench.now)
        self.client.beat(self.bench.now)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.client.look(self.bench.now).nodes

    @property
    def states(self) -> set[ProjectState]:
        return {node.registration.state for node in self.nodes}

    def slots(self) -> list[str]:
        return [slot["state"] for slot in self.bench.status()["slots"]]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.bench.kill()


def test_registering_connects_all_nodes_and_the_first_beat_is_due_at_once(site: Site) -> None:
    site.bench.verify()
    site.client.register(ADDRESS, 1, site.bench.now)
    assert site.states == {ProjectState.CONNECTED}
    assert site.client.next_beat(site.bench.now) == site.bench.now
    site.client.beat(site.bench.now)
    assert site.client.next_beat(site.bench.now) == site.bench.now + BEAT
    assert all(slot["last_request_ms"] == 0 for slot in site.bench.status()["slots"])


def test_a_refusal_keeps_its_cause_and_changes_nothing(site: Site) -> None:
    with pytest.raises(NotRegistered, match="scan its QR code") as refused:
        site.client.register(ADDRESS, 1, site.bench.now)
    assert refused.value.code == "not_authenticated"
    assert site.states == {ProjectState.UNREGISTERED}


def test_nobody_there_changes_nothing(site: Site) -> None:
    with pytest.raises(LineError):
        site.client.register(ADDRESS, 2, site.bench.now)
    assert site.states == {ProjectState.UNREGISTERED}


def test_beats_go_out_when_they_are_due_and_not_before(site: Site) -> None:
    site.register()
    before = len(site.line.sent)
    site.bench.now += BEAT - 1
    site.client.beat(site.bench.now)
    assert len(site.line.sent) == before
    site.bench.now += 1
    site.client.beat(site.bench.now)
    assert len(site.line.sent) == before + 2


def test_retries_come_after_60_seconds_doubled_up_to_300(site: Site) -> None:
    site.register()
    site.line.cut = True
    site.bench.now += BEAT
    waits = []
    for _ in range(5):
        site.client.beat(site.bench.now)
        due = site.client.next_beat(site.bench.now)
        assert due is not None
        waits.append((due - site.bench.now) // SECOND)
        site.bench.now = due
    assert waits == [60, 120, 240, 300, 300]
    assert site.states == {ProjectState.DISCONNECTED}
    assert {node.problem for node in site.nodes} == {cut(ADDRESS, 1).cause}


def test_a_restarted_project_knows_all_and_beats_at_once(site: Site) -> None:
    site.register()
    before = site.nodes
    site.bench.now += HOUR
    site.restarted()
    assert site.nodes == before
    site.client.beat(site.bench.now, everyone=True)
    assert [slot["last_request_ms"] for slot in site.bench.status()["slots"]] == [0, 0]


def test_a_restarted_authorization_application_is_found_again(site: Site) -> None:
    site.register()
    site.bench.restart(down=23 * HOUR)
    site.client.beat(site.bench.now)
    assert site.states == {ProjectState.CONNECTED}
    assert site.bench.state == "ACTIVE"


def test_a_lapsed_project_heals_by_the_attested_stop_even_when_the_first_answer_is_lost(site: Site) -> None:
    site.register()
    site.bench.now += HOUR + 30 * MINUTE
    site.bench.restart(down=23 * HOUR)
    assert site.states == {ProjectState.LAPSED}
    site.line.deaf = True
    site.client.beat(site.bench.now)
    assert site.states == {ProjectState.LAPSED}
    site.line.deaf = False
    site.bench.now += MINUTE
    site.client.beat(site.bench.now)
    assert site.states == {ProjectState.CONNECTED}


def test_a_partition_of_more_than_a_day_fails_both_sides(site: Site) -> None:
    site.register()
    site.line.cut = True
    site.bench.now += DAY + 1
    site.client.beat(site.bench.now)
    assert (site.states, site.slots()) == ({ProjectState.LAPSED}, ["FAILED", "FAILED"])
    site.line.cut = False
    site.bench.now += 5 * MINUTE
    site.client.beat(site.bench.now)
    assert site.states == {ProjectState.FAILED}
    assert {node.registration.reason for node in site.nodes} == {Loss.UNKNOWN}
    site.client.register(ADDRESS, 1, site.bench.now)
    assert (site.states, site.slots()) == ({ProjectState.CONNECTED}, ["LIVE", "LIVE"])


def test_too_long_a_stop_fails_the_registration(site: Site) -> None:
    site.register()
    site.bench.restart(down=DAY + 1)
    site.client.beat(site.bench.now)
    assert {node.registration.reason for node in site.nodes} == {Loss.REAUTHENTICATE}


def test_giving_up_frees_the_slots(site: Site) -> None:
    site.register()
    assert site.client.deauthorize(site.bench.now)
    assert (site.states, site.slots()) == ({ProjectState.RELEASED}, ["RELEASED", "RELEASED"])
    assert site.client.look(site.bench.now).server is None


def test_giving_up_without_an_answer_leaves_the_slots_to_free_themselves(site: Site) -> None:
    site.register()
    site.line.cut = True
    assert not site.client.deauthorize(site.bench.now)
    assert site.states == {ProjectState.UNREGISTERED}
    site.bench.now += DAY + 1
    assert site.slots() == ["FAILED", "FAILED"]


def test_moving_to_another_authorization_application_releases_the_slots_of_the_first(
    site: Site, tmp_path: Path
) -> None:
    site.register()
    other = Bench(tmp_path / "other", registrations=2)
    site.line.benches[2] = other
    other.verify()
    site.client.register(ADDRESS, 2, site.bench.now)
    assert site.slots() == ["RELEASED", "RELEASED"]
    assert [slot["state"] for slot in other.status()["slots"]] == ["LIVE", "LIVE"]
    other.kill()


def test_a_move_that_is_refused_leaves_the_first_registration_alone(site: Site, tmp_path: Path) -> None:
    site.register()
    other = Bench(tmp_path / "other")
    site.line.benches[2] = other
    with pytest.raises(NotRegistered):
        site.client.register(ADDRESS, 2, site.bench.now)
    site.bench.now += BEAT
    site.client.beat(site.bench.now)
    assert (site.states, site.slots()) == ({ProjectState.CONNECTED}, ["LIVE", "LIVE"])
    other.kill()


def test_an_answer_of_another_instance_is_no_answer(site: Site, tmp_path: Path) -> None:
    site.register()
    other = Bench(tmp_path / "other")
    site.line.benches[1] = other
    site.bench.now += BEAT
    site.client.beat(site.bench.now)
    assert site.states == {ProjectState.DISCONNECTED}
    other.kill()


def test_no_sequence_is_used_twice_over_restarts(site: Site) -> None:
    site.register()
    site.restarted()
    site.client.beat(site.bench.now, everyone=True)
    sequences = [message["body"]["sequence"] for message in site.line.sent]
    assert sequences == sorted(set(sequences))


def test_a_clock_that_was_set_back_does_not_silence_the_project(site: Site) -> None:
    site.register()
    sent = len(site.line.sent)
    site.client.beat(site.bench.now - 365 * DAY)
    assert len(site.line.sent) == sent + 2
    assert site.client.next_beat(site.bench.now - 365 * DAY) == site.bench.now - 365 * DAY + BEAT


def test_a_node_that_was_added_is_registered_with_the_others(site: Site) -> None:
    site.register()
    site.client.deauthorize(site.bench.now)
    site.bench.verify()
    alone = Client("Sales", Drawer(site.folder, ("node-a",)), site.line)
    alone.register(ADDRESS, 1, site.bench.now)
    site.restarted()
    assert [node.registration.state for node in site.nodes] == [
        ProjectState.CONNECTED,
        ProjectState.UNREGISTERED,
    ]
    assert not site.client.look(site.bench.now).is_whole
    site.client.register(ADDRESS, 1, site.bench.now)
    assert (site.states, site.slots()) == ({ProjectState.CONNECTED}, ["LIVE", "LIVE"])


def test_giving_up_what_was_never_registered_changes_nothing(site: Site) -> None:
    before = site.client.look(site.bench.now)
    assert not site.client.deauthorize(site.bench.now)
    assert site.client.look(site.bench.now) == before
    assert site.line.sent == []


def test_an_earlier_authorization_application_that_does_not_answer_is_told_of(site: Site, tmp_path: Path) -> None:
    site.register()
    other = Bench(tmp_path / "other", registrations=2)
    other.verify()
    site.line.benches = {2: other}
    site.client.register(ADDRESS, 2, site.bench.now)
    notice = site.client.look(site.bench.now).notice
    assert notice is not None
    assert (notice.cause.code, notice.cause.where) == ("frees_itself", f"{ADDRESS}:1")
    assert site.states == {ProjectState.CONNECTED}
    other.kill()
