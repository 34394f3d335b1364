"""Headers of the outer tar: numbers, extensions, kinds, and what fills a block."""

from tests.archive.apart import OK
from tests.archive.broken import ID, long_name, with_first
from tests.archive.build import BLOCK, modern, tar
from tests.archive.corpus.forms import member, pax, record
from tests.archive.corpus.making import Case, linked, manifest_with, without


def filled(fill: bytes) -> bytes:
    """A description after which the block is filled with something."""
    files = modern()
    return member("oci-layout", files.pop("oci-layout"), fill=fill) + tar(files)


def without_magic() -> bytes:
    """A file of the time before ustar, in the middle."""
    return tar({"blobs/": b""})[:BLOCK] + member(f"{ID}/json", b"", magic=bytes(8)) + without(["blobs/"])


HEADERS: dict[str, Case] = {
    "a base-256 size of nothing": Case("header", with_first(member(f"{ID}/json", b"", size=b"\x80" + bytes(11)))),
    "a negative size in base 256": Case("header", with_first(member(f"{ID}/json", b"", size=b"\xff" * 12))),
    "a negative size in octal": Case("header", with_first(member(f"{ID}/json", b"", size=b"-0000000001\0"))),
    "a negative size by pax": Case("header", with_first(pax(record("size", "-1")), member(f"{ID}/json"))),
    "a size with an eight in it": Case("header", with_first(member(f"{ID}/json", b"", size=b"00000000008\0"))),
    "a size with junk behind it": Case("header", with_first(member(f"{ID}/json", b"", size=b"0000000 junk"))),
    "no size at all": Case("header", with_first(member(f"{ID}/json", b"", size=bytes(12)))),
    "a size of 8 GB": Case("too-large", with_first(member(f"{ID}/json", b"", size=b"77777777777\0"))),
    "a link with a size": Case("header", with_first(member(f"{ID}/layer.tar", b"x" * 512, b"2", link=f"../{ID}.tar"))),
    "a pax target for a link": Case("header", linked(pax(record("linkpath", "/etc/shadow")))),
    "a GNU target for a link": Case("header", linked(long_name(b"/etc/shadow\0", b"K"))),
    "two pax headers for one file": Case(
        "header",
        manifest_with(pax(record("path", "manifest.json")), pax(record("path", "oci-layout")), name="x"),
    ),
    "a pax and a GNU name for one file": Case(
        "header",
        manifest_with(pax(record("path", "oci-layout")), long_name(b"manifest.json\0"), name="x"),
    ),
    "an empty pax path": Case("name", manifest_with(pax(record("path", "")))),
    "a pax path with a zero in it": Case("name", manifest_with(pax(record("path", b"manifest.json\0x")), name="x")),
    "a pax header in another character set": Case("header", manifest_with(pax(record("hdrcharset", "BINARY")))),
    "a pax header for all that follow": Case("header", with_first(pax(record("path", "manifest.json"), kind=b"g"))),
    "a sparse file by pax, version 0.1": Case(
        "header",
        with_first(pax(record("GNU.sparse.map", "0,1"), record("GNU.sparse.size", "1")), member(f"{ID}/json")),
    ),
    "a sparse file by pax, version 1.0": Case(
        "header",
        with_first(
            pax(
                record("GNU.sparse.major", "1"),
                record("GNU.sparse.minor", "0"),
                record("GNU.sparse.name", "manifest.json"),
            ),
            member("x"),
        ),
    ),
    "a vendor's kind of member": Case("header", with_first(member("x", b"", b"Z"))),
    "a contiguous file": Case("header", with_first(member(f"{ID}/json", b"", b"7"))),
    "a multi-volume member": Case("header", with_first(member(f"{ID}/json", b"", b"M"))),
    "a Solaris pax header": Case("header", with_first(member("pax", record("path", "x"), b"X"))),
    "an old header without a magic": Case("header", without_magic),
    "harmless pax records": Case(OK, manifest_with(pax(record("mtime", "1700000000.5"), record("uname", "root")))),
    "garbage in what fills a block": Case("padding", lambda: filled(b"\x90")),
    "a FIFO beside the files": Case("unexpected", with_first(member("pipe", b"", b"6"))),
    "a character device in a layer's place": Case("not-a-file", with_first(member(f"{ID}/layer.tar", b"", b"3"))),
    "a block device in a layer's place": Case("not-a-file", with_first(member(f"{ID}.tar", b"", b"4"))),
    "a link as manifest": Case(
        "not-a-file", lambda: member("manifest.json", b"", b"2", link="x.json") + without(["manifest.json"])
    ),
    "a link in the place of blobs": Case("unexpected", with_first(member("blobs", b"", b"2", link="/tmp"))),
    "a hard link as a blob": Case(
        "not-a-file", with_first(member(f"blobs/sha256/{ID}", b"", b"1", link="manifest.json"))
    ),
    "a link to itself": Case("not-a-file", with_first(member(f"{ID}/layer.tar", b"", b"2", link=f"../{ID}/layer.tar"))),
    "the same link twice": Case("duplicate", linked(member(f"{ID}/layer.tar", b"", b"2", link=f"../{ID}.tar"))),
}
