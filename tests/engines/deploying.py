"""Whole deployments to real engines: an installation for the tests, and what is expected of it when something fails.

The volume of the licence may be left (R5, R13): it is never deleted, for nobody can tell an empty one from an instance.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests import figures
from tests.desk import FakeDesk
from tests.engines.daemons import Daemon
from tests.engines.small import IS_SILENT, small_image
from tests.factories import a_node, a_placed_registration, a_port_check, a_preflight, a_project
from tests.fakes import FakeInventory
from tests.jobs.interposer import Interposer
from wizard.backends.docker import DockerBackend
from wizard.backends.engine import template
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.operation import Operation, OperationState
from wizard.domain.project import Node
from wizard.domain.registration import Registration
from wizard.jobs.performance import Performance
from wizard.jobs.queue import Queue
from wizard.jobs.reconciler import Reconciler
from wizard.ports import Progress, Workshop
from wizard.relay import PinnedRelay
from wizard.steps import FLOW
from wizard.steps.deploy import name_of

PORT = 18081
THEIRS = "theirs"


@dataclass(frozen=True)
class Premises:
    """An engine, and how it is reached: by its own socket, by TLS, or through an interposer."""

    daemon: Daemon
    engine: Engine
    interposer: Interposer | None = None


class Watched(DockerBackend):
    """Tells when half of an archive has been sent."""

    when_half_sent: Callable[[], None] | None = None

    def load(self, node: Node, image: Image, archive: Path, progress: Progress) -> None:
        def tell(done: int, total: int) -> None:
            act = self.when_half_sent
            if act is not None and 2 * done > total:
                self.when_half_sent = None
                act()
            progress(done, total)

        super().load(node, image, archive, tell)


class Site:
    """An engine, and an installation that deploys to it."""

    def __init__(self, premises: "Premises", folder: Path, issued: tuple[Image, Path]) -> None:
        """The folder is its spool."""
        self.daemon, self.interposer = premises.daemon, premises.interposer
        self.image, archive = issued
        (folder / self.image.digest).symlink_to(archive)
        daemon = premises.daemon
        self.node: Node = a_node(address=daemon.host.address)
        self.desk = FakeDesk.in_folder(folder)
        self.project = a_project(nodes=(self.node,))
        self.desk.inventory = FakeInventory(self.project)
        self.connect(premises.engine)

    def connect(self, engine: Engine) -> None:
        self.backend = Watched(engines={self.node.slug: engine}, clock=self.desk.clock, grace=2)
        self.workshop: Workshop = replace(self.desk.workshop, backend=self.backend, license_servers=PinnedRelay())

    def queue(self, image: Image) -> Operation:
        """A deployment of that image, by a registration that was checked a moment ago."""
        preflight = a_preflight(port=a_port_check(port=PORT, checked_at=self.desk.now))
        registration = self.desk.store.save(
            a_placed_registration(image=image, project=self.project, node=self.node, port=PORT, preflight=preflight)
        )
        return self._queue(registration)

    def queue_again(self, before: Operation) -> Operation:
        """The same once more, after the wait for a person; should the image have been at fault, with a good one.

        What was found out about the node is not known any more, so it is asked again.
        """
        self.desk.clock.advance(minutes=2)
        registration = self.desk.store.registration(before.registration_id)
        return self._queue(self.desk.store.save(replace(registration.use_image(self.image), preflight=None)))

    def perform(self, pause: Callable[[float], object] | None = None) -> Operation:
        """Do what is queued as the worker does, with pauses of its own or with others."""
        operation = self.desk.store.claim("tests", self.desk.now)
        assert operation is not None
        Performance(operation, "tests", self.workshop, FLOW, threading.Event(), pause).run()
        return self.desk.store.operation(operation.id)

    def quickly(self) -> Operation:
        return self.perform(self.desk.clock.sleep)

    def registration(self, operation: Operation) -> Registration:
        return self.desk.store.registration(operation.registration_id)

    def reconcile(self) -> None:
        """As the worker does at its start, and every minute."""
        Reconciler(self.workshop).reconcile(self.node)

    def name(self, operation: Operation) -> str:
        return name_of(replace(self.desk.task(), operation=operation.id))

    def left(self) -> tuple[Sequence[str], Sequence[str]]:
        """Containers, and images by their names or ids; of anybody, the probe's too."""
        with self.daemon.client() as engine:
            containers = [f"{it['Names'][0].removeprefix('/')} {it['State']}" for it in engine.containers(all=True)]
            images = [tag for it in engine.images(all=True) for tag in it["RepoTags"] or [it["Id"]]]
        return sorted(containers), sorted(images)

    def volumes(self) -> Sequence[str]:
        with self.daemon.client() as engine:
            return [it["Name"] for it in engine.volumes()["Volumes"] or ()]

    def clear(self) -> None:
        """For the next test."""
        if self.interposer is not None:
            self.interposer.triggers.clear()
        with self.daemon.client() as engine:
            for container in engine.containers(all=True):
                engine.remove_container(container["Id"], force=True, v=True)
            for volume in engine.volumes()["Volumes"] or ():
                engine.remove_volume(volume["Name"], force=True)
            for image in engine.images():
                engine.remove_image(image["Id"], force=True)

    def small(self, content: bytes, architecture: str = "amd64") -> Image:
        return small_image(self.desk.spool.folder, self.image, content, architecture)

    @contextmanager
    def somebodys_container(self, name: str, **host_config: Any) -> Iterator[None]:
        """One that is not ours, of an image that is not ours, while it is needed."""
        image = self.small(IS_SILENT, "amd64")
        with self.daemon.client() as engine:
            list(engine.load_image((self.desk.spool.folder / image.digest).read_bytes()))
            engine.tag(f"sha256:{image.image_id}", THEIRS, "1")
            engine.create_container_from_config(
                {
                    "Image": f"sha256:{image.image_id}",
                    "ExposedPorts": {f"{PORT}/tcp": {}},
                    "HostConfig": host_config,
                },
                name,
            )
            engine.start(name)
            try:
                yield
            finally:
                engine.remove_container(name, force=True)
                engine.remove_image(f"sha256:{image.image_id}", force=True)

    def _queue(self, registration: Registration) -> Operation:
        return Queue(self.desk.store, FLOW, lambda: None).start(registration, "deploy", self.desk.now)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a person is told of a deployment that failed, within so many seconds.

    `told` are words of what happened and why, `todo` of what to do, `raw` of the engine or the program.
    """

    told: tuple[str, ...]
    todo: tuple[str, ...]
    raw: tuple[str, ...] = ()
    within: float = 20


@contextmanager
def counted(tally: list[bool]) -> Iterator[None]:
    """Add whether it ended as wanted."""
    tally.append(False)
    yield
    tally[-1] = True


def tell(name: str, tally: Sequence[bool]) -> None:
    figures.tell(f"{name}.tried", len(tally), ">=", 1)
    figures.tell(f"{name}.as_wanted", sum(tally), "=", len(tally))


def expect_told(expected: Told, perform: Callable[[], Operation]) -> None:
    began = time.monotonic()
    ended = perform()
    took = time.monotonic() - began
    problem = ended.problem
    assert (ended.state, problem is not None) == (OperationState.FAILED, True)
    assert problem is not None
    said = f"{problem.happened} {problem.why}"
    print(f"{took:.1f} s: {said} | {problem.todo} | {problem.raw}")
    assert missing(expected.told, said) == []
    assert missing(expected.todo, str(problem.todo)) == []
    assert missing(expected.raw, problem.raw) == []
    assert took < expected.within


def missing(words: Sequence[str], said: str) -> Sequence[str]:
    return [word for word in words if word not in said]


def expect_deployed(site: Site, before: Operation) -> None:
    """The one container there is, which answers with the key that was read on the node."""
    again = site.queue_again(before)
    ended = site.perform()
    assert ended.state is OperationState.DONE, ended.problem
    registration = site.registration(again)
    assert registration.server is not None
    assert registration.endpoint.pin
    assert site.left() == ([f"{site.name(again)} running"], [name_on(site, site.image)])
    assert site.volumes() == [template.volume_of(site.image.licence)]


def name_on(site: Site, image: Image) -> str:
    """Podman says a registry before it."""
    return next(name for name in site.left()[1] if name.endswith(image.name_on_nodes))
