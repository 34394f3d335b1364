"""Run reference FanRuan applications: one process, a page and a heartbeat for each project."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from wizard.licensing.client.app import create_app
from wizard.licensing.client.causes import StorageError
from wizard.licensing.client.client import Client
from wizard.licensing.client.heartbeat import Heartbeat
from wizard.licensing.client.line import PinnedLine
from wizard.licensing.client.memory import Drawer
from wizard.licensing.client.site import Applications
from wizard.licensing.rules.limits import Millis

THREADS = 8
GRACE_SECONDS = 5


def clock() -> Millis:
    """The one place where the applications read a clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Project:
    """A project as the command line names it."""

    slug: str
    name: str
    nodes: tuple[str, ...]


def project(text: str) -> Project:
    """`slug|Name|node-a,node-b`; ValueError for anything else."""
    slug, name, nodes = text.split("|")
    if not slug or not name or not all(nodes.split(",")):
        raise ValueError(text)
    return Project(slug, name, tuple(nodes.split(",")))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m wizard.licensing.client", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder for keys and registrations")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--project", type=project, action="append", required=True, metavar="'slug|Name|node-a,node-b'")
    return parser.parse_args(arguments)


def open_client(given: argparse.Namespace, project: Project) -> Client:
    return Client(project.name, Drawer(given.data / project.slug, project.nodes), PinnedLine())


class Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn with one worker, which has the hearts."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._hearts: dict[str, Heartbeat] = {}
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._given.host}:{self._given.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACE_SECONDS,
            "control_socket_disable": True,
            "loglevel": "warning",
            "worker_exit": lambda arbiter, worker: self._stop(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        clients = {project.slug: open_client(self._given, project) for project in self._given.project}
        self._hearts = {slug: Heartbeat(client, clock) for slug, client in clients.items()}
        for heart in self._hearts.values():
            heart.start()
        applications = Applications(clients=clients, clock=clock, registered=lambda slug: self._hearts[slug].wake())
        return create_app(applications)

    def _stop(self) -> None:
        for heart in self._hearts.values():
            heart.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    try:
        for project in given.project:
            open_client(given, project)
    except (StorageError, OSError) as error:
        sys.exit(f"The applications cannot run: {error}")
    Server(given).run()


if __name__ == "__main__":
    main()
