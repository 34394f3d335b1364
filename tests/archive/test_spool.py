"""Receiving archives: on the disk once, whole and checked, or not at all."""

import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.archive.build import GOOD, VENDOR_KEYS, legacy, modern, podmans, tar
from tests.archive.disks import no_file_beyond
from tests.waiting import until
from wizard.archive.canonical import canonical, digest_of
from wizard.archive.reader import read_image
from wizard.archive.spool import FileSpool
from wizard.archive.verdicts import Refused
from wizard.domain.image import Image
from wizard.errors import BackendError
from wizard.licensing.protocol.claims import dump_vendor_keys
from wizard.store import documents

ARCHIVE = tar(modern())


def ours(archive: bytes) -> bytes:
    """The archive that is written from it."""
    received, written = io.BytesIO(archive), io.BytesIO()
    canonical(read_image(received, VENDOR_KEYS).layout).write(received, written)
    return written.getvalue()


OURS = ours(ARCHIVE)
DIGEST = digest_of(io.BytesIO(OURS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(tmp_path: Path, folder: Path) -> FileSpool:
    keys = tmp_path / "vendor.pub"
    keys.write_bytes(dump_vendor_keys(VENDOR_KEYS))
    return FileSpool(folder, keys)


def code_of(refusal: pytest.ExceptionInfo[Refused]) -> str:
    return refusal.value.code


def test_of_a_received_archive_ours_lies_under_its_digest_and_is_described(spool: FileSpool, folder: Path) -> None:
    image = spool.receive(io.BytesIO(ARCHIVE), len(ARCHIVE), "fanruan_license_server.tar")
    assert (image.digest, image.size) == (DIGEST, len(OURS))
    assert (image.received, image.received_size) == (hashlib.sha256(ARCHIVE).hexdigest(), len(ARCHIVE))
    assert (image.name, image.architecture) == ("fanruan_license_server:1.0.0", "amd64")
    assert (image.company, image.project) == ("Tiān Xià 天下 Ltd.", "Decision Platform")
    assert (image.licence, image.registrations) == ("0123456789abcdef", 3)
    assert spool.path(image) == folder / f"{DIGEST}.tar"
    assert spool.path(image).read_bytes() == OURS


def test_an_image_that_nobody_has_signed_is_taken_in_only_where_that_is_wanted(spool: FileSpool, folder: Path) -> None:
    unknown = tar(modern(GOOD.but(labelled=False)))
    with pytest.raises(Refused) as refusal:
        spool.receive(io.BytesIO(unknown), len(unknown), "fanruan_license_server.tar")
    assert code_of(refusal) == "claims-missing"
    lenient = FileSpool(folder, folder / "no-vendor.pub", takes_unknown=True)
    image = lenient.receive(io.BytesIO(unknown), len(unknown), "fanruan_license_server.tar")
    assert (image.is_licence, image.company, image.licence) == (False, "", image.image_id[:16])
    assert lenient.path(image).exists()


def test_a_forged_licence_is_refused_where_unknown_images_are_taken(spool: FileSpool, folder: Path) -> None:
    forged = tar(modern(GOOD.but(label=b"{}")))
    with pytest.raises(Refused) as refusal:
        FileSpool(folder, folder.parent / "vendor.pub", takes_unknown=True).receive(io.BytesIO(forged), None, "f.tar")
    assert code_of(refusal).startswith("claims-")


def test_nothing_that_was_received_stays_in_the_spool(spool: FileSpool, folder: Path) -> None:
    for archive in (ARCHIVE, tar(legacy()), tar(podmans()), tar(modern(GOOD.but(pack=gzip.compress)))):
        assert spool.receive(io.BytesIO(archive), len(archive), "x.tar").digest == DIGEST
        assert [path.read_bytes() for path in folder.iterdir()] == [OURS]


def test_an_archive_of_unknown_size_is_received_too(spool: FileSpool) -> None:
    assert spool.receive(io.BytesIO(ARCHIVE), None, "x.tar").digest == DIGEST


def test_nothing_is_kept_of_what_is_refused(spool: FileSpool, folder: Path) -> None:
    forged = tar(modern(GOOD.but(claims={"layers": "00" * 32})))
    with pytest.raises(Refused):
        spool.receive(io.BytesIO(forged), len(forged), "x.tar")
    assert list(folder.iterdir()) == []


def test_nothing_is_kept_of_an_upload_that_breaks_off(spool: FileSpool, folder: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 5000:
                raise ConnectionResetError("the browser went away")
            return super().read(size)

    with pytest.raises(ConnectionResetError):
        spool.receive(Broken(ARCHIVE[:6000]), len(ARCHIVE), "x.tar")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("arrived", [0, 300, 5000, len(ARCHIVE) - 1])
def test_less_than_was_announced_is_told_apart_from_a_damaged_archive(spool: FileSpool, arrived: int) -> None:
    with pytest.raises(Refused) as refusal:
        spool.receive(io.BytesIO(ARCHIVE[:arrived]), len(ARCHIVE), "x.tar")
    assert code_of(refusal) == "incomplete"
    with pytest.raises(Refused) as refusal:
        spool.receive(io.BytesIO(ARCHIVE[:arrived]), arrived, "x.tar")
    assert code_of(refusal) in ("truncated", "empty")


def test_an_archive_of_another_size_than_announced_is_refused(spool: FileSpool, folder: Path) -> None:
    for declared, code in ((len(ARCHIVE) + 1, "incomplete"), (len(ARCHIVE) - 1, "excess")):
        with pytest.raises(Refused) as refusal:
            spool.receive(io.BytesIO(ARCHIVE), declared, "x.tar")
        assert code_of(refusal) == code
    assert list(folder.iterdir()) == []


def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_read(spool: FileSpool) -> None:
    source = io.BytesIO(ARCHIVE)
    with pytest.raises(Refused) as refusal:
        spool.receive(source, 1 << 60, "x.tar")
    assert code_of(refusal) == "no-space"
    assert source.tell() == 0


def test_the_same_archive_received_twice_at_once_is_there_once(spool: FileSpool, folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        images = set(pool.map(lambda _: spool.receive(io.BytesIO(ARCHIVE), len(ARCHIVE), "x.tar"), range(16)))
    assert len(images) == 1
    assert [path.name for path in folder.iterdir()] == [f"{DIGEST}.tar"]


def test_without_a_key_of_the_vendor_nothing_is_received(tmp_path: Path, folder: Path) -> None:
    keys = tmp_path / "vendor.pub"
    spool = FileSpool(folder, keys)
    with pytest.raises(Refused) as refusal:
        spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")
    assert code_of(refusal) == "no-vendor-key"
    keys.write_text("no keys")
    with pytest.raises(Refused) as refusal:
        spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")
    assert code_of(refusal) == "vendor-key"


def test_a_key_that_is_delivered_later_counts_at_once(tmp_path: Path, folder: Path) -> None:
    spool = FileSpool(folder, tmp_path / "vendor.pub")
    (tmp_path / "vendor.pub").write_bytes(dump_vendor_keys(VENDOR_KEYS))
    assert spool.receive(io.BytesIO(ARCHIVE), None, "x.tar").digest == DIGEST


def test_an_archive_that_is_gone_or_was_cut_is_said_to_be(spool: FileSpool) -> None:
    image = spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")
    with pytest.raises(BackendError) as error:
        spool.path(replace(image, digest="00" * 32))
    assert error.value.permanent
    spool.path(image).write_bytes(OURS[:-1])
    with pytest.raises(BackendError):
        spool.path(image)


@pytest.mark.parametrize("seconds", [0, 60], ids=["at once", "after a minute"])
def test_one_that_was_changed_is_said_to_be_though_it_was_found_well_before(
    tmp_path: Path, folder: Path, spool: FileSpool, seconds: int
) -> None:
    image = spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")
    later = FileSpool(folder, tmp_path / "vendor.pub", nanoseconds=lambda: time.time_ns() + seconds * 1_000_000_000)
    path = later.path(image)
    assert later.path(image) == path
    before = path.stat().st_ctime_ns

    def changed() -> bool:
        """One bit of it; and again, until the clock by which files are dated has gone on."""
        path.write_bytes(bytes([OURS[0] ^ 1]) + OURS[1:])
        return path.stat().st_ctime_ns != before

    until(changed, "the file has another date")
    with pytest.raises(BackendError) as error:
        later.path(image)
    assert error.value.permanent
    path.write_bytes(OURS)
    assert later.path(image) == path


def test_a_disk_that_becomes_full_while_ours_is_written_is_said_to_be(spool: FileSpool, folder: Path) -> None:
    base = (tar({"etc/": b"", "etc/zeros": bytes(3 << 20)}),)
    archive = tar(modern(GOOD.but(base=base, pack=gzip.compress)))
    assert len(archive) < 1 << 20
    with no_file_beyond(1 << 20), pytest.raises(Refused) as refusal:
        spool.receive(io.BytesIO(archive), len(archive), "x.tar")
    assert code_of(refusal) == "no-space"
    assert list(folder.iterdir()) == []


def test_what_is_being_received_has_no_name_that_a_killed_process_could_leave(spool: FileSpool, folder: Path) -> None:
    class Watching(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert list(folder.iterdir()) == []
            return super().read(size)

    spool.receive(Watching(ARCHIVE), len(ARCHIVE), "x.tar")
    assert [path.read_bytes() for path in folder.iterdir()] == [OURS]


def test_an_image_of_an_earlier_version_still_opens_and_is_uploaded_again(spool: FileSpool, folder: Path) -> None:
    """Its file is the one that was received, and is given to no engine."""
    image = spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")
    (folder / f"{image.received}.tar").write_bytes(ARCHIVE)
    document = json.loads(documents.write(image)) | {"digest": image.received, "size": image.received_size}
    for added in ("manifest", "received", "received_size"):
        del document[added]
    document["unpacked"] = len(ARCHIVE)  # which was told for a while, and read by nobody
    older = documents.read(json.dumps(document), Image)
    assert (older.digest, older.manifest) == (image.received, "")
    with pytest.raises(BackendError) as error:
        spool.path(older)
    assert error.value.permanent


def test_receiving_it_again_mends_a_damaged_archive(spool: FileSpool) -> None:
    image = spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")
    spool.path(image).write_bytes(b"damaged")
    assert spool.path(spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")).read_bytes() == OURS


def test_what_a_killed_process_left_behind_is_swept_and_what_is_being_written_is_not(
    tmp_path: Path, folder: Path
) -> None:
    folder.mkdir()
    left, writing = folder / "a.partial", folder / "b.partial"
    left.write_bytes(b"left")
    with writing.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        FileSpool(folder, tmp_path / "vendor.pub")
        assert sorted(folder.iterdir()) == [writing]


class Counted(io.BytesIO):
    """Says into a pipe how often it was read."""

    def __init__(self, content: bytes, pipe: int) -> None:
        super().__init__(content)
        self._pipe = pipe
        self.reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        os.write(self._pipe, b".")
        return super().read(size)


def killed(spool: FileSpool, reads: int) -> None:
    """Have another process receive the archive again and again, and kill it as it has read so often."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            while True:
                spool.receive(Counted(ARCHIVE, theirs), None, "x.tar")
        finally:
            os._exit(1)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        pipe.read(reads)
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def test_a_process_that_is_killed_while_it_receives_leaves_all_of_ours_or_nothing(
    tmp_path: Path, folder: Path, spool: FileSpool
) -> None:
    with Path(os.devnull).open("wb") as nowhere, Counted(ARCHIVE, nowhere.fileno()) as source:
        spool.receive(source, None, "x.tar")
    for reads in (*range(1, source.reads, 7), *(source.reads + more for more in range(20))):
        shutil.rmtree(folder)
        killed(FileSpool(folder, tmp_path / "vendor.pub"), reads)
        FileSpool(folder, tmp_path / "vendor.pub")
        assert [path.read_bytes() for path in folder.iterdir()] in ([], [OURS])


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("image.tar", "image.tar"),
        ("C:\\Users\\zhang\\image.tar", "image.tar"),
        ("../../etc/passwd", "passwd"),
        ("授权 1.tar", "授权 1.tar"),
        ("a\r\nSet-Cookie: x\x00\u202egpj.tar", "aSet-Cookie: xgpj.tar"),
        ("", "fanruan_license_server.tar"),
        ("folder/", "fanruan_license_server.tar"),
        ("x" * 300, "x" * 255),
    ],
)
def test_the_name_of_the_file_is_made_fit_to_be_shown(spool: FileSpool, sent: str, shown: str) -> None:
    assert spool.receive(io.BytesIO(ARCHIVE), None, sent).filename == shown
