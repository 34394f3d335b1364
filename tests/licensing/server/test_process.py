"""The real process: gunicorn, TLS, a volume; and the whole loop of a licence in it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.issuing import Vendor
from tests.licensing.server.process import ADDRESS, PATIENCE_SECONDS, Process, command, free_port, scan
from wizard.licensing.client.client import Client
from wizard.licensing.client.line import PinnedLine
from wizard.licensing.client.memory import Drawer
from wizard.licensing.protocol import api
from wizard.licensing.rules.project import ProjectState

NOW = 1_800_000_000_000


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def process(tmp_path: Path, vendor: Vendor) -> Iterator[Process]:
    process = Process(tmp_path, vendor)
    yield process
    process.end()


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
