"""Licence image archives, made by code: whole ones in the two layouts of `docker save`, byte by byte."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wizard.licensing.protocol.claims import (
    CLAIMS_LABEL,
    CLAIMS_PATH,
    REPOSITORY,
    Claims,
    key_id,
    layers_digest,
    settings_digest,
    sign_claims,
)

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
VENDOR_KEYS = {key_id(SIGNER.public_key()): SIGNER.public_key()}

Files = dict[str, bytes]
"""The files of an archive, by name, in order; a name that ends with a slash is a folder, one with an @ is a link."""
BLOCK = 512
END = bytes(2 * BLOCK)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % BLOCK)


def header(name: bytes, size: int, kind: bytes = b"0", *, link: bytes = b"", magic: bytes = b"ustar\x0000") -> bytes:
    """A tar header; the name goes into the first 100 bytes."""
    block = bytearray(BLOCK)
    block[0 : len(name[:100])] = name[:100]
    block[100:108], block[108:116], block[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    block[124:136], block[136:148] = b"%011o\0" % size, b"00000000000\0"
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = magic
    return checked(block)


def checked(block: bytes | bytearray) -> bytes:
    """The header with its checksum put right."""
    blank = bytearray(block)
    blank[148:156] = b" " * 8
    blank[148:156] = b"%06o\0 " % sum(blank)
    return bytes(blank)


def entry(name: str, content: bytes, kind: bytes = b"0", *, link: bytes = b"") -> bytes:
    return header(name.encode(), len(content), kind, link=link) + padded(content)


def tar(files: Files) -> bytes:
    return b"".join(_member(name, content) for name, content in files.items()) + END


def _member(name: str, content: bytes) -> bytes:
    if name.endswith("@"):
        return entry(name[:-1], b"", b"2", link=content)
    return entry(name, content, b"5" if name.endswith("/") else b"0")


def to_json(document: object) -> bytes:
    return json.dumps(document).encode()


CLAIMS_FILES: Files = {"app/": b"", "app/license/": b""}
BASE = (
    tar({"etc/": b"", "etc/os-release": b"ID=debian\n"}),
    tar({"app/": b"", "app/server.py": b"print()\n" * 20_000}),
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What goes into an archive. As it stands: a licence image as the vendor issues it."""

    base: tuple[bytes, ...] = BASE
    names: Sequence[str] | None = (f"{REPOSITORY}:1.0.0",)
    architecture: str = "amd64"
    os: str = "linux"
    signer: Ed25519PrivateKey = SIGNER
    runs: Mapping[str, object] = field(default_factory=dict)
    """What `config` in the configuration says beside the label; it is signed."""
    claims: Mapping[str, object] = field(default_factory=dict)
    """Claims that differ from the right ones."""
    label: bytes | None = None
    """The label, when it is not the envelope."""
    extra: Mapping[str, bytes] = field(default_factory=dict)
    """What is in the top layer beside the claims."""
    in_file: bytes | None = None
    """The claims file, when it is not the envelope."""
    top: bytes | None = None
    """The top layer, when it is not made from the above."""
    labelled: bool = True
    pack: Callable[[bytes], bytes] = bytes
    """How a layer is compressed."""

    def but(self, **changes: object) -> "Recipe":
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def envelope(self) -> bytes:
        claims: dict[str, object] = {
            "licence": "0123456789abcdef",
            "company": "Tiān Xià 天下 Ltd.",
            "project": "Decision Platform",
            "registrations": 3,
            "architecture": "amd64",
            "layers": layers_digest(f"sha256:{digest(layer)}" for layer in self.base),
            "settings": settings_digest(self.runs),
            "supersedes": None,
            "issued": "2026-11-24T05:00:00Z",
            "kid": key_id(self.signer.public_key()),
            "activation": "http://127.0.0.1:8001",
            "vendor_key": "ab" * 32,
        }
        return sign_claims(Claims(**(claims | dict(self.claims))), self.signer)  # type: ignore[arg-type]

    @property
    def layers(self) -> tuple[bytes, ...]:
        """Unpacked, the claims' own last."""
        content = self.envelope if self.in_file is None else self.in_file
        return (*self.base, self.top or tar(CLAIMS_FILES | {CLAIMS_PATH: content} | dict(self.extra)))

    @property
    def config(self) -> bytes:
        label = self.envelope if self.label is None else self.label
        return to_json(
            {
                "architecture": self.architecture,
                "os": self.os,
                "config": {"Labels": {CLAIMS_LABEL: label.decode()} if self.labelled else None} | dict(self.runs),
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(layer)}" for layer in self.layers]},
            }
        )


GOOD = Recipe()


def modern(recipe: Recipe = GOOD) -> Files:
    """The files as docker 25 and later saves them."""
    layers = [recipe.pack(layer) for layer in recipe.layers]
    manifest = to_json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": f"sha256:{digest(recipe.config)}", "size": len(recipe.config)},
            "layers": [{"digest": f"sha256:{digest(layer)}", "size": len(layer)} for layer in layers],
        }
    )
    return (
        {"blobs/": b"", "blobs/sha256/": b""}
        | {_blob(content): content for content in (recipe.config, manifest, *layers)}
        | {
            "index.json": to_json({"schemaVersion": 2, "manifests": [descriptor(manifest)]}),
            "manifest.json": to_json([_entry(recipe, _blob(recipe.config), [_blob(layer) for layer in layers])]),
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        }
    )


def legacy(recipe: Recipe = GOOD) -> Files:
    """The files as docker 20.10 saves them: a folder for each layer."""
    layers = {digest(b"v1" + layer): recipe.pack(layer) for layer in recipe.layers}
    files: Files = {}
    for id, layer in layers.items():
        files |= {f"{id}/": b"", f"{id}/VERSION": b"1.0", f"{id}/json": b"{}", f"{id}/layer.tar": layer}
    return files | {
        f"{digest(recipe.config)}.json": recipe.config,
        "manifest.json": to_json(
            [_entry(recipe, f"{digest(recipe.config)}.json", [f"{id}/layer.tar" for id in layers])]
        ),
        "repositories": to_json({REPOSITORY: {"1.0.0": list(layers)[-1]}}),
    }


def podmans(recipe: Recipe = GOOD) -> Files:
    """The files as Podman saves them (docker-archive): a file for each layer, with links to them for old readers."""
    layers = {digest(layer): recipe.pack(layer) for layer in recipe.layers}
    files: Files = {f"{name}.tar": layer for name, layer in layers.items()}
    files[f"{digest(recipe.config)}.json"] = recipe.config
    for name in layers:
        id = digest(b"v1" + name.encode())
        files |= {
            f"{id}/": b"",
            f"{id}/VERSION": b"1.0",
            f"{id}/json": b"{}",
            f"{id}/layer.tar@": f"../{name}.tar".encode(),
        }
    named = recipe.but(names=[f"localhost/{name}" for name in recipe.names or ()] or None)
    entries = [_entry(named, f"{digest(recipe.config)}.json", [f"{name}.tar" for name in layers])]
    return files | {
        "repositories": to_json({f"localhost/{REPOSITORY}": {"1.0.0": "top"}}),
        "manifest.json": to_json(entries),
    }


def descriptor(content: bytes, **more: object) -> dict[str, object]:
    return {"digest": f"sha256:{digest(content)}", "size": len(content), **more}


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{digest(content)}"


def _entry(recipe: Recipe, config: str, layers: Sequence[str]) -> dict[str, object]:
    return {"Config": config, "RepoTags": recipe.names, "Layers": list(layers)}
