"""What goes wrong with real engines: it is said, nothing is left behind, and the next try succeeds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backends.common import refusal_of
from tests.engines import NEEDS_ENGINES
from tests.engines.certificates import Authority
from tests.engines.daemons import TLS_PORT, Daemon, docker_daemon
from tests.engines.hosts import hosts
from tests.factories import a_node
from tests.fakes import FakeClock
from wizard.backends.docker import DockerBackend
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.project import Node

pytestmark = [pytest.mark.engine, NEEDS_ENGINES, pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")]

PORT = 18081


def quietly(done: int, total: int) -> None:
    """A progress that nobody watches."""


@contextmanager
def an_engine(room: str = "2g") -> Iterator[tuple[Daemon, DockerBackend, Node]]:
    with hosts(1) as (host,), docker_daemon(host, room=room) as daemon:
        node = a_node(address=host.address)
        yield daemon, DockerBackend(engines={node.slug: Engine(url=daemon.url)}, clock=FakeClock(), grace=2), node


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[Daemon, DockerBackend, Node]]:
    with an_engine() as engine:
        yield engine


def left_behind(daemon: Daemon) -> tuple[list[str], list[str]]:
    """Containers, and the tags of images."""
    with daemon.client() as client:
        containers = [container["Names"][0] for container in client.containers(all=True)]
        return containers, [tag for image in client.images() for tag in image["RepoTags"] or ()]


def test_a_full_disk_is_said_and_leaves_nothing(issued: tuple[Image, Path]) -> None:
    image, archive = issued
    with an_engine(room="100m") as (daemon, backend, node):
        refusal = refusal_of(lambda: backend.load(node, image, archive, quietly))
        assert "disk" in str(refusal.problem.happened)
        assert left_behind(daemon) == ([], [])


def test_an_engine_that_is_killed_while_it_loads_is_asked_again(issued: tuple[Image, Path]) -> None:
    image, archive = issued
    with an_engine() as (daemon, backend, node):

        def kill_it(done: int, total: int) -> None:
            if done > total // 2 and daemon.nsenter is not None:
                daemon.kill()

        refusal = refusal_of(lambda: backend.load(node, image, archive, kill_it))
        assert not refusal.permanent
        daemon.start()
        backend.load(node, image, archive, quietly)
        backend.start(node, image, PORT, "one")
        assert backend.inspect(node, "one")


def test_an_engine_that_is_killed_beneath_a_container_finds_it_again(issued: tuple[Image, Path]) -> None:
    image, archive = issued
    with an_engine() as (daemon, backend, node):
        backend.load(node, image, archive, quietly)
        backend.start(node, image, PORT, "one")
        daemon.kill()
        assert not backend.health(node).well
        assert not refusal_of(lambda: backend.inspect(node, "one")).permanent
        daemon.start()
        backend.start(node, image, PORT, "one")
        instance = backend.inspect(node, "one")
        assert instance is not None
        assert instance.running
        assert left_behind(daemon)[0] == ["/one"]


def test_an_engine_that_hangs_is_said_within_the_time_limit_and_found_again(
    engine: tuple[Daemon, DockerBackend, Node],
) -> None:
    """Half-open: the connection is taken, and nothing comes."""
    daemon, backend, node = engine
    assert backend.health(node).well
    daemon.suspend()
    began = time.monotonic()
    assert not backend.health(node).well
    assert time.monotonic() - began < 15
    daemon.resume()
    assert backend.health(node).well


def test_a_damaged_archive_is_no_image(
    engine: tuple[Daemon, DockerBackend, Node], issued: tuple[Image, Path], tmp_path: Path
) -> None:
    daemon, backend, node = engine
    image, archive = issued
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(content)
    refusal = refusal_of(lambda: backend.load(node, image, damaged, quietly))
    assert refusal.permanent
    assert left_behind(daemon) == ([], [])


def test_a_name_of_somebody_else_is_never_touched(
    engine: tuple[Daemon, DockerBackend, Node], issued: tuple[Image, Path]
) -> None:
    daemon, backend, node = engine
    image, archive = issued
    backend.load(node, image, archive, quietly)
    with daemon.client() as client:
        client.create_container(f"sha256:{image.image_id}", name="one")
        for action in (
            lambda: backend.start(node, image, PORT, "one"),
            lambda: backend.remove(node, "one"),
            lambda: backend.read_config(node, "one", "tls.pin"),
        ):
            assert "one" in str(refusal_of(action).problem.happened)
        client.remove_container("one")
    backend.start(node, image, PORT, "one")
    backend.remove(node, "one")


def test_a_program_that_ends_at_once_is_seen_to_have_ended(
    engine: tuple[Daemon, DockerBackend, Node], issued: tuple[Image, Path]
) -> None:
    daemon, backend, node = engine
    image, archive = issued
    backend.load(node, image, archive, quietly)
    wrong = replace(node, address="no address")
    backend.start(wrong, image, PORT, "one")
    deadline = time.monotonic() + 20
    while (instance := backend.inspect(node, "one")) and instance.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert instance is not None
    assert instance.exit_code == 2
    assert "--address" in backend.logs(node, "one")
    backend.remove(node, "one")
    assert left_behind(daemon)[0] == []


def test_a_node_that_is_cut_off_is_said_within_the_time_limit_and_found_again(issued: tuple[Image, Path]) -> None:
    with hosts(1) as (host,):
        folder = host.folder / "tls"
        authority = Authority(folder)
        with docker_daemon(host, authority=authority):
            node = a_node(address=host.address)
            backend = DockerBackend(
                engines={node.slug: over_tls(authority, folder, host.address)}, clock=FakeClock(), grace=2
            )
            assert backend.health(node).well
            host.cut()
            began = time.monotonic()
            assert not backend.health(node).well
            assert time.monotonic() - began < 15
            host.mend()
            assert backend.health(node).well


def test_an_engine_with_another_authority_is_not_spoken_to(tmp_path: Path) -> None:
    with hosts(1) as (host,):
        authority, another = Authority(host.folder / "tls"), Authority(tmp_path / "another", "another")
        with docker_daemon(host, authority=authority):
            node = a_node(address=host.address)
            engine = over_tls(another, tmp_path / "another", host.address)
            backend = DockerBackend(engines={node.slug: engine}, clock=FakeClock(), grace=2)
            refusal = refusal_of(lambda: backend.inspect(node, "one"))
            assert "CERTIFICATE" in refusal.problem.raw.upper()


def over_tls(authority: Authority, folder: Path, address: str) -> Engine:
    """With the certificates of a client, as Docker's own client names the files."""
    pair = authority.client("wizard")
    for path, name in ((pair.certificate, "cert.pem"), (pair.key, "key.pem")):
        path.rename(folder / name)
    return Engine(url=f"tcp://{address}:{TLS_PORT}", tls=folder)
