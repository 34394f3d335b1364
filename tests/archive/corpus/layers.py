"""What is in a layer: engines unpack it as root."""

import bz2
import gzip
import lzma
import struct
from functools import partial

from tests.archive.broken import long_name
from tests.archive.build import END, GOOD
from tests.archive.corpus.forms import blocks, layer, member, pax, record, skippable, upon, zstd, zstd_window
from tests.archive.corpus.making import Case, good, layered, of, upon_layers

LINK = partial(member, kind=b"2")
NET_RAW = struct.pack("<5I", 0x0200_0001, 1 << 13, 0, 0, 0)
"""What `setcap cap_net_raw=ep` writes (capabilities(7), linux/capability.h)."""

LAYERS: dict[str, Case] = {
    "a layer as Debian has it": good(
        upon(
            member("usr/", b"", b"5"),
            LINK("bin", link="usr/bin"),
            LINK("etc", link="/usr/etc"),
            member("usr/su", b"x", mode=b"0004755"),
            member("usr/su2", b"", b"1", link="usr/su"),
        )
    ),
    "a file written through a link": Case("layer-link", layered(LINK("x", link="/etc"), member("x/passwd", b"root"))),
    "a file written through a link that goes up": Case(
        "layer-link",
        layered(LINK("app/x", link="../../.."), member("app/x/passwd", b"root")),
    ),
    "a file written through a link under another spelling": Case(
        "layer-link",
        layered(LINK("./x", link="/etc"), member("x/passwd")),
    ),
    "a file written through a link of a lower layer": Case(
        "layer-link",
        upon_layers(layer(LINK("x", link="/etc")), layer(member("x/passwd"))),
    ),
    "a link of a lower layer replaced by a folder": good(
        GOOD.but(base=(layer(LINK("x", link="/etc")), layer(member("x/", b"", b"5"), member("x/passwd"))))
    ),
    "a folder in the place of a link, and a file in it": Case(
        "layer-duplicate",
        layered(LINK("x", link="/etc"), member("x/", b"", b"5"), member("x/passwd")),
    ),
    "a link in the place of a folder that has files": Case(
        "layer-duplicate",
        layered(member("x/passwd"), LINK("x", link="/etc")),
    ),
    "a hard link to itself": Case("layer-link", layered(member("x", b"", b"1", link="x"))),
    "a hard link to a folder": Case("layer-link", layered(member("x/", b"", b"5"), member("y", b"", b"1", link="x"))),
    "a link with content in a layer": Case("layer-tar", layered(member("x", b"y" * 512, b"2", link="z"))),
    "the extended header of nothing in a layer": Case("layer-tar", layered(member("x"), pax(record("path", "y")))),
    "a file written through a file": Case("layer-link", layered(member("x"), member("x/passwd"))),
    "a hard link outwards": Case("layer-escaping", layered(member("x", b"", b"1", link="../../etc/shadow"))),
    "a hard link from the root": Case("layer-escaping", layered(member("x", b"", b"1", link="/etc/shadow"))),
    "a hard link to nothing": Case("layer-link", layered(member("x", b"", b"1", link="app/none"))),
    "a hard link through a link": Case(
        "layer-link",
        layered(LINK("x", link="/etc"), member("y", b"", b"1", link="x/shadow")),
    ),
    "a hard link to a link": good(upon(LINK("x", link="usr"), member("y", b"", b"1", link="x"))),
    "a path up and out of a layer": Case("layer-escaping", layered(member("../etc/cron.d/x"))),
    "a path up and out of a layer by pax": Case(
        "layer-escaping", layered(pax(record("path", "a/../../x")), member("x"))
    ),
    "a path from the root in a layer": Case("layer-escaping", layered(member("/etc/passwd"))),
    "a path with an empty part in a layer": Case("layer-tar", layered(member("etc//passwd"))),
    "a path twice in a layer": Case("layer-duplicate", layered(member("etc/x"), member("etc/x"))),
    "a path twice in a layer, spelled otherwise": Case("layer-duplicate", layered(member("etc/x"), member("./etc/x"))),
    "a folder twice in a layer": Case("layer-duplicate", layered(member("etc/", b"", b"5"), member("etc/", b"", b"5"))),
    "a character device": Case("layer-device", layered(member("dev/sda", b"", b"3"))),
    "a block device": Case("layer-device", layered(member("dev/sda", b"", b"4"))),
    "a FIFO in a layer": Case("layer-device", layered(member("app/pipe", b"", b"6"))),
    "a whiteout as overlay writes it": Case("layer-device", layered(member("etc/x", b"", b"3"))),
    "a whiteout": good(upon(member("etc/.wh.motd"))),
    "a folder made opaque": good(upon(member("etc/", b"", b"5"), member("etc/.wh..wh..opq"))),
    "a whiteout of nothing": Case("layer-whiteout", layered(member("etc/.wh."))),
    "a whiteout of the folder above": Case("layer-whiteout", layered(member("etc/.wh..."))),
    "a whiteout of this folder": Case("layer-whiteout", layered(member("etc/.wh.."))),
    "a whiteout of another kind": Case("layer-whiteout", layered(member("etc/.wh..wh.aufs"))),
    "a whiteout that is a link": Case("layer-whiteout", layered(LINK("etc/.wh.x", link="/etc"))),
    "a whiteout that is a folder": Case(
        "layer-whiteout", layered(member("etc/.wh.x/", b"", b"5"), member("etc/.wh.x/y"))
    ),
    "a whiteout with something in it": Case("layer-whiteout", layered(member("etc/.wh.x", b"content"))),
    "a whiteout and the file itself": Case("layer-whiteout", layered(member("etc/x"), member("etc/.wh.x"))),
    "a whiteout of what is kept": Case("layer-whiteout", layered(member("app/.wh.config"))),
    "a whiteout of the application": Case("layer-whiteout", layered(member(".wh.app"))),
    "an opaque root": Case("layer-whiteout", layered(member(".wh..wh..opq"))),
    "overlay's own attributes": Case(
        "layer-tar",
        layered(pax(record("SCHILY.xattr.trusted.overlay.redirect", "/etc")), member("x/", b"", b"5")),
    ),
    "a capability": good(upon(pax(record("SCHILY.xattr.security.capability", NET_RAW)), member("ping"))),
    "a sparse file in a layer": Case("layer-tar", layered(member("x", b"", b"S"))),
    "a sparse file by pax in a layer": Case("layer-tar", layered(pax(record("GNU.sparse.major", "1")), member("x"))),
    "a header's checksum in a layer": Case(
        "layer-tar",
        upon_layers(b"B" + layer(member("x"))[1:]),
    ),
    "a layer cut off": Case("layer-tar", upon_layers(layer(member("x"))[:700])),
    "a layer without an end": Case("layer-tar", upon_layers(member("x"))),
    "a second tar in a layer": Case(
        "layer-tar",
        upon_layers(layer(member("x")) + layer(member("x"))),
    ),
    "bytes after the end of a layer": Case(
        "layer-tar",
        upon_layers(layer(member("x")) + b"x" * 512),
    ),
    "a layer that is no tar": Case("layer-tar", upon_layers(b"x" * 4096)),
    "an empty layer": good(GOOD.but(base=(END,))),
    "a layer of no bytes": Case("layer-tar", upon_layers(b"")),
    "a layer packed twice": Case("layer-tar", of(GOOD.but(pack=lambda it: gzip.compress(gzip.compress(it))))),
    "a long name in a layer, GNU and pax": good(
        upon(
            long_name(b"usr/" + b"x" * 200 + b"\0"),
            member("usr/x"),
            pax(record("path", "usr/" + "y" * 200)),
            member("usr/y"),
        )
    ),
    "a name in a layer that is no text": good(upon(member(b"usr/caf\xe9"))),
    "a long target in a layer": good(upon(pax(record("linkpath", "../" * 60)), LINK("usr/x", link="x"))),
    "a global header of a layer": Case("layer-tar", layered(pax(record("path", "etc/passwd"), kind=b"g"), member("x"))),
    "a zstd layer": good(GOOD.but(pack=zstd)),
    "an xz layer": good(GOOD.but(pack=lzma.compress)),
    "a bzip2 layer": Case("layer-compression", of(GOOD.but(pack=bz2.compress))),
    "a gzip layer of many members, as eStargz": good(GOOD.but(pack=lambda it: blocks(it, 10_000, gzip.compress))),
    "a zstd layer of many frames, as zstd:chunked": good(
        GOOD.but(pack=lambda it: blocks(it, 10_000, zstd) + skippable(bytes(64)))
    ),
    "bytes after a gzip layer": Case("layer-damaged", of(GOOD.but(pack=lambda it: gzip.compress(it) + b"more"))),
    "a zstd layer with a window of 128 MB": Case("packed-memory", of(GOOD.but(pack=lambda it: zstd_window(it, 27)))),
}
