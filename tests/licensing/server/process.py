"""The real process: gunicorn, TLS, a volume; and kept connections to it, from addresses of one's own."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import psutil

from tests.licensing.issuing import Vendor
from wizard.licensing.protocol import api

SERVER = "wizard.licensing.server"
ADDRESS = "127.0.0.17"
PATIENCE_SECONDS = 20
ANSWER_SECONDS = 30
"""Longer than the database waits for another writer, so that only a server that is dead stays without an answer."""

Answer = tuple[int, dict[str, Any]]
"""The HTTP status and the JSON object."""


def free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as listener:
        return int(listener.getsockname()[1])


def command(folder: Path, port: int, module: str = SERVER) -> list[str]:
    """The command line for an image that was written to `image` in the folder."""
    paths = {
        "--claims": folder / "image" / "claims.json",
        "--vendor-keys": folder / "image" / "vendor.pub",
        "--config": folder / "config",
        "--log": folder / "log",
        "--tls": folder / "tls",
    }
    options = [text for name, path in paths.items() for text in (name, str(path))]
    return [sys.executable, "-m", module, *options, "--address", ADDRESS, "--port", str(port)]


@dataclass(frozen=True)
class Door:
    """Where a process answers, and the one certificate that is trusted there. It can be sent to other processes."""

    port: int
    certificate: Path

    def connection(self, source: str) -> HTTPSConnection:
        """A connection that is made at the first request, from that address of this machine."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        return HTTPSConnection(ADDRESS, self.port, context=context, source_address=(source, 0), timeout=ANSWER_SECONDS)


@dataclass
class Caller:
    """Somebody with one kept connection. `headers` go with each request: a token, say."""

    door: Door
    source: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._connection = self.door.connection(self.source)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, document: object) -> Answer:
        return self._ask("POST", path, json.dumps(document))

    def connect(self) -> None:
        """Shake hands now, so that the next request is on its way at once."""
        self._connection.connect()

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        self._connection.request(method, path, body, {"Content-Type": "application/json", **self.headers})
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


class Process:
    """`python -m wizard.licensing.server`, as a container runs it; or another module that takes the same settings."""

    def __init__(self, folder: Path, vendor: Vendor, *, registrations: int = 2, module: str = SERVER) -> None:
        self.folder = folder
        self.port = free_port()
        self._module = module
        vendor.write(folder / "image", vendor.claims(registrations=registrations))
        self.start()

    def start(self) -> None:
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                command(self.folder, self.port, self._module), stdout=output, stderr=output
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    @property
    def door(self) -> Door:
        folders = (self.folder / "tls", self.folder / "config")
        return Door(self.port, next(path for folder in folders if (path := folder / "server.crt").exists()))

    @property
    def admin(self) -> dict[str, str]:
        """The header of somebody who can read the config volume."""
        return {"Authorization": f"Bearer {(self.folder / 'config' / api.ENTRY_TOKEN).read_text().strip()}"}

    @property
    def worker(self) -> psutil.Process:
        """The process that keeps the state and answers."""
        [worker] = psutil.Process(self._process.pid).children()
        return worker

    def get(self, path: str) -> dict[str, Any]:
        return self._once("GET", path, None)

    def post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        return self._once("POST", path, document)

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """Master and worker at once, without a word."""
        for pid in (self._process.pid, *(child.pid for child in psutil.Process(self._process.pid).children())):
            os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        if self._process.poll() is None:
            self.stop()

    def _answers(self) -> bool:
        try:
            return self.get(api.HEALTH) == {"status": "ok"}
        except (OSError, HTTPException, StopIteration):
            return False

    def _once(self, method: str, path: str, document: object) -> dict[str, Any]:
        with Caller(self.door, headers={"Connection": "close"}) as caller:
            return (caller.get(path) if method == "GET" else caller.post(path, document))[1]


def scan(process: Process, vendor: Vendor) -> str:
    """What becomes of the right code for a new challenge."""
    challenge = process.post(api.CHALLENGES, {})["challenge"]
    answer = process.post(api.CODES, {"challenge": challenge["id"], "code": vendor.answer(challenge["url"])})
    return str(answer["judgement"])
