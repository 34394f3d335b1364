"""What goes wrong with a real swarm: it is said, nothing is left behind, and the next try succeeds."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.backends.common import refusal_of
from tests.engines import NEEDS_ENGINES
from tests.engines.hosts import hosts
from tests.engines.swarm import Swarm, engines, form, swarm
from tests.factories import NOW, a_node
from tests.fakes import FakeClock
from tests.waiting import until
from wizard.backends.engine import service
from wizard.backends.swarm import SwarmBackend, tasks
from wizard.domain.image import Image
from wizard.domain.preflight import Outcome
from wizard.domain.project import Node

pytestmark = [
    pytest.mark.engine,
    pytest.mark.long,
    NEEDS_ENGINES,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

PORT = 18081


def quietly(done: int, total: int) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True)
class Ground:
    """A swarm, the backend over it, and the node, which manages nothing."""

    swarm: Swarm
    backend: SwarmBackend
    node: Node
    image: Image
    archive: Path

    def load(self) -> None:
        self.backend.load(self.node, self.image, self.archive, quietly)

    def start(self, name: str = "one", port: int = PORT) -> None:
        self.backend.start(self.node, self.image, port, name)

    def is_running(self, name: str = "one") -> bool:
        instance = self.backend.inspect(self.node, name)
        return instance is not None and instance.running

    def outcome(self, slug: str) -> Outcome:
        """Of that line of the checklist."""
        checks = self.backend.preflight(self.node, self.image, PORT, "", NOW).checks
        return next(check.outcome for check in checks if check.slug == slug)

    def left_behind(self) -> tuple[list[str], list[str]]:
        """Services of the swarm, and containers of the node."""
        with self.swarm.manager.client() as manager, self.swarm.worker.client() as engine:
            services = [it["Spec"]["Name"] for it in manager.services()]
            return services, [it["Names"][0] for it in engine.containers(all=True)]

    @contextmanager
    def another_service(self, *, name: str = "theirs", arguments: Sequence[str] = ()) -> Iterator[str]:
        """Somebody's, on the same node; without our labels. With other arguments it ends again and again."""
        with self.swarm.worker.client() as engine:
            node_id = engine.info()["Swarm"]["NodeID"]
        spec = service.service(node_id, self.node, self.image, PORT, name, 2)
        container = spec["TaskTemplate"]["ContainerSpec"]
        container["Labels"] = {}
        container["Mounts"][0]["Source"] = "theirs"
        container["Args"] = arguments or container["Args"]
        expected = "failed" if arguments else "running"
        with self.swarm.manager.client() as manager:
            manager.create_service(
                spec["TaskTemplate"], name=name, mode=spec["Mode"], endpoint_spec=spec["EndpointSpec"]
            )
            try:
                until(lambda: expected in self.states(name), f"somebody's service is {expected}")
                yield name
            finally:
                manager.remove_service(name)
                until(lambda: not any(name in it for it in self.left_behind()[1]), "somebody's container is gone")

    def kill(self) -> None:
        """The program of the only container, as the kernel does."""
        with self.swarm.worker.client() as engine:
            [container] = engine.containers()
            engine.kill(container["Id"])

    def has_forgotten(self) -> bool:
        """Whether no task of ours is left that was ever started."""
        with self.swarm.manager.client() as manager:
            return tasks.start_of(manager.tasks(filters={"service": "one"})).fate is tasks.Fate.FAILED

    def states(self, name: str) -> list[str]:
        """Of the tasks of a service."""
        with self.swarm.manager.client() as manager:
            return [task["Status"]["State"] for task in manager.tasks(filters={"service": name})]


def ground(cluster: Swarm, issued: tuple[Image, Path], managers: int = 1) -> Ground:
    node = a_node(slug="node", name="Component server", address=cluster.worker.host.address)
    named: Mapping[str, Any] = {f"manager-{it}": cluster.engines[it] for it in range(managers)}
    backend = SwarmBackend(engines={**named, "node": cluster.engines[-1]}, clock=FakeClock(), grace=2)
    return Ground(cluster, backend, node, *issued)


@pytest.fixture(scope="module")
def shared(issued: tuple[Image, Path]) -> Iterator[Ground]:
    with swarm(2) as cluster:
        shared = ground(cluster, issued)
        shared.load()
        yield shared


@pytest.fixture
def here(shared: Ground) -> Iterator[Ground]:
    """The swarm of all tests that leave it as it was; nothing is on it afterwards."""
    yield shared
    for name in ("one", "two"):
        shared.backend.remove(shared.node, name)
    assert shared.left_behind() == ([], [])


def test_a_node_that_is_in_no_swarm_is_said_and_deployed_to_once_it_has_joined(issued: tuple[Image, Path]) -> None:
    with hosts(2) as members, engines(members) as separate:
        here = ground(separate, issued)
        here.load()
        assert "not part of a swarm" in str(here.backend.health(here.node).detail)
        assert here.outcome("swarm") is Outcome.FAILED
        assert "not part of a swarm" in str(refusal_of(here.start).problem.happened)
        form(separate.daemons)
        assert here.backend.health(here.node).well
        assert here.outcome("swarm") is Outcome.PASSED
        here.start()
        assert here.is_running()


def test_without_a_manager_in_the_inventory_it_is_said(here: Ground) -> None:
    alone = replace(here, backend=SwarmBackend(engines={"node": here.swarm.engines[-1]}, clock=FakeClock()))
    refusal = refusal_of(alone.start)
    assert "names no manager" in str(refusal.problem.happened)
    assert refusal.permanent
    assert alone.outcome("swarm") is Outcome.FAILED


def test_a_manager_that_is_gone_is_said_and_found_again(here: Ground) -> None:
    here.start()
    here.swarm.manager.stop()
    refusal = refusal_of(lambda: here.start("two", PORT + 1))
    assert "No manager" in str(refusal.problem.happened)
    assert not refusal.permanent
    assert not here.backend.health(here.node).well
    assert here.is_running(), "what runs is known without a manager"
    assert here.backend.read_config(here.node, "one", "tls.pin")
    here.swarm.manager.start()
    until(lambda: here.backend.health(here.node).well, "the manager is found again")
    here.backend.stop(here.node, "one")
    here.start()
    assert here.is_running()


def test_when_the_first_manager_is_gone_the_next_one_is_asked(issued: tuple[Image, Path]) -> None:
    with swarm(4, managers=3) as cluster:
        here = ground(cluster, issued, managers=3)
        here.load()
        assert here.backend.health(here.node).well
        cluster.manager.kill()
        cluster.manager.host.cut()
        until(lambda: here.backend.health(here.node).well, "the node has found another manager", patience=60)
        here.start()
        assert here.is_running()


def test_a_port_that_a_program_has_taken_meanwhile_is_said(here: Ground) -> None:
    with here.swarm.worker.host.listening(PORT):
        refusal = refusal_of(here.start)
        assert "another program" in str(refusal.problem.why)
        assert here.left_behind() == ([], [])
    here.start()
    assert here.is_running()


def test_a_port_that_a_service_has_taken_meanwhile_is_said_and_not_waited_for(here: Ground) -> None:
    with here.another_service() as name:
        found = here.backend.preflight(here.node, here.image, PORT, "", NOW).port
        assert (found.free, name in str(found.holder)) == (False, True)
        refusal = refusal_of(here.start)
        assert name in str(refusal.problem.why)
        assert here.left_behind()[0] == [name]
    assert here.left_behind() == ([], [])
    here.start()
    assert here.is_running()


def test_a_service_that_ends_again_and_again_holds_its_port_all_the_same(here: Ground) -> None:
    with here.another_service(arguments=["--nonsense"]) as name:
        found = here.backend.preflight(here.node, here.image, PORT, "", NOW).port
        assert (found.free, name in str(found.holder)) == (False, True)
        assert name in str(refusal_of(here.start).problem.why)
    here.start()
    assert here.is_running()


def test_a_stopped_one_whose_port_was_taken_stays_stopped(here: Ground) -> None:
    here.start()
    here.backend.stop(here.node, "one")
    with here.another_service():
        assert "taken" in str(refusal_of(lambda: here.backend.start_again(here.node, "one")).problem.happened)
    assert not here.is_running()
    here.backend.start_again(here.node, "one")
    assert here.is_running()


def test_one_that_its_swarm_heals_by_itself_is_not_stopped_by_a_start_that_fails_meanwhile(here: Ground) -> None:
    """Its program died, and another one has its port for a while. No earlier start is remembered by then."""
    here.start()
    here.kill()
    here.backend.start_again(here.node, "one")
    until(here.is_running, "Swarm has started it again")
    here.kill()
    with here.swarm.worker.host.listening(PORT):
        until(here.has_forgotten, "Swarm remembers only starts that failed", patience=60)
        refusal = refusal_of(lambda: here.backend.start_again(here.node, "one"))
        assert "taken" in str(refusal.problem.happened)
    until(here.is_running, "Swarm has started it again", patience=30)


def test_a_service_of_somebody_else_is_never_touched(here: Ground) -> None:
    with here.another_service(name="one"):
        for action in (
            here.start,
            lambda: here.backend.stop(here.node, "one"),
            lambda: here.backend.remove(here.node, "one"),
            lambda: here.backend.read_config(here.node, "one", "tls.pin"),
        ):
            assert "another service named one" in str(refusal_of(action).problem.happened)
        assert here.backend.containers(here.node) == []
        assert here.states("one") == ["running"]


def test_a_program_that_ends_at_once_is_seen_to_have_ended(here: Ground) -> None:
    wrong = replace(here.node, address="no address")
    here.backend.start(wrong, here.image, PORT, "one")

    def ended() -> bool:
        instance = here.backend.inspect(here.node, "one")
        return instance is not None and instance.exit_code == 2

    until(ended, "it has ended")
    assert "--address" in here.backend.logs(here.node, "one")

    def restarted() -> bool:
        instance = here.backend.inspect(here.node, "one")
        return instance is not None and instance.restarts > 0

    until(restarted, "Swarm has started it again")
    refusal = refusal_of(lambda: here.start("two", PORT + 1))
    assert "one" in str(refusal.problem.why), "between two starts it has its volume, too"


def test_a_node_that_takes_no_work_is_said(here: Ground) -> None:
    with here.swarm.worker.client() as engine:
        node_id = engine.info()["Swarm"]["NodeID"]

    def set_availability(availability: str) -> None:
        with here.swarm.manager.client() as manager:
            found = manager.inspect_node(node_id)
            spec: Any = {**found["Spec"], "Availability": availability}
            manager.update_node(node_id, found["Version"]["Index"], spec)

    set_availability("drain")
    assert here.outcome("swarm") is Outcome.FAILED
    assert "takes no work" in str(refusal_of(here.start).problem.happened)
    set_availability("active")
    here.start()
    assert here.is_running()


def test_a_service_that_others_change_meanwhile_is_changed_all_the_same(here: Ground) -> None:
    """An update that comes second is refused by Swarm: "update out of sequence"."""
    here.start()
    done = threading.Event()

    def meddle() -> None:
        with here.swarm.manager.client() as manager:
            while not done.is_set():
                found = manager.inspect_service("one")
                spec = found["Spec"]
                labels = {**spec["Labels"], "theirs": str(time.monotonic())}
                manager.post(
                    f"{manager.base_url}/v{manager.api_version}/services/{found['ID']}/update",
                    params={"version": found["Version"]["Index"]},
                    json={**spec, "Labels": labels},
                    timeout=10,
                )
                time.sleep(0.02)

    meddler = threading.Thread(target=meddle)
    meddler.start()
    try:
        for _ in range(2):
            here.backend.stop(here.node, "one")
            assert not here.is_running()
            here.backend.start_again(here.node, "one")
            assert here.is_running()
    finally:
        done.set()
        meddler.join()


def test_a_node_that_is_cut_off_is_said_within_the_time_limit_and_found_again(here: Ground) -> None:
    here.start()
    here.swarm.worker.host.cut()
    began = time.monotonic()
    assert not here.backend.health(here.node).well
    assert not refusal_of(lambda: here.backend.stop(here.node, "one")).permanent
    assert time.monotonic() - began < 30
    here.swarm.see(here.swarm.worker, "down")
    here.swarm.worker.host.mend()
    here.swarm.see(here.swarm.worker, "ready")
    until(lambda: here.backend.health(here.node).well, "the node is found again")
    until(here.is_running, "Swarm has started its container again")
    here.backend.remove(here.node, "one")
    here.start("two")
    assert here.is_running("two")


def test_what_is_removed_while_the_node_is_cut_off_goes_when_it_is_back(here: Ground) -> None:
    here.start()
    here.swarm.worker.host.cut()
    refusal = refusal_of(lambda: here.backend.remove(here.node, "one"))
    assert not refusal.permanent
    here.swarm.worker.host.mend()
    until(lambda: here.backend.health(here.node).well, "the node is found again")
    here.backend.remove(here.node, "one")
    here.start()
    assert here.is_running()
