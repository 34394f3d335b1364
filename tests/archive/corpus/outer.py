"""How the archive is packed as a whole."""

import gzip
import lzma

from tests.archive.build import GOOD, modern, tar
from tests.archive.corpus.forms import blocks, skippable, zstd
from tests.archive.corpus.making import Case, good, whole

OUTER: dict[str, Case] = {
    "gzip of one member": good(around=gzip.compress),
    "gzip of many members, as bgzip and eStargz write": good(
        around=lambda it: blocks(it, 65_280, gzip.compress) + gzip.compress(b"")
    ),
    "gzip of packed layers": good(GOOD.but(pack=gzip.compress), around=gzip.compress),
    "xz of one stream": good(around=lzma.compress),
    "xz of two streams": good(around=lambda it: blocks(it, 100_000, lzma.compress)),
    "xz with stream padding": good(around=lambda it: lzma.compress(it) + bytes(8)),
    "zstd of one frame": good(around=zstd),
    "zstd of many frames, as pzstd writes": good(
        around=lambda it: blocks(it, 50_000, lambda block: skippable(bytes(4)) + zstd(block))
    ),
    "bzip2 around it": Case("compressed", lambda: b"BZh91AY&SY" + bytes(600)),
    "lz4 around it": Case("compressed", lambda: b"\x04\x22\x4d\x18" + bytes(600)),
    "a zip file": Case("not-tar", lambda: b"PK\x03\x04" + bytes(600)),
    "a web page": Case("not-tar", lambda: b"<!DOCTYPE html>" + b" " * 600),
    "LZMA alone, the old format": Case("not-tar", whole(lambda it: lzma.compress(it, format=lzma.FORMAT_ALONE))),
    "gzip of a text": Case("not-tar", lambda: gzip.compress(b"Dear customer,\n" * 100)),
    "gzip of nothing": Case("empty", lambda: gzip.compress(b"")),
    "gzip cut off": Case("truncated", whole(lambda it: gzip.compress(it)[:-9])),
    "xz cut off": Case("truncated", whole(lambda it: lzma.compress(it)[:-9])),
    "zstd cut off": Case("truncated", whole(lambda it: zstd(it)[:-9])),
    "gzip with a changed checksum": Case("packed-damaged", whole(lambda it: gzip.compress(it)[:-8] + bytes(8))),
    "bytes after gzip": Case("trailing", whole(lambda it: gzip.compress(it) + b"more")),
    "zeros after gzip": Case("trailing", whole(lambda it: gzip.compress(it) + bytes(512))),
    "xz with three bytes of padding": Case("trailing", whole(lambda it: lzma.compress(it) + bytes(3))),
    "bytes after xz": Case("trailing", whole(lambda it: lzma.compress(it) + b"more")),
    "bytes after zstd": Case("trailing", whole(lambda it: zstd(it) + b"more")),
    "a tar after gzip": Case("trailing", whole(lambda it: gzip.compress(it) + it)),
    "gzip then zstd": Case("trailing", whole(lambda it: gzip.compress(it) + zstd(it))),
    "two gzips of whole archives": Case("trailing", lambda: gzip.compress(tar(modern())) * 2),
    "gzip within gzip": Case("packed-twice", whole(lambda it: gzip.compress(gzip.compress(it)))),
    "zstd within gzip": Case("packed-twice", whole(lambda it: gzip.compress(zstd(it)))),
}
