"""Uploads: in pieces, by one at a time, of their owner; whole in the end, or gone with a reason."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from tests.archive.build import GOOD, VENDOR_KEYS, modern, tar
from tests.archive.disks import no_file_beyond
from tests.factories import NOW
from tests.waiting import until
from wizard.archive.disk import taken
from wizard.archive.spool import FileSpool
from wizard.archive.uploads import FolderUploads
from wizard.archive.verdicts import Refused
from wizard.domain.upload import Upload
from wizard.errors import Busy, InvalidInput, Stale, UnknownStep
from wizard.licensing.protocol.claims import dump_vendor_keys

ARCHIVE = tar(modern())
FORGED = tar(modern(GOOD.but(claims={"layers": "00" * 32})))


@pytest.fixture
def spool(tmp_path: Path) -> FileSpool:
    keys = tmp_path / "vendor.pub"
    keys.write_bytes(dump_vendor_keys(VENDOR_KEYS))
    return FileSpool(tmp_path / "spool", keys)


@pytest.fixture
def uploads(tmp_path: Path, spool: FileSpool) -> FolderUploads:
    return FolderUploads(tmp_path / "uploads", spool)


def begun(uploads: FolderUploads, archive: bytes = ARCHIVE, owner: str = "ann") -> Upload:
    return uploads.create(owner, len(archive), "fanruan_license_server.tar", "its mark", NOW)


def sent(uploads: FolderUploads, upload: Upload, data: bytes) -> Upload:
    """The upload with these bytes behind those that are there."""
    offset = uploads.find(upload.id, upload.owner, NOW).offset
    with uploads.append(upload.id, upload.owner, offset, NOW) as turn:
        turn.write(memoryview(data))
    return uploads.find(upload.id, upload.owner, NOW)


def test_what_was_announced_is_found_by_its_owner_alone(uploads: FolderUploads) -> None:
    upload = begun(uploads)
    assert uploads.find(upload.id, "ann", NOW) == upload
    assert (upload.offset, upload.length, upload.mark) == (0, len(ARCHIVE), "its mark")
    for id, owner in ((upload.id, "bob"), ("0" * 32, "ann"), ("../" + upload.id, "ann"), ("", "ann")):
        with pytest.raises(UnknownStep):
            uploads.find(id, owner, NOW)


def test_pieces_become_the_image_that_the_whole_file_is(uploads: FolderUploads, spool: FileSpool) -> None:
    upload = begun(uploads)
    for start in range(0, len(ARCHIVE), 1000):
        upload = sent(uploads, upload, ARCHIVE[start : start + 1000])
    image = uploads.image(upload.id, "ann", NOW)
    assert image.received == hashlib.sha256(ARCHIVE).hexdigest()
    assert image.filename == "fanruan_license_server.tar"
    assert spool.path(image).exists()


def test_the_image_is_the_same_however_often_and_by_whatever_process_it_is_asked_for(
    uploads: FolderUploads, tmp_path: Path, spool: FileSpool
) -> None:
    upload = sent(uploads, begun(uploads), ARCHIVE)
    with ThreadPoolExecutor(4) as pool:
        images = set(pool.map(lambda _: uploads.image(upload.id, "ann", NOW), range(8)))
    other = FolderUploads(tmp_path / "uploads", spool)
    assert images == {other.image(upload.id, "ann", NOW)}
    assert other.find(upload.id, "ann", NOW).is_whole


def test_another_process_goes_on_where_the_first_one_ended(
    uploads: FolderUploads, tmp_path: Path, spool: FileSpool
) -> None:
    upload = sent(uploads, begun(uploads), ARCHIVE[:5000])
    other = FolderUploads(tmp_path / "uploads", spool)
    assert [found.offset for found in other.unfinished("ann", NOW)] == [5000]
    sent(other, upload, ARCHIVE[5000:])
    assert other.image(upload.id, "ann", NOW) == uploads.image(upload.id, "ann", NOW)


@pytest.mark.parametrize("offset", [0, 4999, 5001, len(ARCHIVE)])
def test_bytes_for_another_place_are_refused(uploads: FolderUploads, offset: int) -> None:
    upload = sent(uploads, begun(uploads), ARCHIVE[:5000])
    with pytest.raises(Stale) as refused, uploads.append(upload.id, "ann", offset, NOW):
        pass
    assert "5000 bytes" in str(refused.value.problem.why)


def test_only_one_adds_to_it_at_a_time(uploads: FolderUploads, tmp_path: Path, spool: FileSpool) -> None:
    upload = begun(uploads)
    other = FolderUploads(tmp_path / "uploads", spool)
    with uploads.append(upload.id, "ann", 0, NOW) as turn:
        turn.write(memoryview(ARCHIVE[:10]))
        for another in (uploads, other):
            with pytest.raises(Busy), another.append(upload.id, "ann", 10, NOW):
                pass
    assert sent(other, upload, ARCHIVE[10:]).is_whole


def test_more_than_was_announced_is_refused(uploads: FolderUploads) -> None:
    upload = begun(uploads)
    with pytest.raises(Refused) as refused:
        sent(uploads, upload, ARCHIVE + b"\0")
    assert refused.value.code == "excess"


def test_what_turns_out_to_be_no_licence_image_is_said_while_it_arrives(uploads: FolderUploads, tmp_path: Path) -> None:
    nonsense = b"no archive at all" * 1000
    upload = begun(uploads, nonsense)
    refusals: list[str] = []

    def is_refused() -> bool:
        try:
            sent(uploads, upload, nonsense[:100])
        except Refused as refused:
            refusals.append(refused.code)
        return bool(refusals)

    until(is_refused, "the next bytes are refused")
    assert refusals == ["not-tar"]
    assert uploads.unfinished("ann", NOW) == []
    for ask in (uploads.passport, uploads.image):
        with pytest.raises(Refused) as told:
            ask(upload.id, "ann", NOW)
        assert told.value.code == "not-tar"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_forged_licence_is_refused_at_its_end_and_nothing_is_left(uploads: FolderUploads, tmp_path: Path) -> None:
    upload = sent(uploads, begun(uploads, FORGED), FORGED)
    with pytest.raises(Refused) as refused:
        uploads.image(upload.id, "ann", NOW)
    assert refused.value.code == "claims-layers"
    with pytest.raises(UnknownStep):
        uploads.find(upload.id, "ann", NOW)
    assert list((tmp_path / "uploads").iterdir()) == list((tmp_path / "spool").iterdir()) == []


def test_doubtful_bytes_are_taken_back(uploads: FolderUploads) -> None:
    upload = sent(uploads, begun(uploads), ARCHIVE[:5000])
    with uploads.append(upload.id, "ann", 5000, NOW, is_doubtful=True) as turn:
        turn.write(memoryview(b"something else"))
        turn.undo()
    assert uploads.find(upload.id, "ann", NOW).offset == 5000
    sent(uploads, upload, ARCHIVE[5000:])
    assert uploads.image(upload.id, "ann", NOW).received == hashlib.sha256(ARCHIVE).hexdigest()


def test_of_one_that_is_not_whole_nothing_is_lost_by_asking_for_the_image(uploads: FolderUploads) -> None:
    upload = sent(uploads, begun(uploads), ARCHIVE[:5000])
    with pytest.raises(Refused) as refused:
        uploads.image(upload.id, "ann", NOW)
    assert refused.value.code == "incomplete"
    assert uploads.find(upload.id, "ann", NOW).offset == 5000


def bytes_of(tmp_path: Path, upload: Upload) -> Path:
    return tmp_path / "uploads" / upload.id / "bytes"


def test_what_is_announced_has_its_room_on_the_disk_before_its_first_byte(
    uploads: FolderUploads, tmp_path: Path
) -> None:
    upload = begun(uploads)
    with uploads.append(upload.id, "ann", 0, NOW, is_doubtful=True) as turn:
        turn.write(memoryview(ARCHIVE[:1000]))
        turn.undo()
    assert bytes_of(tmp_path, upload).stat().st_size == 0
    assert taken(bytes_of(tmp_path, upload).stat()) >= len(ARCHIVE)


def test_of_one_that_the_disk_has_no_room_for_nothing_is_left(uploads: FolderUploads, tmp_path: Path) -> None:
    upload = begun(uploads)
    with no_file_beyond(10), pytest.raises(Refused) as refused:
        sent(uploads, upload, ARCHIVE)
    assert refused.value.code == "no-space"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_an_account_has_two_at_once(uploads: FolderUploads) -> None:
    first, _ = begun(uploads), begun(uploads)
    with pytest.raises(InvalidInput):
        begun(uploads)
    begun(uploads, owner="bob")
    uploads.remove(first.id, "ann", NOW)
    upload = sent(uploads, begun(uploads), ARCHIVE)
    uploads.image(upload.id, "ann", NOW)
    begun(uploads)


@pytest.mark.parametrize(("length", "code"), [(0, "empty"), (-1, "empty"), ((4 << 30) + 1, "too-large")])
def test_a_size_that_no_licence_image_has_is_refused(uploads: FolderUploads, length: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        uploads.create("ann", length, "x.tar", "", NOW)
    assert refused.value.code == code


def test_one_that_nothing_came_for_in_a_day_is_gone(uploads: FolderUploads, tmp_path: Path) -> None:
    upload = sent(uploads, begun(uploads), ARCHIVE[:10])
    [bytes_] = (tmp_path / "uploads").glob("*/bytes")
    os.utime(bytes_, (NOW.timestamp(), NOW.timestamp()))
    nearly, then = NOW + timedelta(hours=24, seconds=-1), NOW + timedelta(hours=24)
    uploads.sweep(nearly)
    assert uploads.find(upload.id, "ann", nearly).expires_at == then
    with pytest.raises(UnknownStep):
        uploads.find(upload.id, "ann", then)
    assert uploads.unfinished("ann", then) == []
    uploads.sweep(then)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_turn_of_a_removed_one_ends(uploads: FolderUploads) -> None:
    upload = begun(uploads)
    turn = uploads.append(upload.id, "ann", 0, NOW)
    turn.__enter__().write(memoryview(ARCHIVE[:10]))
    uploads.remove(upload.id, "ann", NOW)
    with pytest.raises(UnknownStep):
        turn.__exit__(None, None, None)
    assert uploads.unfinished("ann", NOW) == []
