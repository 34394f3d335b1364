"""A licence image as `docker save` writes it since Docker 25: an OCI layout that has a manifest.json as well.

The same base, claims and time make the same bytes. Nothing is held in memory but the small parts: the archive knows its
size at once, and is written in pieces.
"""

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wizard.licensing.files import replacing
from wizard.licensing.protocol.claims import (
    CLAIMS_LABEL,
    CLAIMS_PATH,
    REPOSITORY,
    Claims,
    canonical_json,
    layers_digest,
    settings_digest,
)
from wizard.licensing.vendor.layers import Base, Layer, entry, one_file

ARCHIVE = f"{REPOSITORY}.tar"
TAG = "1.0.0"
LABELS = {"org.opencontainers.image.title": REPOSITORY, "org.opencontainers.image.version": TAG}

PIECE = 1 << 20
_BLOCK = 512
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class Member:
    """One file of an archive, small ones held and large ones on the disk; a folder has neither."""

    name: str
    size: int = 0
    content: bytes = b""
    path: Path | None = None

    @property
    def blocks(self) -> int:
        """How many blocks of 512 bytes it takes, with its header."""
        return 1 + -(-self.size // _BLOCK)

    def pieces(self) -> Iterator[bytes]:
        folder = self.name.endswith("/")
        header = entry(self.name.rstrip("/"), size=self.size, folder=folder, mode=0o755 if folder else 0o644)
        yield header.tobuf(tarfile.USTAR_FORMAT)
        if self.path is None:
            yield self.content
        else:
            yield from _read(self.path)
        yield bytes(-self.size % _BLOCK)


@dataclass(frozen=True)
class Archive:
    """The file that is mailed to a customer, not yet written. `size` in bytes."""

    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        return sum(member.blocks for member in self.members) * _BLOCK + 2 * _BLOCK

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, in pieces of at most a mebibyte."""
        for member in self.members:
            yield from member.pieces()
        yield bytes(2 * _BLOCK)

    def write(self, path: Path) -> None:
        """Write it to a file, which appears when it is whole."""
        with replacing(path) as file:
            for piece in self.pieces():
                file.write(piece)


def personalize(base: Base, claims: Claims, envelope: bytes) -> Archive:
    """The image for one licence: the base, one small layer, and a label with the signed claims."""
    layers = (*base.layers, one_file(CLAIMS_PATH, envelope))
    config = canonical_json(_config(base, layers, claims, envelope))
    manifest = canonical_json(_manifest(layers, config))
    blobs = {layer.diff_id: _member(layer) for layer in layers}
    blobs |= {_digest(content): _held(_blob(_digest(content)), content) for content in (config, manifest)}
    return Archive(
        (
            Member("blobs/"),
            Member("blobs/sha256/"),
            *(blobs[digest] for digest in sorted(blobs)),
            _held("index.json", canonical_json(_index(manifest))),
            _held("manifest.json", canonical_json(_engine_manifest(layers, config))),
            _held("oci-layout", canonical_json({"imageLayoutVersion": "1.0.0"})),
        )
    )


def layers_of(base: Base) -> str:
    """The claim about the base layers."""
    return layers_digest([layer.diff_id for layer in base.layers])


def settings_of(base: Base) -> str:
    """The claim about how the image runs."""
    return settings_digest(_runs(base))


def _runs(base: Base, **labels: str) -> dict[str, object]:
    """`config` in the image's configuration, with those labels besides the usual ones."""
    return {**base.config, "Labels": {**LABELS, **labels}}


def _config(base: Base, layers: Sequence[Layer], claims: Claims, envelope: bytes) -> dict[str, object]:
    """The image's configuration (OCI image specification)."""
    made_by = [*(base.origin for _ in base.layers), "the licence"]
    return {
        "architecture": claims.architecture,
        "os": "linux",
        "created": claims.issued,
        "config": _runs(base, **{CLAIMS_LABEL: envelope.decode()}),
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": claims.issued, "created_by": made} for made in made_by],
    }


def _manifest(layers: Sequence[Layer], config: bytes) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _descriptor(f"{_OCI}.config.v1+json", _digest(config), len(config)),
        "layers": [_described(layer) for layer in layers],
    }


def _index(manifest: bytes) -> dict[str, object]:
    described = _descriptor(f"{_OCI}.manifest.v1+json", _digest(manifest), len(manifest))
    annotations = {
        "io.containerd.image.name": f"docker.io/library/{REPOSITORY}:{TAG}",
        "org.opencontainers.image.ref.name": TAG,
    }
    return {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.index.v1+json",
        "manifests": [described | {"annotations": annotations}],
    }


def _engine_manifest(layers: Sequence[Layer], config: bytes) -> list[dict[str, object]]:
    """What engines without an OCI image store read."""
    return [
        {
            "Config": _blob(_digest(config)),
            "RepoTags": [f"{REPOSITORY}:{TAG}"],
            "Layers": [_blob(layer.diff_id) for layer in layers],
            "LayerSources": {layer.diff_id: _described(layer) for layer in layers},
        }
    ]


def _described(layer: Layer) -> dict[str, object]:
    return _descriptor(f"{_OCI}.layer.v1.tar", layer.diff_id, layer.size)


def _member(layer: Layer) -> Member:
    return Member(_blob(layer.diff_id), size=layer.size, content=layer.content, path=layer.path)


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _held(name: str, content: bytes) -> Member:
    return Member(name, size=len(content), content=content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
