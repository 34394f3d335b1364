"""Guided mode on real engines: an image of which nothing is known is run as the vendor's manual does it.

The vendor's own image cannot be had here. The reference one stands in for it: nobody asks it anything, and it is given
no argument.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backends.test_docker import RUNS
from tests.desk import FakeDesk
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon
from tests.engines.hosts import hosts
from tests.engines.small import program, small_image
from tests.factories import a_node, a_placed_registration, a_port_check, a_preflight
from tests.fakes import FakeClock
from tests.waiting import napping, until
from wizard.backends import load
from wizard.backends.engine import template
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.ports import Task
from wizard.relay import PinnedRelay
from wizard.steps import deploy

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]

PORT = 18090
"""Not the one that it listens at within its container."""
GIVES_ROOT_UP = program(
    "b85c000000 488d3d35000000"  # mov eax, 92 (chown); lea rdi, [rip+53]: the path behind the code
    "bee8030000 bae8030000 0f05"  # mov esi, 1000; mov edx, 1000; syscall
    "85c0 7519"  # test eax, eax; jnz ends
    "b869000000 bfe8030000 0f05"  # mov eax, 105 (setuid); mov edi, 1000; syscall
    "85c0 7509"  # test eax, eax; jnz ends
    "b822000000 0f05 ebf7"  # again: mov eax, 34 (pause); syscall; jmp again
    "b83c000000 bf03000000 0f05"  # ends: mov eax, 60 (exit); mov edi, 3; syscall
    "2f00"  # the path: /
)
"""Makes its root folder user 1000's, becomes that user, and goes on; ends when it may not."""


@pytest.fixture(params=sorted(RUNS))
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with hosts(1) as (host,), RUNS[request.param](host) as daemon:
        yield daemon


def test_it_may_begin_as_root_take_its_folders_over_and_give_root_up(
    daemon: Daemon, issued: tuple[Image, Path], tmp_path: Path
) -> None:
    """As many a program does that is made for a plain `docker run`; without any capability the kernel refuses both."""
    image = small_image(tmp_path, issued[0], GIVES_ROOT_UP)
    image = replace(image, is_licence=False, licence=image.image_id[:16])
    node = a_node(address=daemon.host.address)
    backend = load("docker", engines={node.slug: Engine(url=daemon.url)}, clock=FakeClock(), grace=1)
    backend.load(node, image, tmp_path / image.digest, lambda done, total: None)
    backend.start(node, image, PORT, "one")
    with daemon.client() as engine:
        pid = engine.inspect_container("one")["State"]["Pid"]
    status = f"/proc/{pid}/status"
    until(lambda: "Uid:\t1000\t1000" in daemon.host.run("cat", status), "it runs as its own user")
    assert "NoNewPrivs:\t1" in daemon.host.run("cat", status)
    backend.remove(node, "one")


def test_it_is_deployed_and_answers_at_the_port_that_was_chosen(
    daemon: Daemon, issued: tuple[Image, Path], tmp_path: Path
) -> None:
    licence, archive = issued
    image = replace(licence, is_licence=False, licence=licence.image_id[:16])
    node = a_node(address=daemon.host.address)
    desk = FakeDesk.in_folder(tmp_path)
    (desk.spool.folder / image.digest).symlink_to(archive)
    backend = load("docker", engines={node.slug: Engine(url=daemon.url)}, clock=desk.clock, grace=5)
    workshop = replace(desk.workshop, backend=backend, license_servers=PinnedRelay())
    found = a_preflight(port=a_port_check(port=PORT))
    registration = a_placed_registration(image=image, node=node, port=PORT, preflight=found)
    task = Task(workshop=workshop, operation="0123456789abcdef", progress=lambda done, total: None, wait=napping)
    for phase in deploy.STEP.work:
        registration = phase.run(registration, task)
    assert registration.is_guided
    assert registration.endpoint.page == f"https://{node.address}:{PORT}/license/qrcode"
    with daemon.client() as engine:
        [made] = engine.containers(filters={"label": template.OURS})
        assert made["Ports"][0]["PrivatePort"] == template.UNKNOWN.listens_at
    for phase in reversed(deploy.STEP.work):
        phase.undo(registration, task)
    assert backend.containers(node) == []
