"""Little that becomes much: bytes, memory, streams, members, descriptions."""

import gzip
import lzma
import zlib
from collections.abc import Callable
from functools import cache, partial
from typing import Protocol

from backports import zstd as library

from tests.archive.apart import OK
from tests.archive.broken import ID, Make, with_first
from tests.archive.build import BASE, END, GOOD, Recipe, digest, modern, tar
from tests.archive.corpus.forms import blocks, layer, member, zstd, zstd_window
from tests.archive.corpus.making import MEBIBYTE, Case, of, put, rewritten, whole
from wizard.archive.limits import ALLOWANCE, LARGEST_JSON, LARGEST_WINDOW, MOST_LAYER_MEMBERS, MOST_STREAMS, XZ_MEMORY

ZEROS = 2 * ALLOWANCE // MEBIBYTE
"""MiB that a bomb becomes: more than is allowed of so little, and read up to there in a fraction of a second."""


class Compressor(Protocol):
    """What zlib, lzma and zstd have in common."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


PACKERS: dict[str, Callable[[], Compressor]] = {
    "gzip": lambda: zlib.compressobj(9, zlib.DEFLATED, 31),
    "xz": lambda: lzma.LZMACompressor(preset=1),
    "zstd": lambda: library.ZstdCompressor(),
}


@cache
def bomb(kind: str, name: str) -> bytes:
    """A tar with one file of zeros, packed piece by piece."""
    packer, size = PACKERS[kind](), ZEROS * MEBIBYTE
    pieces = [member(name, size=b"%011o\0" % size), *[bytes(MEBIBYTE)] * ZEROS, END]
    return b"".join(map(packer.compress, pieces)) + packer.flush()


def with_layer(packed: Callable[[], bytes]) -> Make:
    """A good archive that has something else in the place of its first layer; that is refused before it is hashed."""
    return of(GOOD.but(pack=lambda it: packed() if it == BASE[0] else it))


def and_empty(pack: Callable[[bytes], bytes], count: int = 2 * MOST_STREAMS) -> Callable[[bytes], bytes]:
    """The content, and so many empty streams after it."""
    return lambda content: pack(content) + pack(b"") * count


def many_files() -> bytes:
    return gzip.compress(b"".join(member(f"f{it}") for it in range(MOST_LAYER_MEMBERS + 1)) + END, 1)


def widest_xz(content: bytes) -> bytes:
    """With the largest dictionary that is unpacked, and little effort."""
    chain = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": XZ_MEMORY - 2 * MEBIBYTE}]
    return lzma.compress(content, filters=chain)


def widest_zstd(content: bytes) -> bytes:
    return zstd_window(content, LARGEST_WINDOW)


def twice(pack: Callable[[bytes], bytes]) -> Case:
    """As much memory as packing may take, outside and in a layer at once: what is unpacked is larger than a window."""

    def image() -> Recipe:
        plain, inner = (layer(member(name, bytes(40 * MEBIBYTE))) for name in ("a", "b"))
        return GOOD.but(base=(plain, inner), pack=lambda it: pack(it) if it == inner else it)

    return Case(OK, lambda: pack(tar(modern(image()))), image)


def much_json() -> bytes:
    return with_first(*(member(f"{digest(bytes([it]))}/json", b"[".ljust(LARGEST_JSON)) for it in range(5)))()


GZIP: Callable[[bytes], bytes] = partial(gzip.compress, mtime=0)

BOMBS: dict[str, Case] = {
    "gzip of endless zeros": Case("packed-ratio", lambda: bomb("gzip", f"{ID}/layer.tar")),
    "xz of endless zeros": Case("packed-ratio", lambda: bomb("xz", f"{ID}/layer.tar")),
    "zstd of endless zeros": Case("packed-ratio", lambda: bomb("zstd", f"{ID}/layer.tar")),
    "a gzip layer of endless zeros": Case("packed-ratio", with_layer(lambda: bomb("gzip", "zeros"))),
    "a zstd layer of endless zeros": Case("packed-ratio", with_layer(lambda: bomb("zstd", "zeros"))),
    "gzip of an archive and endless zeros after it": Case(
        "trailing", whole(lambda it: gzip.compress(it + bytes(16 * MEBIBYTE)))
    ),
    "a bomb within gzip": Case("packed-twice", lambda: gzip.compress(bomb("gzip", f"{ID}/layer.tar"))),
    "zstd with a window of 128 MB": Case("packed-memory", whole(lambda it: zstd_window(it, 27))),
    "xz with a dictionary of 64 MB": Case("packed-memory", whole(lambda it: lzma.compress(it, preset=9))),
    "a zstd layer in a zstd archive, with the widest windows": twice(widest_zstd),
    "an xz layer in an xz archive, with the largest dictionaries": twice(widest_xz),
    "xz and endless padding": Case("trailing", whole(lambda it: lzma.compress(it) + bytes(32 * MEBIBYTE))),
    "many empty gzip members": Case("packed-streams", whole(and_empty(GZIP))),
    "a gzip member for every three bytes": Case("packed-streams", whole(lambda it: blocks(it, 3, GZIP))),
    "many empty xz streams": Case("packed-streams", whole(and_empty(lzma.compress))),
    "many empty zstd frames": Case("packed-streams", whole(and_empty(zstd))),
    "a layer in many empty gzip members": Case("packed-streams", of(GOOD.but(pack=and_empty(GZIP)))),
    "a layer of more files than a system has": Case("layer-members", with_layer(many_files)),
    "JSON that is huge": Case("too-much-metadata", much_json),
    "a configuration nested without end": Case(
        "description",
        rewritten(put(b'"os"', b'"x": ' + b"[" * 30_000 + b"]" * 30_000 + b', "os"')),
    ),
}
