"""A disk that becomes full during an upload: the reason is told, and nothing is left."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uploads.images import MEBIBYTE
from tests.uploads.site import Admin, Site

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


def fill(site: Site) -> Path:
    """Something else takes nearly all that is left."""
    filler = filler_of(site)
    room = os.statvfs(site.data)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - LEFT)
    return filler


def left(site: Site) -> list[str]:
    found = (path for name in ("uploads", "spool") for path in (site.data / name).rglob("*"))
    return sorted(str(path.relative_to(site.data)) for path in found)


def test_when_it_is_full_the_upload_is_refused_with_the_reason_and_gone(
    small: Site, someone: Admin, image: Path
) -> None:
    data, before = image.read_bytes(), left(small)
    upload = someone.create(len(data))
    assert someone.patch(upload, 0, data[:MEBIBYTE]).status_code == 204
    filler = fill(small)
    refused = someone.patch(upload, MEBIBYTE, data[MEBIBYTE:])
    assert refused.status_code == 422
    assert IN_NEED in refused.text
    assert "Make room on the disk" in refused.text
    filler.unlink()
    assert someone.head(upload).status_code == 422
    verdict = someone.submit(upload)
    assert (verdict.status, IN_NEED in verdict.text) == (422, True)
    assert left(small) == before


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
