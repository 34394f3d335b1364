"""Every state that the pages can show, made by the real client and the real authorization application."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from flask import Flask

from tests.licensing.client.wire import BenchLine
from tests.licensing.server.bench import Bench
from wizard.licensing.client import Client, ClientError, Drawer
from wizard.licensing.client.app import create_app
from wizard.licensing.client.site import Applications
from wizard.licensing.rules.limits import BEAT, DAY, HOUR, MINUTE

ADDRESS = "192.168.1.5"
PORT = 18081
NODES = ("node-a", "node-b")


class Scene:
    """One project of two nodes, and an authorization application."""

    def __init__(self, folder: Path, *, registrations: int = 2, name: str = "Sales reports") -> None:
        self._name = name
        self.bench = Bench(folder / "server", registrations=registrations)
        self.line = BenchLine({PORT: self.bench})
        self.folder, self.copy_folder = folder / "project", folder / "copy"
        self.client = self.open(self.folder)
        applications = Applications(
            clients={"sales": self.client}, clock=lambda: self.bench.now, registered=lambda slug: None
        )
        self.app: Flask = create_app(applications)
        self.app.testing = True

    def open(self, folder: Path) -> Client:
        """The project's process, started with that folder."""
        return Client(self._name, Drawer(folder, NODES), self.line)

    def copied(self) -> Client:
        """A second process, with a copy of the folder as it is now."""
        shutil.copytree(self.folder, self.copy_folder)
        return self.open(self.copy_folder)

    def register(self) -> None:
        self.bench.verify()
        self.client.register(ADDRESS, PORT, self.bench.now)
        self.beat()

    def beat(self) -> None:
        self.client.beat(self.bench.now)

    def stay_silent(self, span: int) -> None:
        """No answer comes. It is not asked each time, for that would be hundreds of times."""
        self.line.cut = True
        end = self.bench.now + span
        self.pass_time(2 * HOUR)
        self.bench.now = end
        self.beat()

    def pass_time(self, span: int) -> None:
        """With a heart that beats whenever it is due."""
        end = self.bench.now + span
        while (due := self.client.next_beat(self.bench.now)) is not None and due <= end:
            self.bench.now = max(due, self.bench.now)
            self.beat()
        self.bench.now = end


def unregistered(scene: Scene) -> None:
    """As it is delivered."""


def connected(scene: Scene) -> None:
    with suppress(ClientError):
        scene.client.register(ADDRESS, PORT, scene.bench.now)
    scene.bench.now += 3 * MINUTE
    scene.register()
    scene.pass_time(5 * HOUR)


def disconnected(scene: Scene) -> None:
    connected(scene)
    scene.line.cut = True
    scene.pass_time(2 * HOUR)


def lapsed(scene: Scene) -> None:
    connected(scene)
    scene.stay_silent(DAY)


def failed(scene: Scene) -> None:
    lapsed(scene)
    scene.line.cut = False
    scene.pass_time(10 * MINUTE)


def released(scene: Scene) -> None:
    connected(scene)
    scene.client.deauthorize(scene.bench.now)


def unconfirmed(scene: Scene) -> None:
    connected(scene)
    scene.line.cut = True
    scene.client.deauthorize(scene.bench.now)


def forked(scene: Scene) -> None:
    connected(scene)
    copy = scene.copied()
    copy.beat(scene.bench.now, everyone=True)
    scene.pass_time(BEAT)


def damaged(scene: Scene) -> None:
    scene.register()
    path = scene.folder / "registration.json"
    path.write_bytes(path.read_bytes()[:-100])
    scene.app.extensions["applications"].clients["sales"] = scene.client = scene.open(scene.folder)


SCENES: Mapping[str, Callable[[Scene], None]] = {
    "unregistered": unregistered,
    "connected": connected,
    "disconnected": disconnected,
    "lapsed": lapsed,
    "failed": failed,
    "released": released,
    "unconfirmed": unconfirmed,
    "forked": forked,
    "damaged": damaged,
}
