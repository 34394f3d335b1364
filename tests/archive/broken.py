"""Archives that must be refused, each with the code of the verdict that it must get."""

import gzip
import json
from collections.abc import Callable
from typing import Any

from tests.archive.build import (
    BLOCK,
    END,
    GOOD,
    STRANGER,
    Files,
    checked,
    descriptor,
    digest,
    entry,
    header,
    legacy,
    modern,
    padded,
    tar,
    to_json,
)
from wizard.archive.limits import LARGEST_EXTENSION
from wizard.licensing.protocol.claims import CLAIMS_PATH

Make = Callable[[], bytes]
ID = "ab" * 32


def with_first(*entries: bytes) -> Make:
    """A good archive with other entries put before its own."""
    return lambda: b"".join(entries) + tar(modern())


def with_header(change: Callable[[bytearray], None]) -> Make:
    """A good archive whose first header was changed, and its checksum put right."""

    def make() -> bytes:
        whole = tar(modern())
        block = bytearray(whole[:BLOCK])
        change(block)
        return checked(block) + whole[BLOCK:]

    return make


def with_files(change: Callable[[Files], None], layout: Callable[[], Files] = modern) -> Make:
    """A good archive, some of its files changed."""

    def make() -> bytes:
        files = layout()
        change(files)
        return tar(files)

    return make


def with_manifest(change: Callable[[Any], Any], layout: Callable[[], Files] = modern) -> Make:
    """A good archive whose manifest.json was changed."""
    return with_json("manifest.json", change, layout)


def with_json(name: str, change: Callable[[Any], Any], layout: Callable[[], Files] = modern) -> Make:
    def edit(files: Files) -> None:
        files[name] = to_json(change(json.loads(files[name])))

    return with_files(edit, layout)


def with_bit_flipped(name: str) -> Make:
    def edit(files: Files) -> None:
        files[name] = bytes([files[name][0] ^ 1]) + files[name][1:]

    return with_files(edit)


def recipe(**changes: object) -> Make:
    return lambda: tar(modern(GOOD.but(**changes)))


def pax(*records: bytes) -> bytes:
    content = b"".join(records)
    return header(b"pax", len(content), b"x") + padded(content)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    return header(b"././@LongLink", len(name), kind) + padded(name)


def _set(start: int, value: bytes) -> Callable[[bytearray], None]:
    def change(block: bytearray) -> None:
        block[start : start + len(value)] = value

    return change


def _dropped(start: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        del files[next(name for name in files if name.startswith(start) and not name.endswith("/"))]

    return change


def _manifest_for_another_image(files: Files) -> None:
    other = modern(GOOD.but(claims={"company": "Another"}))
    files |= {name: content for name, content in other.items() if name.startswith("blobs/")}
    files["index.json"] = other["index.json"]


def _two_images_in_the_index(files: Files) -> None:
    index = json.loads(files["index.json"])
    files["index.json"] = to_json({"manifests": [*index["manifests"], descriptor(b"another")]})


def _last_layer(files: Files) -> str:
    return str(json.loads(files["manifest.json"])[0]["Layers"][-1])


def _other_layer(files: Files) -> None:
    files[_last_layer(files)] = tar({"app/": b""})


def _other_config(files: Files) -> None:
    name = next(name for name in files if name.endswith(".json") and len(name) == 69)
    files[name] += b" "


def _cut_gzip(content: bytes) -> bytes:
    return gzip.compress(content)[:-5]


NO_MEMBERS = END
FORGED = GOOD.envelope.replace(b'"registrations":3', b'"registrations":9')

BROKEN: dict[str, tuple[str, Make]] = {
    # The file
    "nothing": ("empty", lambda: b""),
    "a text": ("not-tar", lambda: b"Dear customer,\n" * 100),
    "a short text": ("not-tar", lambda: b"Hello"),
    "what begins like xz": ("packed-damaged", lambda: b"\xfd7zXZ\x00" + bytes(600)),
    "what begins like zstd": ("packed-damaged", lambda: b"\x28\xb5\x2f\xfd" + b"\xff" * 600),
    "half a header": ("truncated", lambda: tar(modern())[:300]),
    "cut in a file": ("truncated", lambda: tar(modern())[:5000]),
    "no end mark": ("truncated", lambda: tar(modern())[: -2 * BLOCK]),
    "half an end mark": ("truncated", lambda: tar(modern())[:-BLOCK]),
    "bytes after the end": ("trailing", lambda: tar(modern()) + b"more"),
    "a second archive after the end": ("trailing", lambda: tar(modern()) * 2),
    "an end mark that goes on": ("trailing", lambda: tar(modern())[:-BLOCK] + b"x" * BLOCK),
    # Headers
    "a wrong checksum": ("checksum", lambda: b"B" + tar(modern())[1:]),
    "a checksum in words": ("checksum", lambda: tar(modern())[:148] + b"seventy\0" + tar(modern())[156:]),
    "a size in words": ("header", with_header(_set(124, b"fifty-two\0\0\0"))),
    "a size in base 256": ("header", with_header(_set(124, b"\x80" + bytes(11)))),
    "a header of no known kind": ("not-tar", with_header(_set(257, bytes(8)))),
    "a sparse file": ("header", with_header(_set(156, b"S"))),
    "a global header": ("header", with_header(_set(156, b"g"))),
    "a folder with content": ("header", with_header(_set(124, b"00000001000\0"))),
    "more than a tar file should hold": ("too-many-members", lambda: entry("blobs/", b"", b"K") * 20_001),
    "a size of exabytes": ("too-large", with_first(pax(b"23 size=99999999999999\n"), entry(f"{ID}/json", b""))),
    # Extensions
    "a pax record too long": ("header", with_first(pax(b"99 path=x\n"))),
    "a pax record without a length": ("header", with_first(pax(b"path=x\n"))),
    "a pax record without a line end": ("header", with_first(pax(b"10 path=xx"))),
    "a pax key twice": ("header", with_first(pax(b"10 path=x\n", b"10 path=y\n"))),
    "a pax size in words": ("header", with_first(pax(b"12 size=ten\n"))),
    "a sparse file by pax": ("header", with_first(pax(b"22 GNU.sparse.major=1\n"))),
    "a pax header for nothing": ("header", lambda: pax(b"10 path=x\n") + END),
    "an endless pax header": ("name", with_first(header(b"pax", LARGEST_EXTENSION + 1, b"x"))),
    "an endless name": ("name", with_first(long_name(b"a" * 5000))),
    # Names
    "a path up and out": ("escaping", with_first(entry("../../etc/cron.d/x", b""))),
    "a path up and out by pax": ("escaping", with_first(pax(b"17 path=blobs/..\n"))),
    "a path from the root": ("escaping", with_first(entry("/etc/passwd", b""))),
    "a name that is no text": ("name", with_first(header(b"\xff\xfe", 0))),
    "a name with nothing in it": ("name", with_first(header(b"", 0))),
    "a name with an empty part": ("name", with_first(entry("blobs//x", b""))),
    "a name with a zero in it": ("name", with_first(long_name(b"manifest.json\0x"))),
    "the same file twice": ("duplicate", with_first(entry("manifest.json", b"[]"))),
    "the same file in two spellings": ("duplicate", with_first(entry("./manifest.json", b"[]"))),
    "a stranger among the files": ("unexpected", with_first(entry("autorun.inf", b""))),
    "a stranger among the folders": ("unexpected", with_first(entry("boot/", b"", b"5"))),
    "a symbolic link": ("not-a-file", with_first(entry(f"{ID}/layer.tar", b"", b"2", link=b"/etc/shadow"))),
    "a hard link": ("not-a-file", with_first(entry(f"{ID}/layer.tar", b"", b"1", link=b"manifest.json"))),
    "a FIFO": ("not-a-file", with_first(entry(f"{ID}/json", b"", b"6"))),
    "a device": ("not-a-file", with_first(entry("oci-layout", b"", b"3"))),
    # Contents
    "a blob that was changed": ("blob-digest", with_bit_flipped(f"blobs/sha256/{digest(GOOD.layers[0])}")),
    "too much to describe": (
        "too-much-metadata",
        lambda: with_first(*(entry(f"{digest(bytes([i]))}/json", b"[".ljust(4 << 20)) for i in range(5)))(),
    ),
    "no manifest": ("no-manifest", with_files(_dropped("manifest.json"))),
    "an archive of nothing": ("no-manifest", lambda: NO_MEMBERS),
    "a manifest of nothing": ("no-manifest", with_manifest(lambda _: [])),
    "an image of no layers": ("no-manifest", with_manifest(lambda m: [m[0] | {"Layers": []}])),
    "a manifest that is no JSON": ("description", with_files(lambda files: files.update({"manifest.json": b"<xml>"}))),
    "a manifest too large": (
        "description",
        with_files(lambda files: files.update({"manifest.json": b" " * (5 << 20)})),
    ),
    "a manifest nested without end": (
        "description",
        with_files(lambda files: files.update({"manifest.json": b"[" * 60_000})),
    ),
    "a manifest of another shape": ("description", with_manifest(lambda m: m[0])),
    "two images": ("two-images", with_manifest(lambda m: m * 2)),
    "two images in the index": ("two-images", with_files(_two_images_in_the_index)),
    "an image saved by its id": ("no-name", recipe(names=None)),
    "two names": ("two-names", recipe(names=["fanruan_license_server:1.0.0", "nginx:latest"])),
    "another repository": ("foreign-repository", recipe(names=["nginx:latest"])),
    "a repository of a registry": ("foreign-repository", recipe(names=["evil.example/fanruan_license_server:1"])),
    "a tag that is none": ("foreign-repository", recipe(names=["fanruan_license_server:../1"])),
    "another architecture": ("architecture", recipe(architecture="arm64")),
    "another system": ("architecture", recipe(os="windows")),
    "a missing layer": ("missing", with_files(_dropped(f"blobs/sha256/{digest(GOOD.layers[1])}"))),
    "a missing configuration": ("missing", with_files(_dropped(f"blobs/sha256/{digest(GOOD.config)}"))),
    "an index of another image": ("indexes-disagree", with_files(_manifest_for_another_image)),
    "an index of nothing": ("indexes-disagree", with_json("index.json", lambda index: {"manifests": []})),
    "another name in the old index": (
        "indexes-disagree",
        with_json("repositories", lambda _: {"nginx": {"latest": "x"}}, legacy),
    ),
    "a configuration that was changed": ("config-digest", with_files(_other_config, legacy)),
    "a layer too many": ("layer-count", with_manifest(lambda m: [m[0] | {"Layers": m[0]["Layers"] * 2}], legacy)),
    "a layer that was changed": ("layer-digest", with_files(_other_layer, legacy)),
    "a layer that begins like zstd": ("layer-damaged", recipe(pack=lambda layer: b"\x28\xb5\x2f\xfd" + layer)),
    "half a gzip layer": ("layer-damaged", recipe(pack=_cut_gzip)),
    "a layer that begins like gzip": ("layer-damaged", recipe(pack=lambda layer: b"\x1f\x8b" + layer)),
    # Claims
    "no claims": ("claims-missing", recipe(labelled=False)),
    "claims that are no envelope": ("claims-malformed", recipe(label=b"{}")),
    "claims for nobody": ("claims-malformed", recipe(claims={"registrations": 0})),
    "claims of a stranger": ("claims-unknown-key", recipe(signer=STRANGER)),
    "claims that were changed": ("claims-forged", recipe(label=FORGED, in_file=FORGED)),
    "claims for another architecture": ("claims-architecture", recipe(claims={"architecture": "arm64"})),
    "claims for another base": ("claims-layers", recipe(claims={"layers": "00" * 32})),
    "other claims in the file": ("top-layer", recipe(in_file=GOOD.but(claims={"company": "Another"}).envelope)),
    "a top layer with more in it": ("top-layer", recipe(extra={"app/server.py": b"evil"})),
    "a top layer with another folder": ("top-layer", recipe(extra={"etc/": b""})),
    "a top layer with a link": ("top-layer", recipe(top=entry(CLAIMS_PATH, b"", b"2", link=b"/tmp/x") + END)),
    "a top layer of nothing": ("top-layer", recipe(top=END)),
    "a top layer that is no tar": ("layer-tar", recipe(top=b"no tar")),
    "a top layer that is large": ("top-layer", recipe(top=bytes(100_000))),
    "a top layer that unpacks to much": (
        "top-layer",
        recipe(top=bytes(1 << 20), pack=gzip.compress),
    ),
}
