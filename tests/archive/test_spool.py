"""Receiving archives: on the disk once, whole and checked, or not at all."""

import fcntl
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.archive.build import GOOD, VENDOR_KEYS, modern, tar
from wizard.archive.spool import FileSpool
from wizard.archive.verdicts import Refused
from wizard.errors import BackendError
from wizard.licensing.protocol.claims import dump_vendor_keys

ARCHIVE = tar(modern())
DIGEST = hashlib.sha256(ARCHIVE).hexdigest()


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


def test_a_received_archive_lies_under_its_digest_and_is_described(spool: FileSpool, folder: Path) -> None:
    image = spool.receive(io.BytesIO(ARCHIVE), len(ARCHIVE), "fanruan_license_server.tar")
    assert (image.digest, image.size) == (DIGEST, len(ARCHIVE))
    assert (image.name, image.architecture) == ("fanruan_license_server:1.0.0", "amd64")
    assert (image.company, image.project) == ("Tiān Xià 天下 Ltd.", "Decision Platform")
    assert (image.licence, image.registrations) == ("0123456789abcdef", 3)
    assert spool.path(image) == folder / f"{DIGEST}.tar"
    assert spool.path(image).read_bytes() == ARCHIVE


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
    spool.path(image).write_bytes(ARCHIVE[:-1])
    with pytest.raises(BackendError):
        spool.path(image)


def test_receiving_it_again_mends_a_damaged_archive(spool: FileSpool) -> None:
    image = spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")
    spool.path(image).write_bytes(b"damaged")
    assert spool.path(spool.receive(io.BytesIO(ARCHIVE), None, "x.tar")).read_bytes() == ARCHIVE


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
