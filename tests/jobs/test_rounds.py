"""The rounds see what is there to see, and nobody waits for anybody else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.factories import (
    NOW,
    a_cluster,
    a_deployed_registration,
    a_deployment,
    a_project,
    a_registration,
    a_slot,
    a_status,
    an_operation,
)
from tests.fake_uploads import FakeUploads
from tests.fakes import FakeBackend, FakeClock, FakeLicenseServer, MemoryStore, broken
from tests.jobs.toy import Toy, a_workshop
from wizard.domain.deployment import ServerState
from wizard.domain.registration import Registration
from wizard.flow import observe
from wizard.jobs.rounds import Rounds
from wizard.ports import Workshop

Job = Callable[[], None]


def at_once(job: Job) -> None:
    job()


@pytest.fixture
def backend(workshop: Workshop) -> FakeBackend:
    assert isinstance(workshop.backend, FakeBackend)
    return workshop.backend


@pytest.fixture
def server(workshop: Workshop) -> FakeLicenseServer:
    assert isinstance(workshop.license_servers, FakeLicenseServer)
    return workshop.license_servers


@pytest.fixture
def rounds(workshop: Workshop) -> Rounds:
    return Rounds(workshop, Toy(watch=observe).flow, at_once)


class TestWatch:
    def test_what_is_only_said_is_noted_without_a_new_version(
        self, rounds: Rounds, store: MemoryStore, server: FakeLicenseServer
    ) -> None:
        store.save(a_deployed_registration(preflight=None))
        server.now_says = a_status(tries_left=3)
        rounds.watch()
        seen = store.registration("r1")
        assert (seen.version, seen.server) == (1, a_status(tries_left=3))

    def test_what_follows_from_it_is_saved(self, rounds: Rounds, store: MemoryStore, server: FakeLicenseServer) -> None:
        store.save(a_deployed_registration(preflight=None))
        server.now_says = a_status(state=ServerState.VERIFIED)
        rounds.watch()
        seen = store.registration("r1")
        assert (seen.version, seen.verified_at) == (2, NOW)

    def test_nobody_is_asked_where_nothing_runs(
        self, rounds: Rounds, store: MemoryStore, server: FakeLicenseServer
    ) -> None:
        store.save(a_registration())
        rounds.watch()
        assert server.calls == []

    def test_nobody_is_asked_while_an_operation_is_under_way(
        self, rounds: Rounds, store: MemoryStore, server: FakeLicenseServer
    ) -> None:
        store.save(a_deployed_registration(preflight=None))
        store.queue(an_operation())
        rounds.watch()
        assert server.calls == []

    def test_a_step_without_a_watch_asks_nobody(
        self, workshop: Workshop, store: MemoryStore, server: FakeLicenseServer
    ) -> None:
        store.save(a_deployed_registration())
        Rounds(workshop, Toy().flow, at_once).watch()
        assert server.calls == []

    def test_a_silent_server_is_asked_less_and_less_often_up_to_each_thirty_seconds(
        self, rounds: Rounds, store: MemoryStore, server: FakeLicenseServer, clock: FakeClock
    ) -> None:
        store.save(a_deployed_registration(preflight=None))
        server.fail("status", broken(permanent=False), times=1000)
        asked = asked_within(120, rounds, server, clock)
        assert asked == [0, 4, 12, 28, 58, 88, 118]

    def test_a_server_that_answers_again_is_asked_each_two_seconds(
        self, rounds: Rounds, store: MemoryStore, server: FakeLicenseServer, clock: FakeClock
    ) -> None:
        store.save(a_deployed_registration(preflight=None))
        server.fail("status", broken(permanent=False))
        assert asked_within(10, rounds, server, clock) == [0, 4, 6, 8]

    def test_a_finished_registration_is_looked_at_each_thirty_seconds(
        self, rounds: Rounds, store: MemoryStore, server: FakeLicenseServer, clock: FakeClock
    ) -> None:
        store.save(a_deployed_registration(registered_at=NOW, verified_at=NOW))
        server.now_says = a_status(state=ServerState.ACTIVE, slots=(a_slot(last_request_at=NOW),))
        assert asked_within(70, rounds, server, clock) == [0, 30, 60]

    def test_somebody_who_saves_meanwhile_wins(
        self, workshop: Workshop, store: MemoryStore, server: FakeLicenseServer
    ) -> None:
        def watch(registration: Registration, workshop: Workshop) -> Registration:
            store.save(replace(registration, port=18099))
            return replace(registration, port=18011)

        store.save(a_deployed_registration())
        rounds = Rounds(workshop, Toy(watch=watch).flow, at_once)
        rounds.watch()
        assert store.registration("r1").port == 18099

    def test_a_server_that_is_still_being_asked_is_not_asked_again(
        self, workshop: Workshop, store: MemoryStore, server: FakeLicenseServer
    ) -> None:
        line: list[Job] = []
        rounds = Rounds(workshop, Toy(watch=observe).flow, line.append)
        store.save(a_deployed_registration(preflight=None))
        store.save(a_deployed_registration(id="r2", preflight=None))
        rounds.watch()
        rounds.watch()
        assert len(line) == 2
        line.pop(0)()
        rounds.watch()
        assert len(line) == 2


def asked_within(seconds: int, rounds: Rounds, server: FakeLicenseServer, clock: FakeClock) -> list[int]:
    """At which second the server was asked, with a round every two seconds."""
    asked = []
    for second in range(0, seconds, 2):
        before = server.count("status")
        rounds.watch()
        if server.count("status") > before:
            asked.append(second)
        clock.advance(seconds=2)
    return asked


class TestHealths:
    def test_every_node_of_the_inventory_is_seen(self, store: MemoryStore, clock: FakeClock, tmp_path: Path) -> None:
        workshop = a_workshop(store, clock, tmp_path, a_project(), a_cluster())
        assert isinstance(workshop.backend, FakeBackend)
        workshop.backend.engines["plan-second"].well = False
        Rounds(workshop, Toy().flow, at_once).healths()
        assert {slug: health.well for slug, health in store.healths().items()} == {
            "sales-main": True,
            "plan-main": True,
            "plan-component": True,
            "plan-second": False,
        }

    def test_a_node_that_is_slow_to_answer_is_not_asked_again_meanwhile(self, workshop: Workshop) -> None:
        line: list[Job] = []
        rounds = Rounds(workshop, Toy().flow, line.append)
        rounds.healths()
        rounds.healths()
        assert len(line) == 1


class TestTidy:
    def test_what_was_given_up_is_removed_from_its_node(
        self, rounds: Rounds, store: MemoryStore, backend: FakeBackend
    ) -> None:
        store.save(a_registration(discarded=(a_deployment(name="old"), a_deployment(name="older"))))
        rounds.tidy()
        assert backend.calls == [("remove", "sales-main", "old"), ("remove", "sales-main", "older")]
        assert store.registration("r1").discarded == ()
        assert store.registration("r1").version == 1

    def test_a_node_that_fails_is_tried_again_later(
        self, rounds: Rounds, store: MemoryStore, backend: FakeBackend, clock: FakeClock
    ) -> None:
        store.save(a_registration(discarded=(a_deployment(name="old"),)))
        backend.fail("remove", broken())
        rounds.tidy()
        rounds.tidy()
        assert backend.count("remove") == 1
        clock.advance(seconds=4)
        rounds.tidy()
        assert store.registration("r1").discarded == ()

    def test_what_is_on_a_node_that_the_inventory_has_no_more_is_left_alone(
        self, rounds: Rounds, store: MemoryStore, backend: FakeBackend
    ) -> None:
        gone = a_deployment(node="gone")
        store.save(a_registration(discarded=(gone,)))
        rounds.tidy()
        assert backend.calls == []
        assert store.registration("r1").discarded == (gone,)


def test_uploads_that_have_expired_are_removed(workshop: Workshop) -> None:
    Rounds(workshop, Toy().flow, lambda job: job()).sweep()
    assert isinstance(workshop.uploads, FakeUploads)
    assert workshop.uploads.calls == [("sweep",)]


class SupervisingBackend(FakeBackend):
    kept = 0

    def keep_running(self) -> None:
        self.kept += 1

    def pause(self) -> None:
        """The rounds never ask for it."""


class TestKeepRunning:
    def test_a_backend_that_supervises_is_told_to(self, workshop: Workshop) -> None:
        backend = SupervisingBackend()
        Rounds(replace(workshop, backend=backend), Toy().flow, at_once).keep_running()
        assert backend.kept == 1

    def test_one_whose_engine_does_it_is_left_alone(self, rounds: Rounds, backend: FakeBackend) -> None:
        rounds.keep_running()
        assert backend.calls == []
