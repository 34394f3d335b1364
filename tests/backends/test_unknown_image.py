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
from tests.factories import a_node, a_placed_registration, a_port_check, a_preflight
from tests.waiting import napping
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


@pytest.fixture(params=sorted(RUNS))
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with hosts(1) as (host,), RUNS[request.param](host) as daemon:
        yield daemon


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
