"""`deploy`: from an archive on the disk to the first answer of the authorization application, on a private engine.

The wizard's deployment (the phases of its step, over the real backend and relay) in turns with the plain client on the
same archive: `docker load`, `docker run`, and then asking for the page until it answers.
"""

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.desk import FakeDesk
from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import Host, hosts
from tests.engines.images import an_issued_image
from tests.factories import a_node, a_placed_registration, a_project
from tests.fakes import FakeClock
from tests.figures import tell
from wizard.backends import load
from wizard.backends.engine import template
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.domain.registration import Registration
from wizard.licensing import pinned
from wizard.licensing.protocol.api import PAGE
from wizard.ports import Backend, Task, Workshop
from wizard.relay import PinnedRelay
from wizard.steps import deploy

LAPS = 10
PORT = 18081
BETWEEN_LOOKS = 0.05
"""Seconds, of the plain client's polling."""
RUNS: Mapping[str, Callable[[Host], AbstractContextManager[Daemon]]] = {
    "docker": docker_daemon,
    "podman": podman_service,
}
SAME_OR_FASTER = 1.0


def run() -> bool:
    """Print the figures. Whether all of them meet their goals."""
    with TemporaryDirectory(prefix="deploy-") as folder:
        image, archive = an_issued_image(Path(folder))
        met = [_compare(name, engine, image, archive) for name, engine in RUNS.items()]
    return all(met)


def _compare(name: str, engine: Callable[[Host], AbstractContextManager[Daemon]], image: Image, archive: Path) -> bool:
    with hosts(1) as (host,), engine(host) as daemon, TemporaryDirectory() as folder:
        bench = Bench(daemon, image, archive, Path(folder), _backend(daemon))
        bench.wizard(), bench.plain()  # what is done once, such as the first look at a disk, is done
        laps = [bench.lap(first=number % 2 == 0) for number in range(LAPS)]
    ours, theirs = (statistics.median(side) for side in zip(*laps, strict=True))
    print(f"{name}: the wizard {ours:.2f} s, the plain client {theirs:.2f} s; laps " + _words(laps))
    ratio = statistics.median(mine / its for mine, its in laps)  # of each pair: the machine is the same for both
    return tell(f"bench.deploy.{name}_ratio", ratio, "<=", SAME_OR_FASTER, digits=2)


def _backend(daemon: Daemon) -> Backend:
    return load("docker", engines={a_node().slug: Engine(url=daemon.url)}, clock=FakeClock(), grace=2)


def _words(laps: list[tuple[float, float]]) -> str:
    return ", ".join(f"{ours:.2f}/{theirs:.2f}" for ours, theirs in laps)


@dataclass(frozen=True)
class Bench:
    """Both ways on one engine. Each gives its seconds, and leaves nothing behind."""

    daemon: Daemon
    image: Image
    archive: Path
    folder: Path
    backend: Backend
    """Kept, as the worker keeps it."""

    def lap(self, *, first: bool) -> tuple[float, float]:
        """Both ways, the wizard's first or second: a disk that is still busy with the one before hinders both alike."""
        if first:
            return self.wizard(), self.plain()
        theirs = self.plain()
        return self.wizard(), theirs

    def wizard(self) -> float:
        with self._workshop() as (workshop, registration):
            task = Task(workshop=workshop, operation="0" * 16, progress=lambda done, total: None, wait=time.sleep)
            began = time.monotonic()
            for phase in deploy.STEP.work:
                registration = phase.run(registration, task)
            took = time.monotonic() - began
            for phase in reversed(deploy.STEP.work):
                phase.undo(registration, task)
        self._forget()
        return took

    def plain(self) -> float:
        began = time.monotonic()
        self._docker("load", "--input", str(self.archive))
        volume, published = f"licence:{template.CONFIG}", f"{PORT}:{PORT}"
        named = ("--name", "plain", "--volume", volume, "--publish", published)
        self._docker("run", "--detach", *named, *HARDENED, f"sha256:{self.image.image_id}", *self._arguments())
        while not self._answers():
            time.sleep(BETWEEN_LOOKS)
        took = time.monotonic() - began
        self._forget()
        return took

    @contextmanager
    def _workshop(self) -> Iterator[tuple[Workshop, Registration]]:
        desk = FakeDesk.in_folder(self.folder)
        workshop = replace(desk.workshop, backend=self.backend, license_servers=PinnedRelay())
        shutil.copyfile(self.archive, self.folder / self.image.digest)
        project = a_project(nodes=(self._node,))
        yield workshop, a_placed_registration(image=self.image, project=project, node=self._node)

    @property
    def _node(self) -> Node:
        return a_node(address=self.daemon.host.address)

    def _arguments(self) -> list[str]:
        return template.arguments(self._node, self.image, PORT)

    def _answers(self) -> bool:
        try:
            with pinned.session(self._pin()) as session:
                return session.get(f"https://{self._node.address}:{PORT}{PAGE}", timeout=0.5).ok
        except (OSError, ValueError):
            return False

    def _pin(self) -> str:
        return pinned.peer_pin(self._node.address, PORT, 0.5)

    def _docker(self, *words: str) -> None:
        subprocess.run(["docker", "--host", self.daemon.url, *words], check=True, capture_output=True)

    def _forget(self) -> None:
        """Containers, volumes and images: the next lap finds an engine as it was."""
        with self.daemon.client() as engine:
            for container in engine.containers(all=True):
                engine.remove_container(container["Id"], v=True, force=True)
            for volume in engine.volumes()["Volumes"] or ():
                engine.remove_volume(volume["Name"], force=True)
            for image in engine.images():
                engine.remove_image(image["Id"], force=True)


HARDENED = (
    *("--user", template.LICENCE.user, "--read-only", "--tmpfs", f"/tmp:{template.TEMPORARY}"),  # noqa: S108 - of the container
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--pids-limit", str(template.LICENCE.processes), "--memory", str(template.LICENCE.memory)),
)
"""As the wizard's containers are, so that both start the same."""
