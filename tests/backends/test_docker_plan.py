"""The plan of a deployment is what is done: request by request, and by hand."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.test_docker import RUNS
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon
from tests.engines.hosts import hosts
from tests.engines.recording import recording
from tests.factories import a_node
from tests.fakes import FakeClock
from wizard.backends.docker import DockerBackend
from wizard.backends.engine import template
from wizard.backends.engine.plan import ARCHIVE
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.project import Node

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]

PORT = 18081
DOCKER = "/usr/bin/docker"
DIFFERS = {
    "Hostname": "the container's own id",
    "Image": "as it was named; that of the container beside it must agree",
}
"""What two containers of one template never have in common."""


@pytest.fixture(params=sorted(RUNS))
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with hosts(1) as (host,), RUNS[request.param](host) as daemon:
        yield daemon


def backend_at(url: str, node: Node) -> DockerBackend:
    return DockerBackend(engines={node.slug: Engine(url=url)}, clock=FakeClock(), grace=2)


def quietly(done: int, total: int) -> None:
    """A progress that nobody watches."""


def test_what_is_planned_is_what_is_asked_for(daemon: Daemon, issued: tuple[Image, Path]) -> None:
    """Beside it the wizard only looks."""
    image, archive = issued
    node = a_node(address=daemon.host.address)
    with recording(daemon.url) as record:
        backend = backend_at(record.url, node)
        backend.load(node, image, archive, quietly)
        backend.start(node, image, PORT, "one")
    changes = [it for it in record.requests if it.method not in ("GET", "HEAD")]
    planned = backend.plan(node, image, PORT, "one").requests
    assert [(it.method, it.path) for it in changes] == [(it.method, it.path) for it in planned]
    assert (changes[0].body, planned[0].body) == (archive.read_bytes(), ARCHIVE)
    assert [_document(it.body) for it in changes[1:]] == [_document(it.body.encode()) for it in planned[1:]]


def test_by_hand_it_becomes_the_same_container(issued: tuple[Image, Path], tmp_path: Path) -> None:
    image, archive = issued
    (tmp_path / ARCHIVE).symlink_to(archive)
    with hosts(1) as (host,), docker_daemon(host) as daemon:
        node = a_node(address=host.address)
        backend = backend_at(daemon.url, node)
        by_hand(backend.plan(node, image, PORT, "by-hand").manual, daemon, tmp_path)
        by_person = described(daemon, "by-hand")
        backend.remove(node, "by-hand")
        backend.unload(node, image)
        with daemon.client() as client:
            client.remove_volume(template.volume_of(image.licence))
        backend.load(node, image, archive, quietly)
        backend.start(node, image, PORT, "by-hand")
        by_wizard = described(daemon, "by-hand")
        assert by_person == by_wizard


def test_what_a_person_made_by_hand_is_taken_for_the_wizards_own(issued: tuple[Image, Path], tmp_path: Path) -> None:
    image, archive = issued
    (tmp_path / ARCHIVE).symlink_to(archive)
    with hosts(1) as (host,), docker_daemon(host) as daemon:
        node = a_node(address=host.address)
        backend = backend_at(daemon.url, node)
        by_hand(backend.plan(node, image, PORT, "by-hand").manual, daemon, tmp_path)
        with daemon.client() as client:
            before = client.inspect_container("by-hand")["Id"]
            backend.load(node, image, archive, quietly)
            backend.start(node, image, PORT, "by-hand")
            assert client.inspect_container("by-hand")["Id"] == before


def by_hand(manual: str, daemon: Daemon, folder: Path) -> None:
    """In a shell, as a person does; its `docker` is the client that Debian has."""
    script = f'docker() {{ {shlex.quote(DOCKER)} --host {shlex.quote(daemon.url)} "$@"; }}\n{manual}'
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def described(daemon: Daemon, name: str) -> dict[str, Any]:
    """All that the engine says of how it is made, and of its volume and image."""
    with daemon.client() as client:
        found = client.inspect_container(name)
        [mount] = found["Mounts"]
        volume = client.inspect_volume(mount["Name"])
        tags = client.inspect_image(found["Image"])["RepoTags"]
    configuration = {key: value for key, value in found["Config"].items() if key not in DIFFERS}
    return {
        "Config": configuration,
        "HostConfig": {key: None if value == [] else value for key, value in found["HostConfig"].items()},
        "Image": found["Image"],
        "Args": found["Args"],
        "Mounts": found["Mounts"],
        "Labels": volume["Labels"],
        "tags": tags,
    }


def _document(body: bytes) -> object:
    return json.loads(body) if body else None
