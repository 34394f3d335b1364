"""Says how large a licence image is, as it is and as a mail server would have it (`make image`)."""

import sys
import zlib
from pathlib import Path

from tests.figures import tell

MEGABYTE = 1_000_000
PIECE = 1 << 20
LARGEST_COMPRESSED = 120
"""Megabytes."""


def tell_sizes(archive: Path) -> bool:
    """Whether it is small enough."""
    print(f"size image.megabytes {archive.stat().st_size / MEGABYTE:.1f}")
    packer, packed = zlib.compressobj(6, wbits=31), 0
    with archive.open("rb") as file:
        while piece := file.read(PIECE):
            packed += len(packer.compress(piece))
    packed += len(packer.flush())
    return tell("image.megabytes_compressed", packed / MEGABYTE, "<=", LARGEST_COMPRESSED, digits=1)


if __name__ == "__main__":
    tell_sizes(Path(sys.argv[1]))
