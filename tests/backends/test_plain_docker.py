"""The licence image without the wizard: as the vendor's manual does it, with the command line alone."""

import gzip
import http.client
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon
from tests.engines.hosts import hosts
from tests.figures import tell
from tests.waiting import until
from wizard.domain.image import Image

pytestmark = [pytest.mark.long, NEEDS_ENGINES]

MEBIBYTE = 1 << 20


def docker(daemon: Daemon, *words: str) -> str:
    return subprocess.run(
        ["/usr/bin/docker", "--host", daemon.url, *words], capture_output=True, text=True, check=True
    ).stdout


def page_at(address: str) -> bool:
    """Whether the page with the QR code answers there."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, 18081, timeout=2, context=anybody)
    try:
        connection.request("GET", "/license/qrcode")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def test_it_is_loaded_and_run_by_hand(issued: tuple[Image, Path]) -> None:
    image, archive = issued
    with hosts(1) as (host,), docker_daemon(host) as daemon:
        docker(daemon, "load", "--input", str(archive))
        run = ("run", "--detach", "--name", "by-hand", "--volume", "license:/app/config", "--publish", "18081:18081")
        docker(daemon, *run, image.name)
        until(lambda: page_at(host.address), "the page with the QR code answers")
        docker(daemon, "stop", "--time", "10", "by-hand")
        assert docker(daemon, "inspect", "--format", "{{.State.ExitCode}}", "by-hand") == "0\n"


def test_it_is_small_enough_for_a_mail_server(issued: tuple[Image, Path], tmp_path: Path) -> None:
    _, archive = issued
    packed = tmp_path / "packed.gz"
    with archive.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as target:
        shutil.copyfileobj(source, target, MEBIBYTE)
    assert tell("image.compressed_mib", packed.stat().st_size / MEBIBYTE, "<=", 120, digits=1)
