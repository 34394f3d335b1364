"""The swarm backend on a real swarm of two hosts, private to these tests; the node is the one that manages nothing."""

import io
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import pytest

from tests.backends.common import bench_on, expect_one_at_most, refusal_of
from tests.contracts.backend import BackendContract, Bench
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon
from tests.engines.swarm import Swarm, swarm
from tests.factories import a_node
from tests.fakes import FakeClock
from tests.waiting import until
from wizard.backends import load
from wizard.backends.engine import plan as plans
from wizard.backends.engine import service, template
from wizard.domain.image import Image
from wizard.domain.preflight import Outcome

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Swarm]:
    with swarm(2) as cluster:
        yield cluster


@pytest.fixture
def bench(cluster: Swarm, issued: tuple[Image, Path]) -> Iterator[Bench]:
    manager, engine = cluster.engines
    node = a_node(slug="plan-component", address=cluster.worker.host.address)
    backend = load("swarm", engines={"plan-main": manager, node.slug: engine}, clock=FakeClock(), grace=1)
    with bench_on(cluster.worker, backend, node, issued) as bench:
        yield bench


class TestSwarmBackend(BackendContract):
    """On the node of a swarm that manages nothing."""


def test_what_is_done_by_hand_is_what_the_wizard_does(bench: Bench, cluster: Swarm, tmp_path: Path) -> None:
    """But for the one thing that `docker service create` has no word for, and that an older Swarm drops."""
    assert bench.preflight(bench.port, "one").port.free  # it is known now what the node is called in the swarm
    plan = bench.backend.plan(bench.node, bench.image, bench.port, "one")
    shutil.copy(bench.archive, tmp_path / plans.ARCHIVE)
    on_the_node, on_a_manager = plan.manual.split("# on a manager of its swarm\n")
    by_shell(on_the_node, cluster.worker, tmp_path)
    by_shell(on_a_manager, cluster.manager, tmp_path)
    until(lambda: bench.is_running("one"), "it runs")
    asked = json.loads(plan.requests[-1].body)
    assert list(service.left_out(asked, spec_of("one", cluster))) == ["NoNewPrivileges"]
    bench.backend.remove(bench.node, "one")
    bench.start("one")
    assert set(service.left_out(asked, spec_of("one", cluster))) <= {"NoNewPrivileges"}


def test_what_an_older_swarm_leaves_out_is_said(bench: Bench) -> None:
    """Docker before 25 drops no-new-privileges for services; what it was asked for can be read back."""
    hardening = bench.check("hardening", "")
    with bench_log() as said:
        bench.load()
        bench.start("one")
    assert ("NoNewPrivileges" in said()) == ("no-new-privileges" in str(hardening.detail))


def test_no_registry_is_asked_for_the_image(bench: Bench, cluster: Swarm) -> None:
    """For the name of an image, even of one that it has, a node of a swarm asks; for its id it does not."""
    bench.load()
    bench.start("one")
    assert [daemon.log.read_text().count("pull") for daemon in cluster.daemons] == [0, 0]


def test_all_of_the_template_is_in_the_container(bench: Bench, cluster: Swarm) -> None:
    bench.load()
    bench.start("one")
    with cluster.worker.client() as engine:
        [listed] = engine.containers(filters={"label": template.OURS})
        found = engine.inspect_container(listed["Id"])
        [volume] = engine.volumes()["Volumes"]
    asked = template.container(bench.node, bench.image, bench.port)
    for key in ("Image", "Cmd", "User"):
        assert found["Config"][key] == asked[key]
    for key in ("PidsLimit", "Memory", "ReadonlyRootfs", "CapDrop", "LogConfig"):
        assert found["HostConfig"][key] == asked["HostConfig"][key]
    assert found["Config"]["Labels"].items() >= asked["Labels"].items()
    assert (volume["Name"], volume["Labels"]) == tuple(template.volume(bench.image).values())
    mounts = cluster.worker.host.run("cat", f"/proc/{found['State']['Pid']}/mounts")
    temporary = next(line for line in mounts.splitlines() if " /tmp " in line)
    assert {"nosuid", "nodev", "noexec", "size=16384k"} <= set(temporary.split()[3].split(","))


def test_a_volume_that_somebody_else_has_made_under_our_name_is_refused_and_left_alone(
    bench: Bench, cluster: Swarm
) -> None:
    bench.load()
    name = template.volume_of(bench.image.licence)
    with cluster.worker.client() as engine:
        engine.create_volume(name)
    assert bench.check("leftovers", "one").outcome is Outcome.FAILED
    refusal = refusal_of(lambda: bench.start("one"))
    assert (refusal.permanent, name in str(refusal.problem.happened)) == (True, True)
    assert bench.inspect("one") is None
    with cluster.worker.client() as engine:
        assert [it["Name"] for it in engine.volumes()["Volumes"]] == [name]
        engine.remove_volume(name)
    bench.start("one")
    assert bench.is_running("one")


def test_a_volume_that_was_pruned_while_its_service_was_stopped_is_made_anew_as_ours(
    bench: Bench, cluster: Swarm
) -> None:
    """It is a new instance then; without our label the next deployment would take it for somebody else's."""
    bench.load()
    bench.start("one")
    bench.backend.stop(bench.node, "one")
    with cluster.worker.client() as engine:
        until(lambda: not engine.containers(all=True), "Swarm has taken the container away")
        engine.remove_volume(template.volume_of(bench.image.licence))
        bench.backend.start_again(bench.node, "one")
        [volume] = engine.volumes()["Volumes"]
    assert (volume["Name"], volume["Labels"]) == tuple(template.volume(bench.image).values())


def test_of_two_that_are_started_at_once_on_one_volume_one_runs_at_most(bench: Bench, cluster: Swarm) -> None:
    """At the end, and at any time before."""
    bench.load()
    began = int(time.time())
    expect_one_at_most(bench)
    assert most_at_a_time(cluster.worker, began) <= 1
    bench.backend.start_again(bench.node, "one")
    assert bench.is_running("one")


def most_at_a_time(daemon: Daemon, since: int) -> int:
    """How many containers of ours ran there at the same moment since then, as the engine has noted it."""
    wanted = {"type": "container", "label": template.OURS, "event": ["start", "die"]}
    with daemon.client() as engine:
        noted = [
            it["Action"] for it in engine.events(since=since, until=int(time.time()) + 1, filters=wanted, decode=True)
        ]
    return max(accumulate(1 if action == "start" else -1 for action in noted), default=0)


def by_shell(commands: str, daemon: Daemon, folder: Path) -> None:
    environment = os.environ | {"DOCKER_HOST": daemon.url, "DOCKER_CONFIG": str(folder)}
    subprocess.run(["sh", "-ec", commands], cwd=folder, env=environment, check=True, capture_output=True)


def spec_of(name: str, cluster: Swarm) -> dict[str, object]:
    """Of a service, as Swarm keeps it."""
    with cluster.manager.client() as manager:
        spec: dict[str, object] = manager.inspect_service(name)["Spec"]
    return spec


@contextmanager
def bench_log() -> Iterator[Callable[[], str]]:
    """What the backend logs meanwhile."""
    words = io.StringIO()
    handler = logging.StreamHandler(words)
    logger = logging.getLogger("wizard.backends.swarm")
    logger.addHandler(handler)
    try:
        yield words.getvalue
    finally:
        logger.removeHandler(handler)
