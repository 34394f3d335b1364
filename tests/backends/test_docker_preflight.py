"""The checklist of a node on real engines: Docker and Podman alike. Whatever it finds, nothing of it stays."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.backends.test_docker import RUNS
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon
from tests.engines.hosts import hosts, program
from tests.factories import NOW, a_node, an_image
from tests.fakes import FakeClock
from tests.figures import tell
from tests.waiting import until
from wizard.backends.docker import DockerBackend
from wizard.backends.engine import probe as probes
from wizard.backends.engine import template
from wizard.backends.engine.program import PIECE, archive
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.preflight import Check, Outcome, Preflight
from wizard.domain.project import Node

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]

PORT = 18081
HOLD = """
import socket, sys, time
held = socket.socket()
held.bind(("", int(sys.argv[1])))
print("held", flush=True)
time.sleep(600)
"""
"""A program that has a port and takes no connection there."""


@dataclass(frozen=True)
class Bench:
    name: str
    daemon: Daemon
    backend: DockerBackend
    node: Node

    def preflight(self, image: Image | None = None, name: str = "") -> Preflight:
        return self.backend.preflight(self.node, image or an_image(), PORT, name, NOW)

    def check(self, slug: str, image: Image | None = None) -> Check:
        return next(it for it in self.preflight(image).checks if it.slug == slug)

    def kept(self) -> tuple[list[str], list[str], list[str]]:
        """All containers, images and volumes of the node."""
        with self.daemon.client() as engine:
            return (
                [it["Id"] for it in engine.containers(all=True)],
                [it["Id"] for it in engine.images(all=True)],
                [it["Name"] for it in engine.volumes()["Volumes"] or ()],
            )


@contextmanager
def a_bench(name: str, room: str = "2g") -> Iterator[Bench]:
    with hosts(1) as (host,), RUNS[name](host, room=room) as daemon:
        node = a_node(address=host.address)
        backend = DockerBackend(engines={node.slug: Engine(url=daemon.url)}, clock=FakeClock(), grace=2)
        yield Bench(name, daemon, backend, node)


@pytest.fixture(scope="module", params=sorted(RUNS))
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with a_bench(request.param) as bench:
        yield bench


@pytest.fixture(autouse=True)
def nothing_stays(bench: Bench) -> Iterator[None]:
    yield
    assert bench.kept() == ([], [], [])


@contextmanager
def held(bench: Bench, port: int) -> Iterator[None]:
    host = bench.daemon.host
    log = host.folder / "held.log"
    nsenter = host.spawn((sys.executable, "-c", HOLD, str(port)), log)
    try:
        until(lambda: log.read_text(), "the port is held")
        yield
    finally:
        program(nsenter).kill()
        nsenter.wait()
        log.unlink()


def df(bench: Bench) -> int:
    """Free bytes where the engine keeps its images, as df says."""
    host = bench.daemon.host
    return int(host.run("df", "--block-size=1", "--output=avail", f"{host.folder}/data").split()[-1])


def test_a_node_with_nothing_in_the_way_passes_in_seconds(bench: Bench) -> None:
    took = []
    for _ in range(3):
        began = time.monotonic()
        found = bench.preflight()
        took.append(time.monotonic() - began)
        assert {check.outcome for check in found.checks} == {Outcome.PASSED}
        assert str(found.checks[0].detail).lower().startswith(bench.name)
    assert tell(f"preflight.seconds.{bench.name}", min(took), "<=", 2, digits=2)


@pytest.mark.parametrize("room", ["100m", "700m", "2g"])
def test_the_free_disk_is_what_df_says(bench: Bench, room: str) -> None:
    with a_bench(bench.name, room) as other, other.daemon.client() as engine:
        finding = probes.probe(engine, None, NOW)
        assert finding.free is not None
        assert 0 <= df(other) - finding.free < 2 * PIECE
        assert other.kept() == ([], [], [])


def test_too_little_room_for_the_image_is_a_doubt(bench: Bench, issued: tuple[Image, Path]) -> None:
    image, _ = issued
    need = 3 * image.size + (64 << 20)
    with a_bench(bench.name, str(need - PIECE)) as other:
        assert other.check("disk", image).outcome is Outcome.DOUBTFUL


def test_where_the_disk_check_passes_the_image_can_be_loaded(bench: Bench, issued: tuple[Image, Path]) -> None:
    image, archive = issued
    with a_bench(bench.name, str(3 * image.size + (64 << 20) + PIECE)) as other:
        assert other.check("disk", image).outcome is Outcome.PASSED
        other.backend.load(other.node, image, archive, lambda done, total: None)
        assert other.check("disk", image).outcome is Outcome.PASSED


def test_a_program_that_takes_no_connection_is_found_to_hold_the_port(bench: Bench) -> None:
    with held(bench, PORT):
        found = bench.preflight()
    assert (found.port.free, str(found.port.holder)) == (False, "another program")
    assert [check.slug for check in found.failures] == ["port"]
    assert [check.slug for check in found.doubts] == []


def test_a_container_that_holds_the_port_is_named(bench: Bench, issued: tuple[Image, Path]) -> None:
    image, archive = issued
    bench.backend.load(bench.node, image, archive, lambda done, total: None)
    other = replace(image, licence="ffffffffffffffff")
    bench.backend.start(bench.node, other, PORT, "other")
    try:
        found = bench.preflight(image)
        assert (found.port.free, found.port.next_free) == (False, PORT + 1)
        assert "other" in str(found.port.holder)
    finally:
        bench.backend.remove(bench.node, "other")
        bench.backend.unload(bench.node, image)
        with bench.daemon.client() as engine:
            engine.remove_volume(template.volume_of(other.licence))


def test_a_port_that_was_probed_can_be_taken_at_once(bench: Bench) -> None:
    for _ in range(3):
        assert bench.preflight().port.free


def test_a_probe_that_a_killed_wizard_left_is_taken_away(bench: Bench) -> None:
    made = NOW - timedelta(minutes=2)
    token = f"{int(made.timestamp())}-aa"
    content, image = archive(f"fineops-license-probe:{token}", probes.LABEL, token)
    with bench.daemon.client() as engine:
        list(engine.load_image(content))
        engine.create_container_from_config(probes.body(image, token, PORT), f"fineops-license-probe-{token}")
        engine.start(f"fineops-license-probe-{token}")
    assert bench.preflight().port.free


def test_a_probe_is_none_of_the_wizards_containers(bench: Bench) -> None:
    token = f"{int(NOW.timestamp())}-aa"
    content, image = archive(f"fineops-license-probe:{token}", probes.LABEL, token)
    with bench.daemon.client() as engine:
        list(engine.load_image(content))
        engine.create_container_from_config(probes.body(image, token, None), "under-way")
        try:
            assert bench.backend.containers(bench.node) == []
        finally:
            engine.remove_container("under-way", force=True)
            engine.remove_image(image, force=True)
