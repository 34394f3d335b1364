"""Killed with -9 at each named point of a deployment, the worker that follows ends it with one container, or with none.

The worker is a process of its own and speaks to a real engine through an interposer, which kills it at exact moments of
exact requests; around the records of the store it kills itself. What is left is asked of the engine directly.
"""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import figures
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon
from tests.engines.hosts import hosts
from tests.factories import a_node, a_placed_registration, a_port_check, a_preflight, a_project
from tests.jobs.interposer import Interposer, Moment, Trigger
from tests.jobs.standby import Standby, end
from tests.waiting import until
from wizard.backends.docker import DockerBackend
from wizard.backends.engine import probe, template
from wizard.domain.deployment import Endpoint, ServerStatus
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.operation import Operation, OperationState
from wizard.errors import BackendError
from wizard.jobs.queue import Queue
from wizard.relay import PinnedRelay
from wizard.steps import FLOW
from wizard.store import SqlStore, migrate

pytestmark = [
    pytest.mark.engine,
    pytest.mark.long,
    NEEDS_ENGINES,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

PORT = 18081
NODE = a_node(slug="main")
INVENTORY = """
[[project]]
slug = "sales"
name = "Sales reports"

[[project.node]]
slug = "main"
name = "Main application server"
role = "main"
address = "{address}"
engine = "{url}"
"""

PROBE, IMAGE = 1, 2
"""The first and the second load of a deployment to an engine that has not the image."""
Asked = tuple[str, str, int]
"""A request: its method, the beginning of its path, and the how manyth of its kind it is."""

PROBE_LOADED: Asked = ("POST", "/images/load", PROBE)
PROBE_CREATED: Asked = ("POST", "/containers/create[?]name=fineops-license-probe", 1)
PROBE_STARTED: Asked = ("POST", "/containers/fineops-license-probe[^/]*/start", 1)
LOADED: Asked = ("POST", "/images/load", IMAGE)
TAGGED: Asked = ("POST", "/images/sha256:[0-9a-f]+/tag", 1)
VOLUME: Asked = ("POST", "/volumes/create", 1)
CREATED: Asked = ("POST", "/containers/create[?]name=fineops-license-[0-9a-f]{12}$", 1)
STARTED: Asked = ("POST", "/containers/fineops-license-[0-9a-f]{12}/start", 1)
ENTRY: Asked = ("GET", "/containers/fineops-license-[0-9a-f]{12}/archive[?].*entry$", 1)
STOPPED: Asked = ("POST", "/containers/fineops-license-[0-9a-f]{12}/stop", 1)
REMOVED: Asked = ("DELETE", "/containers/fineops-license-[0-9a-f]{12}", 1)
UNLOADED: Asked = ("DELETE", "/images/fineops-license:", 1)
"""The first one was the probe's."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where the worker dies: at a moment of a request, or around a record; and when the admin aborts, if so."""

    request: Asked | None = None
    moment: Moment = Moment.DONE
    record: str = ""
    abort: tuple[Asked, Moment] | None = None

    @property
    def loads(self) -> bool:
        """Whether the image must not be there before."""
        return LOADED in (self.request, self.abort and self.abort[0])


IN_THE_END = (ENTRY, Moment.ASKED)
POINTS = {
    "check-not-yet-noted": Point(record="before check"),
    "probe-loaded": Point(request=PROBE_LOADED),
    "probe-created": Point(request=PROBE_CREATED),
    "probe-started": Point(request=PROBE_STARTED),
    "load-noted": Point(record="after load"),
    "load-asked": Point(request=LOADED, moment=Moment.ASKED),
    "load-a-quarter-sent": Point(request=LOADED, moment=Moment.QUARTER),
    "load-half-sent": Point(request=LOADED, moment=Moment.HALF),
    "load-three-quarters-sent": Point(request=LOADED, moment=Moment.THREE_QUARTERS),
    "load-done": Point(request=LOADED),
    "load-answered": Point(request=LOADED, moment=Moment.ANSWERED),
    "image-tagged": Point(request=TAGGED),
    "start-noted": Point(record="after start"),
    "volume-asked": Point(request=VOLUME, moment=Moment.ASKED),
    "volume-made": Point(request=VOLUME),
    "container-asked": Point(request=CREATED, moment=Moment.ASKED),
    "container-created": Point(request=CREATED),
    "container-create-answered": Point(request=CREATED, moment=Moment.ANSWERED),
    "start-asked": Point(request=STARTED, moment=Moment.ASKED),
    "container-started": Point(request=STARTED),
    "answer-noted": Point(record="after answer"),
    "entry-asked": Point(request=ENTRY, moment=Moment.ASKED),
    "entry-read": Point(request=ENTRY),
    "end-not-yet-noted": Point(record="before done"),
    "end-noted": Point(record="after done"),
    "aborted-while-loading-unload-not-yet-noted": Point(abort=(LOADED, Moment.HALF), record="before aborted"),
    "undo-stop-asked": Point(abort=IN_THE_END, request=STOPPED, moment=Moment.ASKED),
    "undo-stopped": Point(abort=IN_THE_END, request=STOPPED),
    "undo-remove-asked": Point(abort=IN_THE_END, request=REMOVED, moment=Moment.ASKED),
    "undo-removed": Point(abort=IN_THE_END, request=REMOVED),
    "undo-unload-asked": Point(abort=IN_THE_END, request=UNLOADED, moment=Moment.ASKED),
    "undo-unloaded": Point(abort=IN_THE_END, request=UNLOADED),
    "undo-not-yet-noted": Point(abort=IN_THE_END, record="before aborted"),
    "undo-noted": Point(abort=IN_THE_END, record="after aborted"),
}
ABORTS = {
    "check": (PROBE_STARTED, Moment.ASKED),
    "load": (LOADED, Moment.HALF),
    "start": (CREATED, Moment.DONE),
    "answer": IN_THE_END,
}


class Site:
    """A host with an engine, an interposer before it, and an installation that knows it by that."""

    def __init__(self, daemon: Daemon, interposer: Interposer, image: Image, standby: Standby) -> None:
        self.daemon, self.interposer, self.image, self.standby = daemon, interposer, image, standby
        self.node = a_node(slug=NODE.slug, address=daemon.host.address)

    def left(self) -> tuple[list[str], list[str], list[str]]:
        """Containers of ours and whether they run, volumes, and images: the licence's, and what has a name of ours."""
        with self.daemon.client() as engine:
            containers = [f"{it['Names'][0][1:]} {it['State']}" for it in engine.containers(all=True)]
            volumes = [it["Name"] for it in engine.volumes()["Volumes"] or ()]
            images = [tag for it in engine.images(all=True) for tag in it["RepoTags"] or [it["Id"]]]
        return containers, volumes, images

    def sweep(self) -> None:
        """What the next probe, more than a minute later, takes away."""
        backend = DockerBackend(engines={self.node.slug: Engine(url=self.daemon.url)}, clock=now)
        backend.preflight(self.node, self.image, PORT, "", now() + timedelta(seconds=probe.SECONDS_TO_LIVE + 2))

    def clear(self, *, images: bool) -> None:
        """For the next point."""
        with self.daemon.client() as engine:
            for container in engine.containers(all=True):
                engine.remove_container(container["Id"], force=True, v=True)
            for volume in engine.volumes()["Volumes"] or ():
                engine.remove_volume(volume["Name"], force=True)
            for image in engine.images() if images else ():
                engine.remove_image(image["Id"], force=True)

    def is_port_free(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.node.address, PORT)) != 0


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def site(issued: tuple[Image, Path]) -> Iterator[Site]:
    """The archive lies in the spool of whoever received it: that is the installation."""
    image, archive = issued
    with ExitStack() as stack:
        (host,) = stack.enter_context(hosts(1))
        daemon = stack.enter_context(docker_daemon(host))
        socket_of_engine = Path(daemon.url.removeprefix("unix://"))
        interposer = Interposer(host.folder / "between.sock", socket_of_engine, image.size)
        stack.enter_context(interposer.running())
        inventory = host.folder / "inventory.toml"
        inventory.write_text(INVENTORY.format(address=host.address, url=interposer.url))
        data = archive.parent.parent
        settings = {
            "WIZARD_DATA": str(data),
            "WIZARD_BACKEND": "docker",
            "WIZARD_INVENTORY": str(inventory),
            "WIZARD_VENDOR_KEYS": str(data / "vendor" / "vendor.pub"),
        }
        standby = Standby(os.environ | settings)
        stack.callback(standby.dismiss)
        yield Site(daemon, interposer, image, standby)


class Scene:
    """One deployment, in a store of its own."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.url = f"sqlite:///{folder}/wizard.sqlite"
        migrate(self.url)
        self.store = SqlStore(self.url)
        self.worker: subprocess.Popen[str] | None = None
        self._killing = threading.Lock()
        node = site.node
        registration = self.store.save(
            a_placed_registration(
                image=site.image,
                project=a_project(nodes=(node,)),
                node=node,
                port=PORT,
                preflight=a_preflight(port=a_port_check(port=PORT, checked_at=now() - timedelta(hours=1))),
            )
        )
        self.operation = Queue(self.store, FLOW, lambda: None).start(registration, "deploy", now())

    def begin(self, deadly: str = "") -> None:
        self.worker = self.site.standby.take({"WIZARD_DATABASE": self.url}, deadly)

    def kill(self) -> None:
        """Also from the interposer's threads."""
        with self._killing:
            if self.worker is not None:
                end(self.worker)
                self.worker = None

    def abort(self) -> None:
        self.store.ask_to_abort(self.operation.id)

    def ended(self) -> Operation:
        until(lambda: not self.store.operation(self.operation.id).is_active, "the operation has ended", 60)
        return self.store.operation(self.operation.id)

    def plan(self, point: Point) -> None:
        """Have it happen."""
        self.site.interposer.triggers.clear()
        if point.abort is not None:
            (method, path, nth), moment = point.abort
            self.site.interposer.triggers.append(Trigger(method, path, moment, self.abort, nth, severs=False))
        if point.request is not None:
            method, path, nth = point.request
            self.site.interposer.triggers.append(Trigger(method, path, point.moment, self.kill, nth))

    def has_died(self) -> bool:
        """By its own hand, or by another's."""
        return self.worker is None or self.worker.poll() is not None


@pytest.fixture
def scene(site: Site, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(site, tmp_path)
    yield scene
    scene.kill()
    site.interposer.triggers.clear()
    scene.store.close()


@contextmanager
def counted(tally: list[bool]) -> Iterator[None]:
    tally.append(False)
    yield
    tally[-1] = True


@pytest.fixture(scope="module")
def tally() -> Iterator[list[bool]]:
    """Which of the points ended well, told in the end."""
    tally: list[bool] = []
    yield tally
    if len(tally) == len(POINTS):
        figures.tell("kills.points", len(tally), ">=", 25)
        figures.tell("kills.ended_well", sum(tally), "=", len(tally))


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_killed_at_any_point_it_ends_with_one_container_or_with_none(
    site: Site, scene: Scene, point: Point, tally: list[bool]
) -> None:
    with counted(tally):
        site.clear(images=point.loads)
        scene.plan(point)
        scene.begin(point.record)
        until(scene.has_died, "the worker has died")
        scene.kill()
        scene.begin()
        ended = scene.ended()
        if point.abort is None:
            expect_one(site, scene, ended)
        else:
            expect_none(site, scene, ended)


@pytest.mark.parametrize("abort", ABORTS.values(), ids=ABORTS.keys())
def test_an_abort_at_any_phase_leaves_nothing(site: Site, scene: Scene, abort: tuple[Asked, Moment]) -> None:
    point = Point(abort=abort)
    site.clear(images=True)
    scene.plan(point)
    scene.begin()
    expect_none(site, scene, scene.ended())


def test_a_container_that_went_down_with_its_engine_is_started_again_by_the_worker(site: Site, scene: Scene) -> None:
    """Docker 20.10 leaves it stopped."""
    site.clear(images=False)
    scene.begin()
    expect_one(site, scene, scene.ended())
    scene.kill()
    site.daemon.kill()
    site.daemon.start()
    with site.daemon.client() as engine:
        for container in engine.containers():  # a later Docker starts it by itself
            engine.stop(container["Id"], timeout=1)
    scene.begin()
    until(lambda: all(it.endswith(" running") for it in site.left()[0]), "it runs again")
    expect_one(site, scene, scene.ended())


def expect_one(site: Site, scene: Scene, ended: Operation) -> None:
    """One container that runs, on one volume, and it is the one that the registration knows and that answers."""
    assert ended.state is OperationState.DONE, ended.problem
    registration = scene.store.registration(ended.registration_id)
    deployment = registration.deployment
    assert deployment is not None
    sweep_if_needed(site)
    assert site.left() == (
        [f"{deployment.name} running"],
        [template.volume_of(site.image.licence)],
        [template.tag_of(site.image)],
    )
    status = until(lambda: answered(registration.endpoint), "it answers with its key")
    assert status.registrations == site.image.registrations


def answered(endpoint: Endpoint) -> ServerStatus | None:
    """None while nobody is there; another key is an error at once."""
    try:
        return PinnedRelay().status(endpoint, now())
    except BackendError as error:
        if error.permanent:
            raise
        return None


def expect_none(site: Site, scene: Scene, ended: Operation) -> None:
    """Neither a container nor an image, and the port is free. A volume stays, should one have been made (R5)."""
    assert ended.state is OperationState.ABORTED, ended.problem
    assert ended.problem is None
    assert scene.store.registration(ended.registration_id).deployment is None
    sweep_if_needed(site)
    containers, _, images = site.left()
    assert (containers, images) == ([], [])
    assert site.is_port_free()


def sweep_if_needed(site: Site) -> None:
    containers, _, images = site.left()
    if any("probe" in name for name in (*containers, *images)):
        site.sweep()
