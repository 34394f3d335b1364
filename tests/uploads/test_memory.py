"""How much memory the web process takes for large uploads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.figures import tell
from tests.uploads.images import MEBIBYTE, write_image
from tests.uploads.site import Admin, Site

pytestmark = pytest.mark.long

LIMIT = 32
"""MB."""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "data")
    site.begin()
    yield site
    site.end()


class Growth:
    """How many MB of memory the web process has taken at most since then, beyond what it had."""

    def __init__(self, site: Site) -> None:
        self._process = Path("/proc", str(site.replicas[0].worker.pid))
        (self._process / "clear_refs").write_text("5")  # the peak begins anew (proc(5))
        self._before = self._field("VmRSS")

    def peak(self) -> float:
        return (self._field("VmHWM") - self._before) * 1024 / 1e6

    def _field(self, name: str) -> int:
        lines = (self._process / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def send(admin: Admin, image: Path) -> str:
    """Upload the whole file; where it is."""
    upload = admin.create(image.stat().st_size)
    with image.open("rb") as file, admin.begin_patch(upload, 0, image.stat().st_size) as connection:
        connection.settimeout(600)
        connection.sendfile(file)
        assert b" 204 " in connection.recv(1000)
    return upload


def taken(admin: Admin, upload: str) -> None:
    verdict = admin.submit(upload)
    assert verdict.status == 200, verdict.text


def test_two_gigabytes_take_little_memory(alone: Site, tmp_path: Path) -> None:
    admin = alone.admin()
    taken(admin, send(admin, write_image(tmp_path / "small.tar", 8)))
    image = write_image(tmp_path / "image.tar", 2_000_000_000 // MEBIBYTE)
    growth = Growth(alone)
    upload = send(admin, image)
    received = growth.peak()
    taken(admin, upload)
    assert tell("upload.two_gb_memory_mb", received, "<=", LIMIT, digits=1)
    assert tell("upload.two_gb_taken_in_memory_mb", growth.peak(), "<=", LIMIT, digits=1)


def test_four_at_once_take_little_memory(alone: Site, tmp_path: Path) -> None:
    people = [alone.admin(name) for name in ("ann", "ann", "bob", "bob")]
    taken(people[0], send(people[0], write_image(tmp_path / "small.tar", 8)))
    image = write_image(tmp_path / "image.tar", 500_000_000 // MEBIBYTE)
    growth = Growth(alone)
    with ThreadPoolExecutor(4) as pool:
        uploads = list(pool.map(lambda admin: send(admin, image), people))
        received = growth.peak()
        list(pool.map(taken, people, uploads))
    assert tell("upload.four_at_once_memory_mb", received, "<=", LIMIT, digits=1)
    tell("upload.four_at_once_taken_in_memory_mb", growth.peak(), "<=", LIMIT, digits=1)
