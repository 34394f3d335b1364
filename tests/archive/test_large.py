"""A large image is received in constant memory, at the speed of the disk."""

import json
import random
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.archive.apart import Growth
from tests.archive.build import END, GOOD, VENDOR_KEYS, digest, entry, header, to_json
from tests.figures import tell
from wizard.archive.canonical import canonical
from wizard.archive.reader import read_image
from wizard.archive.spool import FileSpool
from wizard.licensing.protocol.claims import dump_vendor_keys, layers_digest

pytestmark = pytest.mark.long

MEBIBYTE = 1 << 20
SIZE = 1 << 30
"""Bytes of the one large file in the image."""


def the_layer() -> Iterator[bytes]:
    """A layer with the large file in it, in pieces; what does not shrink when it is packed."""
    block = random.Random(0).randbytes(MEBIBYTE)
    yield header(b"large", SIZE)
    for _ in range(SIZE // MEBIBYTE):
        yield block
    yield END


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    measured = sha256()
    for piece in the_layer():
        measured.update(piece)
    name = f"sha256:{measured.hexdigest()}"
    recipe = GOOD.but(base=(), claims={"layers": layers_digest([name])})
    config = json.loads(recipe.config)
    config["rootfs"]["diff_ids"].insert(0, name)
    [top] = recipe.layers
    blobs = {f"blobs/sha256/{digest(content)}": content for content in (to_json(config), top)}
    large, (configuration, claims) = f"blobs/{name.replace(':', '/')}", blobs
    image = {"Config": configuration, "RepoTags": recipe.names, "Layers": [large, claims]}
    path = tmp_path_factory.mktemp("large") / "image.tar"
    with path.open("wb") as file:
        file.write(header(large.encode(), len(header(b"large", SIZE)) + SIZE + len(END)))
        file.writelines(the_layer())
        file.writelines(entry(name, content) for name, content in (blobs | {"manifest.json": to_json([image])}).items())
        file.write(END)
    return path


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
            written = ours.write(received, target)
            seconds = time.monotonic() - begin
    assert len(written) == 64
    assert tell("canonical.write_gib_memory_mib", growth.peak(), "<=", 16, digits=1)
    tell("canonical.write_gib_s", seconds, "<=", 10, digits=1)
