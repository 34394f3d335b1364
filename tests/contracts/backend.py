"""What every ports.Backend must do. Inherit, and give a fixture `bench`: an engine with an archive to load.

Also for whoever writes another backend: it needs nothing but a Bench.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.factories import NOW
from tests.waiting import until
from wizard.domain.image import Image
from wizard.domain.instance import Instance
from wizard.domain.preflight import Check, Outcome, Preflight
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.ports import Backend


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A backend under test, and what is needed to test it."""

    backend: Backend
    node: Node
    image: Image
    archive: Path
    """Of the image."""
    port: int
    """Free at the beginning, and so is the one above."""
    occupied: Callable[[int], AbstractContextManager[object]]
    """Have something else listen on a port of the node meanwhile."""
    says: str
    """A word that the image's program prints once it has started."""
    put_config: Callable[[str, bytes], None]
    """Write a file into the config volume of the image's licence."""

    def load(self) -> list[tuple[int, int]]:
        """Load the image; returns the progress that was told."""
        told: list[tuple[int, int]] = []
        self.backend.load(self.node, self.image, self.archive, lambda done, total: told.append((done, total)))
        return told

    def start(self, name: str, port: int | None = None) -> None:
        self.backend.start(self.node, self.image, port or self.port, name)

    def inspect(self, name: str) -> Instance | None:
        return self.backend.inspect(self.node, name)

    def is_running(self, name: str) -> bool:
        instance = self.inspect(name)
        return instance is not None and instance.running

    def is_free(self, port: int, name: str = "") -> bool:
        return self.preflight(port, name).port.free

    def preflight(self, port: int, name: str) -> Preflight:
        return self.backend.preflight(self.node, self.image, port, name, NOW)

    def check(self, slug: str, name: str) -> Check:
        """That line of the checklist."""
        return next(check for check in self.preflight(self.port, name).checks if check.slug == slug)

    @contextmanager
    def cleaned(self) -> Iterator["Bench"]:
        """Leaves nothing running behind."""
        try:
            yield self
        finally:
            for name in ("one", "two"):
                self.backend.remove(self.node, name)


class BackendContract:
    def test_a_node_that_answers_is_well(self, bench: Bench) -> None:
        health = bench.backend.health(bench.node)
        assert (health.node, health.well) == (bench.node.slug, True)

    def test_a_free_port_is_said_to_be_free(self, bench: Bench) -> None:
        check = bench.preflight(bench.port, "one").port
        assert (check.port, check.free, check.holder, check.checked_at) == (bench.port, True, "", NOW)

    def test_a_held_port_comes_with_its_holder_and_the_next_free_one(self, bench: Bench) -> None:
        with bench.occupied(bench.port):
            check = bench.preflight(bench.port, "one").port
            assert not check.free
            assert str(check.holder)
            assert check.next_free is not None
            assert check.next_free > bench.port
            assert bench.is_free(check.next_free)

    def test_nothing_is_in_the_way_on_a_node_that_is_new(self, bench: Bench) -> None:
        checks = bench.preflight(bench.port, "").checks
        assert {check.slug for check in checks} >= {"engine", "disk", "port", "leftovers"}
        assert [check for check in checks if check.outcome is not Outcome.PASSED] == []

    def test_a_held_port_fails_its_check(self, bench: Bench) -> None:
        with bench.occupied(bench.port):
            assert bench.check("port", "").outcome is Outcome.FAILED

    def test_what_an_earlier_instance_has_left_is_said(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        assert bench.check("leftovers", "one").outcome is Outcome.PASSED
        running = bench.check("leftovers", "two")
        assert (running.outcome, "one" in str(running.detail)) == (Outcome.FAILED, True)
        bench.backend.stop(bench.node, "one")
        stopped = bench.check("leftovers", "two")
        assert (stopped.outcome, "one" in str(stopped.detail)) == (Outcome.DOUBTFUL, True)
        assert stopped.consequence
        bench.backend.remove(bench.node, "one")
        assert "volume" in str(bench.check("leftovers", "two").detail)

    def test_a_plan_says_how_it_is_done_by_hand(self, bench: Bench) -> None:
        plan = bench.backend.plan(bench.node, bench.image, bench.port, "one")
        assert str(bench.port) in plan.manual
        assert bench.node.address in plan.manual

    def test_all_containers_of_ours_are_found(self, bench: Bench) -> None:
        assert bench.backend.containers(bench.node) == []
        bench.load()
        bench.start("one")
        assert bench.backend.containers(bench.node) == [Instance(name="one", running=True, port=bench.port)]
        bench.backend.stop(bench.node, "one")
        [stopped] = bench.backend.containers(bench.node)
        assert (stopped.name, stopped.running, stopped.licence) == ("one", False, bench.image.licence)

    def test_loading_tells_its_progress_to_the_end(self, bench: Bench) -> None:
        told = bench.load()
        assert told[-1] == (bench.image.size, bench.image.size)
        assert told == sorted(told)

    def test_loading_again_finds_the_image_there(self, bench: Bench) -> None:
        bench.load()
        assert bench.load()[-1] == (bench.image.size, bench.image.size)

    def test_a_progress_that_raises_stops_the_loading(self, bench: Bench) -> None:
        def stop(done: int, total: int) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            bench.backend.load(bench.node, bench.image, bench.archive, stop)

    def test_an_image_that_is_not_loaded_is_not_started(self, bench: Bench) -> None:
        with pytest.raises(BackendError) as refusal:
            bench.start("one")
        assert refusal.value.permanent

    def test_nothing_is_known_of_a_container_that_was_never_made(self, bench: Bench) -> None:
        assert bench.inspect("one") is None
        assert bench.backend.logs(bench.node, "one") == ""
        assert bench.backend.read_config(bench.node, "one", "tls.pin") is None

    def test_a_started_container_runs_and_holds_its_port(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        assert bench.inspect("one") == Instance(name="one", running=True, port=bench.port)
        assert not bench.is_free(bench.port)

    def test_its_own_port_counts_as_free_for_it(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        assert bench.is_free(bench.port, "one")

    def test_starting_twice_runs_it_once(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        bench.start("one")
        assert bench.inspect("one") == Instance(name="one", running=True, port=bench.port)

    def test_a_port_that_was_taken_meanwhile_refuses_the_start(self, bench: Bench) -> None:
        bench.load()
        with bench.occupied(bench.port), pytest.raises(BackendError) as refusal:
            bench.start("one")
        assert refusal.value.problem.raw
        assert not bench.is_running("one")

    def test_a_second_container_on_the_same_volume_is_refused_by_the_name_of_the_first(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        with pytest.raises(BackendError) as refusal:
            bench.start("two", bench.port + 1)
        assert "one" in f"{refusal.value.problem.why} {refusal.value.problem.raw}"
        assert bench.inspect("two") is None

    def test_a_stopped_container_stays_and_frees_its_port(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        bench.backend.stop(bench.node, "one")
        bench.backend.stop(bench.node, "one")
        instance = bench.inspect("one")
        assert instance
        assert not instance.running
        assert instance.exit_code is not None
        assert bench.is_free(bench.port)

    def test_a_stopped_container_is_started_again(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        bench.backend.stop(bench.node, "one")
        bench.backend.start_again(bench.node, "one")
        bench.backend.start_again(bench.node, "one")
        assert bench.inspect("one") == Instance(name="one", running=True, port=bench.port)

    def test_a_stopped_one_is_not_started_again_beside_another_on_its_volume(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        bench.backend.stop(bench.node, "one")
        bench.start("two", bench.port + 1)
        with pytest.raises(BackendError) as refusal:
            bench.backend.start_again(bench.node, "one")
        assert "two" in f"{refusal.value.problem.why} {refusal.value.problem.raw}"
        with pytest.raises(BackendError):
            bench.start("one")
        assert not bench.is_running("one")
        assert bench.is_running("two")

    def test_what_was_never_made_is_not_started_again(self, bench: Bench) -> None:
        with pytest.raises(BackendError):
            bench.backend.start_again(bench.node, "one")

    def test_nothing_to_stop_or_remove_is_no_error(self, bench: Bench) -> None:
        bench.backend.stop(bench.node, "one")
        bench.backend.remove(bench.node, "one")
        bench.backend.unload(bench.node, bench.image)

    def test_a_removed_container_is_gone_and_its_port_is_free(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        bench.backend.remove(bench.node, "one")
        bench.backend.remove(bench.node, "one")
        assert bench.inspect("one") is None
        assert bench.is_free(bench.port)

    def test_the_volume_outlives_its_container(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        bench.put_config("privateConfig", b"instance")
        assert bench.backend.read_config(bench.node, "one", "privateConfig") == b"instance"
        assert bench.backend.read_config(bench.node, "one", "another") is None
        bench.backend.stop(bench.node, "one")
        assert bench.backend.read_config(bench.node, "one", "privateConfig") == b"instance"
        bench.backend.remove(bench.node, "one")
        bench.start("two")
        assert bench.backend.read_config(bench.node, "two", "privateConfig") == b"instance"

    def test_an_unloaded_image_is_gone(self, bench: Bench) -> None:
        bench.load()
        bench.backend.unload(bench.node, bench.image)
        with pytest.raises(BackendError):
            bench.start("one")

    def test_an_image_that_a_container_uses_stays(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        bench.backend.stop(bench.node, "one")
        bench.backend.unload(bench.node, bench.image)
        bench.backend.start_again(bench.node, "one")
        assert bench.inspect("one") == Instance(name="one", running=True, port=bench.port)

    def test_what_it_printed_can_be_read(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        until(lambda: bench.says in bench.backend.logs(bench.node, "one"), "it has printed something")
        assert len(bench.backend.logs(bench.node, "one", lines=1).splitlines()) == 1

    def test_another_licence_runs_beside_it(self, bench: Bench) -> None:
        bench.load()
        bench.start("one")
        other = replace(bench.image, licence="ffffffffffffffff")
        bench.backend.start(bench.node, other, bench.port + 1, "two")
        assert bench.inspect("two") == Instance(name="two", running=True, port=bench.port + 1)
