"""Images as engines save them, each in its own way: Docker 20.10, Docker since 25, Podman."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

CONFIG: Mapping[str, object] = {
    "User": "65532:65532",
    "Entrypoint": ["python3", "-m", "wizard.licensing.server"],
    "Env": ["PYTHONPATH=/app"],
    "Volumes": {"/app/config": {}},
    "Labels": {"somebody": "else"},
    "Healthcheck": {"Test": ["CMD", "true"]},
}


def a_tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
        for name, target in (links or {}).items():
            header = tarfile.TarInfo(name)
            header.type, header.linkname = tarfile.SYMTYPE, target
            tar.addfile(header)
    return buffer.getvalue()


LAYERS = (a_tar({"etc/os-release": b"ID=debian"}), a_tar({}), a_tar({"app/server.py": b"print()"}), a_tar({}))
"""Two of them are empty, and so the same, as BuildKit makes them of WORKDIR."""


@dataclass(frozen=True)
class Image:
    """What an engine saves."""

    layers: tuple[bytes, ...] = LAYERS
    diff_ids: tuple[str, ...] = ()
    """When they are not the right ones."""
    config: Mapping[str, object] = field(default_factory=lambda: CONFIG)
    system: str = "linux"

    def but(self, **changes: object) -> "Image":
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def digests(self) -> list[str]:
        return [hashlib.sha256(layer).hexdigest() for layer in self.layers]

    @property
    def described(self) -> bytes:
        diff_ids = self.diff_ids or [f"sha256:{digest}" for digest in self.digests]
        rootfs = {"type": "layers", "diff_ids": diff_ids}
        said = {"os": self.system, "architecture": "amd64", "config": self.config, "rootfs": rootfs}
        return json.dumps(said).encode()


def _manifest(config: str, layers: list[str]) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": None, "Layers": layers}]).encode()


def docker_20(image: Image) -> bytes:
    """A folder for each layer; what is the same is a link to the first."""
    config = f"{hashlib.sha256(image.described).hexdigest()}.json"
    names = [f"{number:064}/layer.tar" for number in range(len(image.layers))]
    first = dict(reversed(list(zip(image.digests, names, strict=True))))
    pairs = list(zip(names, image.digests, image.layers, strict=True))
    files = {name: layer for name, digest, layer in pairs if first[digest] == name}
    links = {name: f"../{first[digest]}" for name, digest, _ in pairs if first[digest] != name}
    return a_tar({**files, config: image.described, "manifest.json": _manifest(config, names)}, links)


def docker_25(image: Image, pack: Callable[[bytes], bytes] = bytes) -> bytes:
    """Blobs by their digests, with an index that is of no interest here."""
    packed = [pack(layer) for layer in image.layers]
    blobs = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in (*packed, image.described)}
    *_, config = blobs
    names = [f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}" for blob in packed]
    return a_tar({**blobs, "index.json": b"{}", "manifest.json": _manifest(config, names)})


def docker_containerd(image: Image) -> bytes:
    """The same with packed layers, as of an engine whose images lie in containerd's store."""
    return docker_25(image, pack=lambda layer: gzip.compress(layer, mtime=0))


def podman(image: Image) -> bytes:
    """Layers by their digests, and a folder for each with a link to it."""
    config = f"{hashlib.sha256(image.described).hexdigest()}.json"
    files = {f"{digest}.tar": layer for digest, layer in zip(image.digests, image.layers, strict=True)}
    links = {f"{number:064}/layer.tar": f"../{digest}.tar" for number, digest in enumerate(image.digests)}
    names = [f"{digest}.tar" for digest in image.digests]
    return a_tar({**files, config: image.described, "manifest.json": _manifest(config, names)}, links)


def podman_links(image: Image) -> bytes:
    """As Podman, but with manifest.json naming the links."""
    config = f"{hashlib.sha256(image.described).hexdigest()}.json"
    files = {f"{digest}.tar": layer for digest, layer in zip(image.digests, image.layers, strict=True)}
    links = {f"{number:064}/layer.tar": f"../{digest}.tar" for number, digest in enumerate(image.digests)}
    return a_tar({**files, config: image.described, "manifest.json": _manifest(config, list(links))}, links)


ENGINES: tuple[Callable[[Image], bytes], ...] = (docker_20, docker_25, docker_containerd, podman, podman_links)


def save(folder: Path, content: bytes) -> Path:
    path = folder / "built.tar"
    path.write_bytes(content)
    return path
