"""A disk that becomes full during an upload: the reason is told, and nothing is left."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uploads.images import MEBIBYTE
from tests.uploads.site import Admin, Site
from wizard.archive.limits import RESERVE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root: cannot mount a disk of its own")

DISK = 200 * MEBIBYTE
LEFT = 4 * MEBIBYTE
IN_NEED = "The disk of the wizard is full, or would be:"
MOUNTED = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose data is on a disk of its own, which nobody else sees."""
    data = tmp_path_factory.mktemp("small") / "data"
    data.mkdir()
    site = Site(data, prefix=["unshare", "--mount", "sh", "-c", MOUNTED, "sh", str(DISK), str(data)])
    site.begin()
    yield site
    site.end()


@pytest.fixture
def someone(small: Site, request: pytest.FixtureRequest) -> Iterator[Admin]:
    """One for each test, which leaves room on the disk."""
    yield small.admin(request.node.name[:64])
    filler_of(small).unlink(missing_ok=True)


def filler_of(site: Site) -> Path:
    return site.data / "something else"


def fill(site: Site, left: int = LEFT) -> Path:
    """Something else takes nearly all that is left."""
    filler = filler_of(site)
    room = os.statvfs(site.data)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - left)
    return filler


def left(site: Site) -> list[str]:
    found = (path for name in ("uploads", "spool") for path in (site.data / name).rglob("*"))
    return sorted(str(path.relative_to(site.data)) for path in found)


def test_what_was_announced_arrives_although_the_disk_becomes_full(small: Site, someone: Admin, image: Path) -> None:
    data = image.read_bytes()
    upload = someone.create(len(data))
    assert someone.patch(upload, 0, data[:MEBIBYTE]).status_code == 204
    filler = fill(small)
    arrived = someone.patch(upload, MEBIBYTE, data[MEBIBYTE:])
    assert (arrived.status_code, arrived.headers["Upload-Offset"]) == (204, str(len(data)))
    filler.unlink()
    assert someone.submit(upload).status == 200


def test_room_that_one_upload_has_is_not_asked_for_again_by_the_next(small: Site, someone: Admin) -> None:
    """Each asks for its own size, and for that of our archive; of the first one only the archive is still to come."""
    size, margin = 24 * MEBIBYTE, MEBIBYTE
    fill(small, left=4 * size + RESERVE + margin)
    for upload in [someone.create(size) for _ in range(2)]:
        assert someone.session.delete(upload, timeout=30).status_code == 204


def test_when_there_is_no_room_for_our_archive_of_it_the_step_says_so(small: Site, someone: Admin, image: Path) -> None:
    data, before = image.read_bytes(), left(small)
    upload = someone.create(len(data))
    assert someone.patch(upload, 0, data).status_code == 204
    filler = fill(small)
    verdict = someone.submit(upload)
    assert verdict.status == 422
    assert IN_NEED in verdict.text
    assert left(small) == before
    filler.unlink()
    again = someone.create(len(data))
    assert someone.patch(again, 0, data).status_code == 204
    assert someone.submit(again).status == 200


def test_what_the_disk_has_no_room_for_is_refused_before_its_first_byte(small: Site, someone: Admin) -> None:
    before = left(small)
    fill(small)
    refused = someone.session.post(f"{someone.url}/uploads/", headers={"Upload-Length": "5000000"}, timeout=30)
    assert refused.status_code == 422
    assert IN_NEED in refused.text
    assert left(small) == before
