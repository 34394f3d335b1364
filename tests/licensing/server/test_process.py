"""The real process: gunicorn, TLS, a volume; and the whole loop of a licence in it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from tests.licensing.issuing import Vendor
from wizard.licensing.client.client import Client
from wizard.licensing.client.line import PinnedLine
from wizard.licensing.client.memory import Drawer
from wizard.licensing.pinned import session
from wizard.licensing.protocol import api
from wizard.licensing.rules.project import ProjectState

ADDRESS = "127.0.0.17"
PATIENCE_SECONDS = 20
NOW = 1_800_000_000_000


def free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as listener:
        return int(listener.getsockname()[1])


def command(folder: Path, port: int) -> list[str]:
    """The command line for an image that was written to `image` in the folder."""
    paths = {
        "--claims": folder / "image" / "claims.json",
        "--vendor-keys": folder / "image" / "vendor.pub",
        "--config": folder / "config",
        "--log": folder / "log",
        "--tls": folder / "tls",
    }
    options = [text for name, path in paths.items() for text in (name, str(path))]
    return [sys.executable, "-m", "wizard.licensing.server", *options, "--address", ADDRESS, "--port", str(port)]


class Process:
    """`python -m wizard.licensing.server`, as a container runs it."""

    def __init__(self, folder: Path, vendor: Vendor) -> None:
        self.port = free_port()
        self._folder = folder
        vendor.write(folder / "image", vendor.claims(registrations=2))
        self._command = command(folder, self.port)
        self.start()

    def start(self) -> None:
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    @property
    def output(self) -> str:
        return (self._folder / "output").read_text()

    def get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, None)

    def post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        return self._ask("POST", path, document)

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """Master and worker at once, without a word."""
        workers = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, workers)):
            os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        if self._process.poll() is None:
            self.stop()

    def _answers(self) -> bool:
        try:
            return self.get(api.HEALTH) == {"status": "ok"}
        except (requests.RequestException, OSError):
            return False

    def _ask(self, method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any]:
        pin = (self._folder / "config" / api.PIN_FILE).read_text().strip()
        url = f"https://{ADDRESS}:{self.port}{path}"
        with (
            session(pin) as pinned,
            pinned.request(method, url, json=document, headers={"Connection": "close"}, timeout=5) as response,
        ):
            return cast("dict[str, Any]", response.json())


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def process(tmp_path: Path, vendor: Vendor) -> Iterator[Process]:
    process = Process(tmp_path, vendor)
    yield process
    process.end()


def scan(process: Process, vendor: Vendor) -> str:
    challenge = process.post(api.CHALLENGES, {})["challenge"]
    answer = process.post(api.CODES, {"challenge": challenge["id"], "code": vendor.answer(challenge["url"])})
    return str(answer["judgement"])


def test_the_whole_loop_over_tls_survives_a_stop_and_a_kill(tmp_path: Path, process: Process, vendor: Vendor) -> None:
    assert scan(process, vendor) == "accepted"
    client = Client("Sales", Drawer(tmp_path / "project", ("node-a", "node-b")), PinnedLine())
    client.register(ADDRESS, process.port, NOW)
    client.beat(NOW)
    slots = process.get(api.STATUS)["slots"]
    assert [slot["state"] for slot in slots] == ["LIVE", "LIVE"]
    assert all(slot["last_request_ms"] is not None for slot in slots)

    assert process.stop() == 0
    process.start()
    assert process.get(api.STATUS)["state"] == "WINDOW"
    process.kill()
    process.start()
    assert process.get(api.STATUS)["state"] == "WINDOW"
    client.beat(NOW, everyone=True)
    assert process.get(api.STATUS)["state"] == "ACTIVE"
    assert {node.registration.state for node in client.look(NOW).nodes} == {ProjectState.CONNECTED}
    assert client.deauthorize(NOW)
    assert process.get(api.STATUS)["state"] == "UNAUTHENTICATED"


def test_no_code_key_or_address_of_a_qr_is_in_the_logs(tmp_path: Path, process: Process, vendor: Vendor) -> None:
    challenge = process.post(api.CHALLENGES, {})["challenge"]
    code = vendor.answer(challenge["url"])
    assert process.post(api.CODES, {"challenge": challenge["id"], "code": code})["judgement"] == "accepted"
    process.end()
    logs = process.output + "".join(path.read_text() for path in (tmp_path / "log").iterdir())
    assert "UNAUTHENTICATED -> VERIFIED" in logs
    assert code not in logs
    assert challenge["url"].rpartition("/")[2] not in logs


def test_it_runs_where_only_the_volume_can_be_written(tmp_path: Path, vendor: Vendor) -> None:
    for name in ("log", "tls"):
        (tmp_path / name).write_text("a file where a folder should be cannot be written to, not even by root")
    process = Process(tmp_path, vendor)
    assert scan(process, vendor) == "accepted"
    process.end()
    assert "UNAUTHENTICATED -> VERIFIED" in process.output
    assert (tmp_path / "config" / "server.crt").exists()


def test_an_image_whose_claims_were_changed_does_not_start_and_says_why(tmp_path: Path) -> None:
    vendor = Vendor()
    claims, _ = vendor.write(tmp_path / "image", vendor.claims())
    claims.write_bytes(claims.read_bytes().replace(b"Reporting", b"Reported!"))
    refused = subprocess.run(
        command(tmp_path, free_port()), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("The authorization application cannot run: The signature")
