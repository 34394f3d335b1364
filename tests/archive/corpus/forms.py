"""Forms beside those of build.py: members of any kind, images that say more, and how other tools write an archive."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from backports import zstd as library

from tests.archive.build import BLOCK, GOOD, Files, Recipe, checked, descriptor, digest, modern, to_json
from wizard.licensing.protocol.claims import REPOSITORY

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
NAMED = {"org.opencontainers.image.ref.name": f"{REPOSITORY}:1.0.0"}
BY_CONTAINERD = {
    "io.containerd.image.name": f"docker.io/library/{REPOSITORY}:1.0.0",
    "org.opencontainers.image.ref.name": "1.0.0",
}
MANIFEST, INDEX = f"{OCI}.manifest.v1+json", f"{OCI}.index.v1+json"
DOCKERS_MANIFEST = f"{DOCKER}.distribution.manifest.v2+json"
SKIPPABLE = b"\x50\x2a\x4d\x18"
"""A zstd frame begins so that readers leave out (RFC 8878, 3.1.2)."""


@dataclass(frozen=True, kw_only=True)
class Configured(Recipe):
    """A licence image whose configuration says more, or otherwise."""

    says: Mapping[str, object] = field(default_factory=dict)
    """What the configuration says beside what runs."""
    rewritten: Callable[[bytes], bytes] = bytes
    """The configuration at last, as text."""

    @property
    def config(self) -> bytes:
        return self.rewritten(to_json(json.loads(super().config) | dict(self.says)))


def member(
    name: str | bytes,
    content: bytes = b"",
    kind: bytes = b"0",
    *,
    link: str | bytes = b"",
    size: bytes | None = None,
    mode: bytes = b"0000644",
    magic: bytes = b"ustar\x0000",
    fill: bytes = b"\0",
) -> bytes:
    """A member of any form; `size` as it stands in the header, `fill` what fills the last block."""
    raw, target = (it.encode() if isinstance(it, str) else it for it in (name, link))
    block = bytearray(512)
    block[: len(raw[:100])] = raw[:100]
    block[100:108], block[108:116], block[116:124] = mode + b"\0", b"0000000\0", b"0000000\0"
    block[124:136], block[136:148] = size or b"%011o\0" % len(content), b"00000000000\0"
    block[156:157], block[257:265] = kind, magic
    block[157 : 157 + len(target)] = target
    return checked(block) + content + fill * (-len(content) % 512)


def patched(entry: bytes, start: int, value: bytes) -> bytes:
    """A member with another value in its header, from that byte on; the checksum is right."""
    return checked(entry[:start] + value + entry[start + len(value) : BLOCK]) + entry[BLOCK:]


def record(key: str, value: str | bytes) -> bytes:
    """One record of a pax header. Its length counts itself (POSIX, pax)."""
    raw = value.encode() if isinstance(value, str) else value
    rest = b" %s=%s\n" % (key.encode(), raw)
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    return member("pax", b"".join(records), kind)


def layer(*members: bytes) -> bytes:
    return b"".join(members) + bytes(1024)


def upon(*members: bytes, recipe: Recipe = GOOD) -> Recipe:
    """A licence that was issued, rightly signed, upon a base with such members."""
    return recipe.but(base=(layer(*members),))


def blobs(*contents: bytes) -> Files:
    return {f"blobs/sha256/{digest(content)}": content for content in contents}


def manifest(recipe: Recipe, *, docker: bool = False, **changes: object) -> bytes:
    """An image manifest with media types, as all but the vendor write it; or Docker's own."""
    kind, config_kind, layer_kind = (
        (DOCKERS_MANIFEST, f"{DOCKER}.container.image.v1+json", f"{DOCKER}.image.rootfs.diff.tar.gzip")
        if docker
        else (MANIFEST, f"{OCI}.config.v1+json", f"{OCI}.layer.v1.tar")
    )
    whole: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": descriptor(recipe.config, mediaType=config_kind),
        "layers": [descriptor(recipe.pack(it), mediaType=layer_kind) for it in recipe.layers],
    }
    return to_json(whole | changes)


def index(*manifests: Mapping[str, object]) -> bytes:
    return to_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def oci(recipe: Recipe = GOOD, names: Mapping[str, str] | None = NAMED, *, docker: bool = False) -> Files:
    """The files as podman, buildah and skopeo write an oci-archive: no manifest.json."""
    listed = manifest(recipe, docker=docker)
    notes = {"annotations": dict(names)} if names else {}
    kind = DOCKERS_MANIFEST if docker else MANIFEST
    return (
        {"blobs/": b"", "blobs/sha256/": b""}
        | blobs(recipe.config, listed, *(recipe.pack(it) for it in recipe.layers))
        | {
            "index.json": to_json({"schemaVersion": 2, "manifests": [descriptor(listed, mediaType=kind, **notes)]}),
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        }
    )


def containerds(recipe: Recipe = GOOD) -> Files:
    """As `ctr image export` does: an OCI layout, and a manifest.json that Docker reads."""
    return oci(recipe, BY_CONTAINERD) | {"manifest.json": modern(recipe)["manifest.json"]}


def attested(recipe: Recipe = GOOD) -> Files:
    """As Docker with containerd's store saves what BuildKit built: an index in the index, with notes on the build."""
    listed, statement = manifest(recipe), b'{"_type": "https://in-toto.io/Statement/v0.1", "predicate": {}}'
    unknown = {"architecture": "unknown", "os": "unknown"}
    notes_config = to_json(
        {**unknown, "config": {}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(statement)}"]}}
    )
    notes = to_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(notes_config, mediaType=f"{OCI}.config.v1+json"),
            "layers": [
                descriptor(
                    statement,
                    mediaType="application/vnd.in-toto+json",
                    annotations={"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
                )
            ],
        }
    )
    about = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": f"sha256:{digest(listed)}",
    }
    inner = index(
        descriptor(listed, mediaType=MANIFEST, platform={"architecture": "amd64", "os": "linux"}),
        descriptor(notes, mediaType=MANIFEST, platform=unknown, annotations=about),
    )
    outer = index(descriptor(inner, mediaType=INDEX, annotations=BY_CONTAINERD))
    return containerds(recipe) | blobs(statement, notes_config, notes, inner) | {"index.json": outer}


def zstd(content: bytes) -> bytes:
    return library.compress(content, 3)


def zstd_window(content: bytes, log: int) -> bytes:
    """One frame that needs a window of 2 to the power of `log` bytes."""
    packer = library.ZstdCompressor(options={library.CompressionParameter.window_log: log})
    return packer.compress(content) + packer.flush()


def skippable(content: bytes) -> bytes:
    """A zstd frame that readers leave out."""
    return SKIPPABLE + len(content).to_bytes(4, "little") + content


def blocks(content: bytes, size: int, pack: Callable[[bytes], bytes]) -> bytes:
    """Packed in streams of so many bytes each, one after another."""
    return b"".join(pack(content[at : at + size]) for at in range(0, len(content), size))
