"""A licence image as `docker save` writes it since Docker 25: an OCI layout that has a manifest.json as well.

The same base, claims and time make the same bytes. Nothing is held in memory but the small parts: the archive knows its
size at once, and is written in pieces.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wizard.licensing.files import replacing
from wizard.licensing.protocol.claims import (
    CLAIMS_LABEL,
    CLAIMS_PATH,
    REPOSITORY,
    Claims,
    canonical_json,
    layers_digest,
)
from wizard.licensing.vendor.base import USER, Base, entry
from wizard.licensing.vendor.machine import LIBRARIES, PYTHON

ARCHIVE = f"{REPOSITORY}.tar"
TAG = "1.0.0"
PORT = 18081
"""The port inside the container (R4)."""

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
    layer = _personal_layer(envelope)
    config = canonical_json(_config(base, claims, envelope, _digest(layer)))
    manifest = canonical_json(_manifest(base, layer, config))
    blobs = [Member(_blob(base.diff_id), size=base.size, path=base.path)]
    blobs += [_held(_blob(_digest(content)), content) for content in (layer, config, manifest)]
    return Archive(
        (
            Member("blobs/"),
            Member("blobs/sha256/"),
            *sorted(blobs, key=lambda member: member.name),
            _held("index.json", canonical_json(_index(manifest))),
            _held("manifest.json", canonical_json(_engine_manifest(base, layer, config))),
            _held("oci-layout", canonical_json({"imageLayoutVersion": "1.0.0"})),
        )
    )


def layers_of(base: Base) -> str:
    """The claim about the base layers."""
    return layers_digest([base.diff_id])


def _personal_layer(envelope: bytes) -> bytes:
    """The claims and the folders above them, and nothing else."""
    place = PurePosixPath(CLAIMS_PATH)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as layer:
        for folder in reversed(place.parents[:-1]):
            layer.addfile(entry(folder, mode=0o755, folder=True))
        layer.addfile(entry(place, size=len(envelope)), io.BytesIO(envelope))
    return file.getvalue()


def _config(base: Base, claims: Claims, envelope: bytes, personal: str) -> dict[str, object]:
    """The image's configuration (OCI image specification).

    The command is for whoever starts it by hand; the wizard gives the published address instead. No `Volumes`: an
    anonymous one is a reinstallation (R13).
    """
    return {
        "architecture": claims.architecture,
        "os": "linux",
        "created": claims.issued,
        "config": {
            "User": f"{USER}:{USER}",
            "WorkingDir": "/app",
            "Entrypoint": [str(PYTHON), "-m", "wizard.licensing.server"],
            "Cmd": ["--address", "127.0.0.1", "--listen", "0.0.0.0"],  # noqa: S104 - all interfaces of the container
            "Env": [
                f"PATH={PYTHON.parent}",
                f"LD_LIBRARY_PATH=/{LIBRARIES}",
                "LANG=C.UTF-8",
                "PYTHONPATH=/app",
                "PYTHONUNBUFFERED=1",
                "PYTHONDONTWRITEBYTECODE=1",
            ],
            "ExposedPorts": {f"{PORT}/tcp": {}},
            "Labels": {
                CLAIMS_LABEL: envelope.decode(),
                "org.opencontainers.image.title": REPOSITORY,
                "org.opencontainers.image.version": TAG,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [base.diff_id, personal]},
        "history": [
            {"created": claims.issued, "created_by": "the common base"},
            {"created": claims.issued, "created_by": "the licence"},
        ],
    }


def _manifest(base: Base, layer: bytes, config: bytes) -> dict[str, object]:
    kind = f"{_OCI}.layer.v1.tar"
    return {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _descriptor(f"{_OCI}.config.v1+json", _digest(config), len(config)),
        "layers": [_descriptor(kind, base.diff_id, base.size), _descriptor(kind, _digest(layer), len(layer))],
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


def _engine_manifest(base: Base, layer: bytes, config: bytes) -> list[dict[str, object]]:
    """What engines without an OCI image store read."""
    kind = f"{_OCI}.layer.v1.tar"
    layers = {base.diff_id: base.size, _digest(layer): len(layer)}
    return [
        {
            "Config": _blob(_digest(config)),
            "RepoTags": [f"{REPOSITORY}:{TAG}"],
            "Layers": [_blob(digest) for digest in layers],
            "LayerSources": {digest: _descriptor(kind, digest, size) for digest, size in layers.items()},
        }
    ]


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
