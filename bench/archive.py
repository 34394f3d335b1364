"""`archive`: how long an image of 1 GB is checked and written, against one `openssl dgst -sha256` of the same file.

The check runs while bytes arrive, so of it counts what is left once the last one has. At rest the file is checked from
its beginning, and our archive of it is written and durable. The file is in the page cache each time, for openssl too.
"""

import json
import os
import random
import statistics
import subprocess
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.archive.apart import Growth
from tests.archive.build import END, GOOD, VENDOR_KEYS, digest, entry, header, to_json
from tests.figures import tell
from wizard.archive.following import Following
from wizard.archive.spool import Examined, FileSpool
from wizard.licensing.protocol.claims import dump_vendor_keys, layers_digest

LAPS = 5
"""Of each, in turns. The medians are compared."""
MEBIBYTE = 1 << 20
LAYERS = 4
LAYER = 256 * MEBIBYTE
"""Bytes of content in each, about."""
FILES = (1_200, 4_000, 9_000, 30_000, 400_000)
"""Bytes of the files in a layer, again and again; Debian's and Python's are of such sizes."""
LARGE = 40 * MEBIBYTE
"""Bytes of the one large file in each layer."""
SPEED = 400 * MEBIBYTE
"""Bytes a second that arrive: three times as many as a network of 1 Gbit/s carries."""
ARRIVING = MEBIBYTE
MOST_LEFT, MOST_IN_ALL, MOST_MEMORY = 0.5, 3.0, 64


def run() -> bool:
    with TemporaryDirectory() as folder:
        return Archive(Path(folder)).measured()


class Archive:
    """An image of some 1 GB, and the spool that it is received into."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "image.tar"
        (folder / "vendor.pub").write_bytes(dump_vendor_keys(VENDOR_KEYS))
        self._spool = FileSpool(folder / "spool", folder / "vendor.pub")
        build(self._file)
        self._size = self._file.stat().st_size

    def measured(self) -> bool:
        growth = Growth()
        laps = [(self.openssl(), self.left(), self.at_rest()) for _ in range(LAPS)]
        peak = growth.peak()
        openssl, left, at_rest = (statistics.median(times) for times in zip(*laps, strict=True))
        print(f"archive: {self._size / MEBIBYTE:.0f} MiB, openssl {openssl:.2f} s, ", end="")
        print(f"left {left:.2f} s, at rest {at_rest:.2f} s; medians of {LAPS}")
        met = (
            tell("archive.verdict_to_openssl", left / openssl, "<=", MOST_LEFT, digits=2),
            tell("archive.check_and_write_to_openssl", at_rest / openssl, "<=", MOST_IN_ALL, digits=2),
            tell("archive.memory_mib", peak, "<=", MOST_MEMORY, digits=1),
        )
        return all(met)

    def openssl(self) -> float:
        began = time.monotonic()
        subprocess.run(["openssl", "dgst", "-sha256", str(self._file)], check=True, capture_output=True)
        return time.monotonic() - began

    def left(self) -> float:
        """Seconds from the last byte to the verdict, when as many arrive as a fast network carries."""
        arriving = self._folder / "arriving"
        with arriving.open("wb", buffering=0) as target, self._file.open("rb") as source:
            following = Following(arriving, self._size, self._examined)
            began = time.monotonic()
            while piece := source.read(ARRIVING):
                target.write(piece)
                following.arrived(target.tell())
                time.sleep(max(0.0, began + target.tell() / SPEED - time.monotonic()))
            arrived = time.monotonic()
            following.result()
            left = time.monotonic() - arrived
        arriving.unlink()
        os.sync()  # what the disk still writes is not the next one's
        return left

    def at_rest(self) -> float:
        """Seconds for the check of a file that lies there, and for writing ours."""
        began = time.monotonic()
        following = Following(self._file, self._size, self._examined)
        following.arrived(self._size)
        examined = following.result()
        with self._file.open("rb") as received:
            image = self._spool.keep(examined, received, self._file.name)
        took = time.monotonic() - began
        self._spool.path(image).unlink()
        return took

    def _examined(self, stream: object) -> Examined:
        return self._spool.examine(stream, self._size)  # type: ignore[arg-type]


def build(path: Path) -> None:
    """Write the image: layers as they come, then what describes them."""
    with path.open("w+b") as file:
        names = [_layer(file.fileno(), number) for number in range(LAYERS)]
        file.seek(0, os.SEEK_END)
        recipe = GOOD.but(base=(), claims={"layers": layers_digest([f"sha256:{name}" for name in names])})
        config = json.loads(recipe.config)
        config["rootfs"]["diff_ids"][:0] = [f"sha256:{name}" for name in names]
        small = {f"blobs/sha256/{digest(it)}": it for it in (to_json(config), *recipe.layers)}
        configuration, claims = small
        layers = [*(f"blobs/sha256/{name}" for name in names), claims]
        image = {"Config": configuration, "RepoTags": recipe.names, "Layers": layers}
        files = small | {"manifest.json": to_json([image])}
        file.writelines(entry(name, content) for name, content in files.items())
        file.write(END)


def _layer(file: int, number: int) -> str:
    """Write a layer behind what is there; its digest, which is known last and is in its name."""
    begin = os.lseek(file, 0, os.SEEK_END)
    os.lseek(file, 512, os.SEEK_CUR)
    measured, size = sha256(), 0
    for piece in _members(number):
        measured.update(piece)
        size += os.write(file, piece)
    os.pwrite(file, header(f"blobs/sha256/{measured.hexdigest()}".encode(), size), begin)
    return measured.hexdigest()


def _members(number: int) -> Iterator[bytes]:
    """A layer as a distribution's packages make it: folders, many small files and few larger ones."""
    chance = random.Random(number)
    block = chance.randbytes(LARGE)
    left, count = LAYER - LARGE, 0
    yield entry("usr/", b"", b"5") + entry(f"usr/large{number}", block)
    while left > 0:
        if count % 50 == 0:
            folder = f"usr/lib/python3/dist-packages/package{number}{count:05}/"
            yield entry(folder, b"", b"5") + entry(f"{folder}link", b"", b"2", link=b"../other")
        size = FILES[count % len(FILES)]
        begin = chance.randrange(LARGE - size)
        yield entry(f"{folder}module{count:05}.py", block[begin : begin + size])
        left, count = left - size, count + 1
    yield END
