"""Which images an installation takes, and in which packing: the spool's part of it."""

import gzip
import hashlib
import io
import logging
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from tests.archive.build import GOOD, STRANGER, VENDOR_KEYS, modern, tar
from wizard.archive.canonical import digest_of
from wizard.archive.spool import FileSpool
from wizard.archive.verdicts import Refused
from wizard.domain.image import CONFIRM, PINNED, SIGNED
from wizard.licensing.protocol.claims import dump_vendor_keys

ARCHIVE = tar(modern())
UNSIGNED = tar(modern(GOOD.but(labelled=False)))
PACKINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": zstd.compress}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "vendor.pub"
    path.write_bytes(dump_vendor_keys(VENDOR_KEYS))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(folder: Path, keys: Path) -> FileSpool:
    return FileSpool(folder, keys)


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    path = tmp_path / "pinned"
    path.touch()
    return path


@pytest.fixture
def pinning(folder: Path, keys: Path, pins: Path) -> FileSpool:
    return FileSpool(folder, keys, pins_file=pins)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        call()
    return refusal.value.code


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_packed_archive_becomes_the_same_as_a_plain_one(
    spool: FileSpool, folder: Path, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(ARCHIVE)
    plain = spool.receive(io.BytesIO(ARCHIVE), len(ARCHIVE), "x.tar")
    image = spool.receive(io.BytesIO(packed), len(packed), "x.tar.gz")
    assert (image.digest, image.image_id) == (plain.digest, plain.image_id)
    assert (image.received, image.received_size) == (digest(packed), len(packed))
    assert [path.name for path in folder.iterdir()] == [f"{image.digest}.tar"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_one_that_lies_on_the_disk_is_examined_where_it_lies(
    spool: FileSpool, folder: Path, pack: Callable[[bytes], bytes]
) -> None:
    """What it is unpacked to is written down on the way, and only that."""
    received = pack(ARCHIVE)
    examined = spool.examine(io.BytesIO(received), len(received))
    assert (examined.unpacked is not None) == (received != ARCHIVE)
    assert list(folder.iterdir()) == []
    image = spool.keep(examined, io.BytesIO(received), "x")
    assert image.received == digest(received)
    assert digest_of(io.BytesIO(spool.path(image).read_bytes())) == image.digest


def test_a_stream_that_is_hashed_by_somebody_else_is_not_hashed_again(spool: FileSpool) -> None:
    class Hashed(io.BytesIO):
        def digest(self) -> str:
            return "d1" * 32

    assert spool.examine(Hashed(ARCHIVE), len(ARCHIVE)).digest == "d1" * 32


def test_what_was_unpacked_goes_with_what_was_examined(spool: FileSpool) -> None:
    packed = gzip.compress(ARCHIVE)
    examined = spool.examine(io.BytesIO(packed), len(packed))
    unpacked = examined.unpacked
    assert unpacked is not None
    assert not unpacked.closed
    del examined
    assert unpacked.closed


def test_a_packed_archive_that_is_cut_or_has_another_size_is_told(spool: FileSpool, folder: Path) -> None:
    packed = gzip.compress(ARCHIVE)
    assert code_of(lambda: spool.receive(io.BytesIO(packed[:-20]), len(packed), "x")) == "incomplete"
    assert code_of(lambda: spool.receive(io.BytesIO(packed[:-20]), None, "x")) == "truncated"
    assert code_of(lambda: spool.receive(io.BytesIO(packed), len(packed) - 1, "x")) == "excess"
    assert list(folder.iterdir()) == []


def test_a_listed_image_is_taken_whoever_made_it(pinning: FileSpool, pins: Path) -> None:
    pins.write_text(f"# the office's\n{digest(UNSIGNED)}  image.tar\n\n{digest(ARCHIVE).upper()} # signed as well\n")
    unsigned, signed = (pinning.receive(io.BytesIO(archive), None, "x.tar") for archive in (UNSIGNED, ARCHIVE))
    assert (unsigned.policy, unsigned.is_licence, unsigned.company) == (PINNED, False, "")
    assert (signed.policy, signed.is_licence, signed.company) == (PINNED, True, "Tiān Xià 天下 Ltd.")


def test_an_image_can_be_listed_by_its_id(pinning: FileSpool, pins: Path) -> None:
    pins.write_text(digest(GOOD.config))
    packed = gzip.compress(ARCHIVE)
    assert pinning.receive(io.BytesIO(packed), None, "x.tar").policy == PINNED


def test_what_is_not_listed_is_refused_though_the_vendor_signed_it(
    pinning: FileSpool, pins: Path, folder: Path
) -> None:
    for listed in ("", digest(UNSIGNED)):
        pins.write_text(listed)
        assert code_of(lambda: pinning.receive(io.BytesIO(ARCHIVE), None, "x.tar")) == "not-pinned"
    assert list(folder.iterdir()) == []


def test_a_forged_licence_is_refused_though_it_is_listed(pinning: FileSpool, pins: Path) -> None:
    forged = tar(modern(GOOD.but(signer=STRANGER)))
    pins.write_text(digest(forged))
    assert code_of(lambda: pinning.receive(io.BytesIO(forged), None, "x.tar")) == "claims-unknown-key"


@pytest.mark.parametrize("content", ["no digest", "00" * 31, "\0"])
def test_a_list_that_cannot_be_read_lets_nothing_in(pinning: FileSpool, pins: Path, content: str) -> None:
    pins.write_text(f"{digest(ARCHIVE)}\n{content}\n")
    assert code_of(lambda: pinning.receive(io.BytesIO(ARCHIVE), None, "x.tar")) == "pins"
    pins.unlink()
    assert code_of(lambda: pinning.receive(io.BytesIO(ARCHIVE), None, "x.tar")) == "pins"


def test_a_line_of_the_log_says_by_which_policy_an_image_was_taken(
    folder: Path, keys: Path, pins: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pins.write_text(digest(ARCHIVE))
    spools = {
        SIGNED: (FileSpool(folder, keys), ARCHIVE),
        PINNED: (FileSpool(folder, keys, pins_file=pins), ARCHIVE),
        CONFIRM: (FileSpool(folder, keys, takes_unknown=True), UNSIGNED),
    }
    for policy, (spool, archive) in spools.items():
        caplog.clear()
        with caplog.at_level(logging.INFO):
            image = spool.receive(io.BytesIO(archive), None, "x.tar")
        assert image.policy == policy
        assert f"{image.image_id} of the file {image.received} was taken: {policy}" in caplog.text
