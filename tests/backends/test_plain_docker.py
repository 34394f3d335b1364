"""The licence image without the wizard: built from the Dockerfile, and run as the vendor's manual does it."""

import http.client
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.building import DOCKER, debian_base, docker_at, import_base
from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import Host, hosts
from tests.engines.images import a_mailed_archive
from tests.figures import tell
from tests.image_sizes import tell_sizes
from tests.waiting import until
from wizard.licensing.protocol.claims import REPOSITORY
from wizard.licensing.vendor.base import use_built
from wizard.licensing.vendor.building import built_archive
from wizard.licensing.vendor.image import TAG

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]

RUN = {"docker": docker_daemon, "podman": podman_service}


NAME = f"{REPOSITORY}:{TAG}"


def docker(daemon: Daemon, *words: str) -> str:
    return subprocess.run([DOCKER, "--host", daemon.url, *words], capture_output=True, text=True, check=True).stdout


def page_at(address: str) -> bool:
    """Whether the page with the QR code answers there."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, 18081, timeout=0.5, context=anybody)
    try:
        connection.request("GET", "/license/qrcode")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def run_by_hand(host: Host, daemon: Daemon, archive: Path) -> float:
    """As the manual does it, to its clean end; seconds from the start to the first answer."""
    docker(daemon, "load", "--input", str(archive))
    began = time.monotonic()
    run = ("run", "--detach", "--name", "by-hand", "--volume", "license:/app/config", "--publish", "18081:18081")
    docker(daemon, *run, NAME)
    until(lambda: page_at(host.address), "the page with the QR code answers")
    seconds = time.monotonic() - began
    pid = docker(daemon, "inspect", "--format", "{{.State.Pid}}", "by-hand").strip()
    assert "Uid:\t65532\t65532\t65532\t65532" in host.run("cat", f"/proc/{pid}/status")
    docker(daemon, "stop", "--time", "10", "by-hand")
    assert docker(daemon, "inspect", "--format", "{{.State.ExitCode}}", "by-hand") == "0\n"
    return seconds


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a base image without a shell."""
    return debian_base(tmp_path_factory.mktemp("debian"))


@pytest.fixture(scope="module", params=["docker", "podman"])
def built(request: pytest.FixtureRequest, debian: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vendor's data folder, with a base that this engine has built from the Dockerfile."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    running: Callable[[Host], AbstractContextManager[Daemon]] = RUN[request.param]
    with hosts(1) as (host,), running(host) as daemon:
        began = time.monotonic()
        with built_archive(docker_at(daemon), import_base(daemon, debian)) as archive:
            tell(f"image.{request.param}_build_seconds", time.monotonic() - began, "<=", 60, digits=1)
            use_built(folder / "vendor", archive)
        assert [image["RepoTags"] for image in daemon.client().images()] in (
            [["base:1"]],
            [["docker.io/library/base:1"]],
        )
    return folder


@pytest.mark.parametrize("engine", RUN)
def test_the_image_of_the_dockerfile_is_loaded_and_run_by_hand(built: Path, engine: str) -> None:
    archive = a_mailed_archive(built)
    with hosts(1) as (host,), RUN[engine](host) as daemon:
        seconds = run_by_hand(host, daemon, archive)
        tell(f"image.{engine}_start_seconds", seconds, "<=", 10, digits=2)
        made = docker(daemon, "create", NAME).strip()
        for shell in ("bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/env"):
            copied = subprocess.run(
                [DOCKER, "--host", daemon.url, "cp", f"{made}:/{shell}", "-"], capture_output=True, check=False
            )
            assert copied.returncode, f"there is a shell in it: {shell}"


def test_the_image_of_the_dockerfile_is_small_enough_for_a_mail_server(built: Path) -> None:
    assert tell_sizes(a_mailed_archive(built))


def test_one_made_without_an_engine_is_loaded_and_run_by_hand(tmp_path: Path) -> None:
    archive = a_mailed_archive(tmp_path)
    assert tell_sizes(archive)
    with hosts(1) as (host,), docker_daemon(host) as daemon:
        tell("image.own_start_seconds", run_by_hand(host, daemon, archive), "<=", 10, digits=2)
