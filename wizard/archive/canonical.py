"""The archive that is given to engines: written by us from a received one, which no engine ever sees.

One archive can load as different images in different engines, take over another image's name, or keep an engine busy
for ever. This one is an OCI image layout with a manifest.json beside it, as `docker save` writes it since Docker 25. It
holds one image under a name of ours, its layers as plain tar files, and its configuration unchanged, so that the image
id stays. Nothing in it is of the received archive's form: the same image gives the same bytes.

It goes by the digest of the list of what is in it: every other byte is ours, and follows from that. The list is known
before the archive is written, so that the layers, which are nearly all of it, are hashed once on the way.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, Protocol

from wizard.archive.blobs import BLOBS, Blob, Pieces, plain_layer
from wizard.archive.hashing import Meter
from wizard.archive.layout import Layout
from wizard.archive.limits import LARGEST_ARCHIVE, PIECE
from wizard.archive.tar import BLOCK, Source
from wizard.archive.verdicts import Refused
from wizard.domain.image import name_on_nodes
from wizard.licensing.protocol.claims import canonical_json

OCI = "application/vnd.oci.image"
END = bytes(2 * BLOCK)
FOLDERS = ("blobs/", BLOBS)
FILE, FOLDER = b"0", b"5"


class Listed(NamedTuple):
    """One member of the list: its size in bytes, its SHA-256 in lower-case hex."""

    name: str
    size: int
    digest: str


class Writable(Protocol):
    """As much of a binary file as is needed."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """An archive that can be written. Sizes in bytes, digests SHA-256 in lower-case hex."""

    members: Mapping[str, bytes | Blob]
    """The content of each, in order, or the layer of the received archive that it is."""
    manifest: str
    """The digest of the OCI manifest."""

    @property
    def size(self) -> int:
        return sum(BLOCK + _padded(_size(content)) for content in self.members.values()) + len(END)

    @property
    def digest(self) -> str:
        """Of the list of what is in it: the digest that the archive goes by, once it is written."""
        return _digest_of_list(
            Listed(name, _size(content), content.unpacked_digest if isinstance(content, Blob) else _digest(content))
            for name, content in self.members.items()
        )

    def write(self, received: BinaryIO, target: Writable) -> None:
        """Write it. Refused when a layer of the received archive is not what it was when checked."""
        for piece in self._pieces(received):
            target.write(piece)

    def _pieces(self, received: BinaryIO) -> Iterator[bytes]:
        for name, content in self.members.items():
            size = _size(content)
            yield header(name, size)
            if isinstance(content, Blob):
                yield from _layer(received, content)
            else:
                yield content
            yield bytes(_padded(size) - size)
        yield END


def canonical(layout: Layout) -> Canonical:
    """The archive of a checked image. Refused when it would be too large."""
    manifest = canonical_json(_manifest(layout))
    blobs: dict[str, bytes | Blob] = {BLOBS + layer.unpacked_digest: layer for layer in layout.layers}
    blobs |= {BLOBS + _digest(content): content for content in (layout.configuration, manifest)}
    members = dict.fromkeys(FOLDERS, b"") | blobs
    members |= {
        "index.json": canonical_json(_index(layout, manifest)),
        "manifest.json": canonical_json(_engine_manifest(layout)),
        "oci-layout": canonical_json({"imageLayoutVersion": "1.0.0"}),
    }
    archive = Canonical(members=dict(sorted(members.items())), manifest=_digest(manifest))
    if archive.size > LARGEST_ARCHIVE:
        raise Refused("too-large", limit=LARGEST_ARCHIVE >> 30)
    return archive


def digest_of(archive: BinaryIO) -> str | None:
    """The digest that an archive of ours goes by, read to its end; None when a byte of it is not as we write it."""
    source = Source(archive)
    members: list[Listed] = []
    with suppress(Refused, ValueError):  # it is too short, or has no numbers where some belong
        while (block := source.exactly(BLOCK)) != END[:BLOCK]:
            name, size = block[:100].rstrip(b"\0").decode(), int(block[124:135], 8)
            if size < 0 or block != header(name, size):
                return None
            meter = Meter()
            for piece in source.pieces(size):
                meter.add(piece)
            if any(source.exactly(_padded(size) - size)):
                return None
            members.append(Listed(name, size, meter.digest))
        if source.up_to(len(END)) == END[BLOCK:]:
            return _digest_of_list(members)
    return None


def header(name: str, size: int) -> bytes:
    """Of a member: POSIX ustar, without owner and time. A folder's name ends with a slash.

    Written here, since Python's tarfile has changed what it puts into the fields that are empty.
    """
    mode, kind = (b"0000755", FOLDER) if name.endswith("/") else (b"0000644", FILE)
    nobody = b"0000000"
    fields = (
        (name.encode(), 100),
        *((digits, 8) for digits in (mode, nobody, nobody)),
        (b"%011o" % size, 12),
        (b"%011o" % 0, 12),
        (b" " * 8, 8),
        (kind, 1),
        (b"", 100),
        (b"ustar\x0000", 88),
        (b"", 167),
    )
    blank = b"".join(content.ljust(length, b"\0") for content, length in fields)
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def _layer(received: BinaryIO, layer: Blob) -> Iterator[bytes]:
    """The layer, unpacked. Refused in the middle or at its end when it is not what was checked."""
    received.seek(layer.offset)
    stored = Pieces(Source(received).pieces(layer.size))
    plain = plain_layer(stored, layer.name) if layer.is_packed else stored
    meter = Meter()
    try:
        while piece := plain.read(PIECE):
            meter.add(piece)
            if meter.size > layer.unpacked_size:
                break
            yield piece
    except Refused:
        raise Refused("changed") from None
    if (meter.size, meter.digest) != (layer.unpacked_size, layer.unpacked_digest):
        raise Refused("changed")


def _manifest(layout: Layout) -> Mapping[str, object]:
    config = layout.configuration
    return {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _descriptor("config.v1+json", _digest(config), len(config)),
        "layers": [_descriptor("layer.v1.tar", it.unpacked_digest, it.unpacked_size) for it in layout.layers],
    }


def _index(layout: Layout, manifest: bytes) -> Mapping[str, object]:
    name = name_on_nodes(layout.image_id)
    annotations = {
        "io.containerd.image.name": f"docker.io/library/{name}",
        "org.opencontainers.image.ref.name": name.partition(":")[2],
    }
    described = _descriptor("manifest.v1+json", _digest(manifest), len(manifest))
    return {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.index.v1+json",
        "manifests": [described | {"annotations": annotations}],
    }


def _engine_manifest(layout: Layout) -> list[Mapping[str, object]]:
    """What engines without an OCI image store read."""
    return [
        {
            "Config": BLOBS + layout.image_id,
            "RepoTags": [name_on_nodes(layout.image_id)],
            "Layers": [BLOBS + layer.unpacked_digest for layer in layout.layers],
        }
    ]


def _descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{digest}", "size": size}


def _digest_of_list(members: Iterable[Listed]) -> str:
    return _digest(canonical_json([list(member) for member in members]))


def _size(content: bytes | Blob) -> int:
    return content.unpacked_size if isinstance(content, Blob) else len(content)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
