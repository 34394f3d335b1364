"""Reads an image that an engine built, as `docker save` or `podman save` writes it.

It comes from the vendor's own engine, so it is trusted more than an upload is (wizard.archive), but every layer is
compared with its digest. In all layouts (Docker 20.10, Docker since 25, Podman) manifest.json leads to the layers; they
differ in where these lie, and whether they are links or packed.
"""

import gzip
import hashlib
import json
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO

from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.layers import Base, Layer, ensure_taken, write_layer

ORIGIN = "an image built from the Dockerfile"
_TAKEN_OVER = ("User", "WorkingDir", "Entrypoint", "Cmd", "Env", "ExposedPorts", "StopSignal")
"""What is kept of a configuration. No labels, which are the licence's; no volumes, which would be anonymous (R13); no
probe within the container: the wizard asks from outside."""
_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20


@dataclass(frozen=True)
class Built:
    """The one image of an open archive. `digest` is its configuration's, in hex."""

    digest: str
    architecture: str
    config: Mapping[str, object]
    _tar: tarfile.TarFile
    _layers: Sequence[tuple[str, str]]
    """The name in the archive, and the diff id, of each."""

    def unpack(self, folder: Path) -> Base:
        """Write its layers into the folder."""
        layers = tuple(self._unpack(folder, *layer) for layer in self._layers)
        return Base(layers, self.architecture, self.config, ORIGIN)

    def _unpack(self, folder: Path, name: str, diff_id: str) -> Layer:
        with _plain(_file(self._tar, name)) as source:
            layer = write_layer(folder, partial(shutil.copyfileobj, source, length=_PIECE))
        if layer.diff_id != diff_id:
            raise _unusable(f"its layer {name} is not the one that its configuration names")
        ensure_taken(layer)
        return layer


@contextmanager
def opened(archive: Path) -> Iterator[Built]:
    """The image in that file. VendorError when there is not exactly one, or it is not fit to issue images upon."""
    try:
        with tarfile.open(archive) as tar:
            yield _read(tar)
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise _unusable(f"it cannot be read ({error})") from error


def _read(tar: tarfile.TarFile) -> Built:
    entries = _json(tar, "manifest.json")
    if not isinstance(entries, list) or len(entries) != 1:
        raise _unusable("it does not hold one image, but another number of them")
    try:
        [entry] = entries
        content = _file(tar, entry["Config"]).read()
        image = json.loads(content)
        layers = list(zip(entry["Layers"], image["rootfs"]["diff_ids"], strict=True))
        system, architecture, config = image["os"], image["architecture"], image.get("config") or {}
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable("what it says of itself cannot be read") from error
    if system != "linux":
        raise _unusable(f"it is made for {system}")
    _check(config)
    kept = {name: config[name] for name in _TAKEN_OVER if config.get(name)}
    return Built(hashlib.sha256(content).hexdigest(), architecture, kept, tar, layers)


def _check(config: Mapping[str, Any]) -> None:
    """What every image that is handed out must be (R2): started by itself, and never as root."""
    if re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", config.get("User") or "") is None:
        raise _unusable("it does not run as a user by number, other than root")
    if not config.get("Entrypoint"):
        raise _unusable("it does not say what to start")


def _json(tar: tarfile.TarFile, name: str) -> object:
    try:
        return json.loads(_file(tar, name).read())
    except ValueError as error:
        raise _unusable(f"its {name} cannot be read") from error


def _file(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """The file of that name; a link is followed, as Podman writes them."""
    try:
        file = tar.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise _unusable(f"it has no {name}")
    return file


def _plain(file: IO[bytes]) -> BinaryIO | gzip.GzipFile:
    """Its content unpacked."""
    begins = file.read(len(_GZIP))
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if begins == _GZIP else file  # type: ignore[return-value]


def _unusable(why: str) -> VendorError:
    return VendorError(
        f"No licence image can be made upon this one: {why}.",
        "Build it from the Dockerfile, and save it with `docker save` or `podman save`.",
    )
