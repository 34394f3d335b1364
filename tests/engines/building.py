"""Bases for the Dockerfile where no registry is at hand, and engines as the vendor's command line reaches them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engines.daemons import Daemon, docker_daemon
from tests.engines.hosts import hosts
from wizard.licensing.vendor.building import built_archive

DOCKER = "/usr/bin/docker"
BASE = "base:1"
_PACKAGES = "python3-minimal,libpython3-stdlib,libsqlite3-0,media-types"
"""Debian's, with what they need in turn: a Python and its library, no shell, and nothing else."""


@contextmanager
def built_base() -> Iterator[Path]:
    """The image of the Dockerfile as a private Docker built and saved it; without a registry, upon this Debian."""
    with TemporaryDirectory(prefix="built-") as folder, hosts(1) as (host,), docker_daemon(host) as daemon:
        base = import_base(daemon, debian_base(Path(folder)))
        with built_archive(docker_at(daemon), base) as archive:
            yield archive


def debian_base(folder: Path) -> Path:
    """The files of a base, as `docker import` takes them; this machine's Debian, without a shell, 50 MB."""
    made = folder / "base.tar"
    words = ["--quiet", "--variant=extract", f"--include={_PACKAGES}", "--skip=output/dev"]
    words.append("--dpkgopt=path-exclude=/usr/share/{doc,man,locale}/*")
    done = subprocess.run(
        ["mmdebstrap", *words, _suite(), str(made)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        pytest.skip(
            f"no Debian base for the Dockerfile: mmdebstrap has no source of packages here: {done.stderr[-500:]}"
        )
    return made


def import_base(daemon: Daemon, files: Path) -> str:
    """Make an image of these files on that engine; its name."""
    subprocess.run([DOCKER, "--host", daemon.url, "import", str(files), BASE], capture_output=True, check=True)
    return BASE


def docker_at(daemon: Daemon) -> str:
    """The command line that has that engine build: Docker's client, which Podman's service understands as well."""
    return f"{DOCKER} --host {daemon.url}"


def _suite() -> str:
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME="))
