"""The docker backend on real engines, each private to these tests: Docker and Podman pass the same contract."""

import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.contracts.backend import BackendContract, Bench
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import Host, hosts
from tests.factories import a_node
from tests.fakes import FakeClock
from wizard.backends import load
from wizard.backends.engine import template
from wizard.domain.engine import Engine
from wizard.domain.image import Image

pytestmark = [pytest.mark.long, NEEDS_ENGINES]

PORT = 18081
RUNS: dict[str, Callable[[Host], AbstractContextManager[Daemon]]] = {"docker": docker_daemon, "podman": podman_service}


@pytest.fixture(scope="module", params=sorted(RUNS))
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with hosts(1) as (host,), RUNS[request.param](host) as daemon:
        yield daemon


@pytest.fixture
def bench(daemon: Daemon, issued: tuple[Image, Path]) -> Iterator[Bench]:
    image, archive = issued
    node = a_node(address=daemon.host.address)
    backend = load("docker", engines={node.slug: Engine(url=daemon.url)}, clock=FakeClock(), grace=2)

    @contextmanager
    def occupied(port: int) -> Iterator[None]:
        with daemon.host.listening(port):
            yield

    def put_config(name: str, content: bytes) -> None:
        put(daemon, image, name, content)

    bench = Bench(
        backend=backend,
        node=node,
        image=image,
        archive=archive,
        port=PORT,
        occupied=occupied,
        says="UNAUTHENTICATED",
        put_config=put_config,
    )
    with bench.cleaned():
        yield bench
    forget(daemon, bench)


def put(daemon: Daemon, image: Image, name: str, content: bytes) -> None:
    """Write a file into the volume of the licence, through whichever container has it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with daemon.client() as engine:
        [container] = engine.containers(all=True, filters={"label": f"{template.OURS}={image.licence}"})
        engine.put_archive(container["Id"], template.CONFIG, packed.getvalue())


def forget(daemon: Daemon, bench: Bench) -> None:
    """The image and the volumes too: the next test finds an engine on which nothing was ever deployed."""
    bench.backend.unload(bench.node, bench.image)
    with daemon.client() as engine:
        for volume in engine.volumes()["Volumes"] or ():
            engine.remove_volume(volume["Name"], force=True)


class TestDockerBackend(BackendContract):
    """On Docker, and on Podman."""
