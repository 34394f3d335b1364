"""Licence images of any size, for uploads that take a while."""

import json
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.archive.build import END, GOOD, digest, entry, header, to_json
from wizard.licensing.protocol.claims import layers_digest

MEBIBYTE = 1 << 20


def write_image(path: Path, mebibytes: int, seed: int = 0) -> Path:
    """An image of a little more than so many MiB, with one large file in a layer; of another seed, another image."""
    block = random.Random(seed).randbytes(MEBIBYTE)

    def layer() -> Iterator[bytes]:
        yield header(b"large", mebibytes * MEBIBYTE)
        for _ in range(mebibytes):
            yield block
        yield END

    measured = sha256()
    for piece in layer():
        measured.update(piece)
    name = f"sha256:{measured.hexdigest()}"
    recipe = GOOD.but(base=(), claims={"layers": layers_digest([name])})
    config = json.loads(recipe.config)
    config["rootfs"]["diff_ids"].insert(0, name)
    [top] = recipe.layers
    blobs = {f"blobs/sha256/{digest(content)}": content for content in (to_json(config), top)}
    large, (configuration, claims) = f"blobs/{name.replace(':', '/')}", blobs
    image = {"Config": configuration, "RepoTags": recipe.names, "Layers": [large, claims]}
    with path.open("wb") as file:
        file.write(header(large.encode(), len(header(b"large", 0)) + mebibytes * MEBIBYTE + len(END)))
        file.writelines(layer())
        file.writelines(entry(name, content) for name, content in (blobs | {"manifest.json": to_json([image])}).items())
        file.write(END)
    return path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        measured = sha256()
        while data := file.read(MEBIBYTE):
            measured.update(data)
    return measured.hexdigest()
