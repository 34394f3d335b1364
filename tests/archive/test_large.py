"""A large image is received in constant memory, at the speed of the disk."""

import time
from pathlib import Path

import pytest

from tests.archive.apart import Growth
from tests.archive.build import VENDOR_KEYS
from tests.figures import tell
from tests.uploads.images import write_image
from wizard.archive.canonical import canonical, digest_of
from wizard.archive.reader import read_image
from wizard.archive.spool import FileSpool
from wizard.licensing.protocol.claims import dump_vendor_keys

pytestmark = pytest.mark.long

MEBIBYTE = 1 << 20
SIZE = 1 << 30
"""Bytes of the one large file in the image."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image(tmp_path_factory.mktemp("large") / "image.tar", SIZE // MEBIBYTE)


def test_a_gibibyte_is_received_in_little_memory(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "vendor.pub").write_bytes(dump_vendor_keys(VENDOR_KEYS))
    spool = FileSpool(tmp_path / "spool", tmp_path / "vendor.pub")
    growth, begin = Growth(), time.monotonic()
    with archive.open("rb") as file:
        image = spool.receive(file, archive.stat().st_size, archive.name)
    received = time.monotonic() - begin
    assert spool.path(image).stat().st_size == image.size
    verified = time.monotonic() - begin - received
    assert tell("spool.receive_gib_memory_mib", growth.peak(), "<=", 24, digits=1)
    tell("spool.receive_gib_s", received, "<=", 15, digits=1)
    tell("spool.verify_gib_s", verified, "<=", 3, digits=1)


def test_our_archive_of_a_gibibyte_is_written_in_little_memory(archive: Path, tmp_path: Path) -> None:
    with archive.open("rb") as received:
        ours = canonical(read_image(received, VENDOR_KEYS).layout)
        with (tmp_path / "ours.tar").open("wb") as target:
            growth, begin = Growth(), time.monotonic()
            ours.write(received, target)
            seconds = time.monotonic() - begin
    with (tmp_path / "ours.tar").open("rb") as written:
        assert digest_of(written) == ours.digest
    assert tell("canonical.write_gib_memory_mib", growth.peak(), "<=", 16, digits=1)
    tell("canonical.write_gib_s", seconds, "<=", 10, digits=1)
