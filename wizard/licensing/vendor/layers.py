"""Layers of an image: uncompressed tar files, whose bytes follow from what they hold alone; and the base they make."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from wizard.licensing.files import replacing
from wizard.licensing.vendor.errors import VendorError

USER = 65532
"""The user that the container runs as, by number, for engines that know no names."""
PORT = 18081
"""The port inside the container (R4)."""
APPLICATION = PurePosixPath("app")
OWN_FOLDERS = ("app/config", "app/log", "app/tls", "app/web")
"""The folders that the application writes to or serves from (R2)."""

_TAKEN = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE})


@dataclass(frozen=True)
class Layer:
    """A small one is held, a large one lies on the disk. Size in bytes; the diff id begins with `sha256:`."""

    diff_id: str
    size: int
    content: bytes = b""
    path: Path | None = None

    def open(self) -> BinaryIO:
        return self.path.open("rb") if self.path else io.BytesIO(self.content)


@dataclass(frozen=True)
class Base:
    """What the images of all licences have in common, whoever made it. The layers from the lowest to the highest."""

    layers: tuple[Layer, ...]
    architecture: str
    """As engines call it, such as amd64."""
    config: Mapping[str, object]
    """How a container of it runs: User, Entrypoint, Env … (`config` in the OCI image specification)."""
    origin: str
    """What it was made of, in words."""

    @property
    def size(self) -> int:
        return sum(layer.size for layer in self.layers)


def one_file(place: str, content: bytes) -> Layer:
    """A layer with that file, the folders above it, and nothing else."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as layer:
        for folder in reversed(PurePosixPath(place).parents[:-1]):
            layer.addfile(entry(folder, mode=0o755, folder=True))
        layer.addfile(entry(place, size=len(content)), io.BytesIO(content))
    whole = buffer.getvalue()
    return Layer(f"sha256:{hashlib.sha256(whole).hexdigest()}", len(whole), content=whole)


def write_layer(folder: Path, fill: Callable[[BinaryIO], None]) -> Layer:
    """Have a layer written into the folder, where it is named after its digest."""
    path = folder / "layer"
    with replacing(path) as file:
        counted = _Digesting(file)
        fill(counted)  # type: ignore[arg-type]  # as much of a file as is written to
    digest = counted.digest.hexdigest()
    named = path.rename(folder / f"{digest}.tar")
    return Layer(f"sha256:{digest}", counted.size, path=named)


def ensure_taken(layer: Layer) -> None:
    """VendorError when something is in it for which the wizard refuses an image, so that no admin hears it first.

    The wizard's own check (wizard.archive.layer) is stricter; this one is for what engines and builders do write.
    """
    seen = set()
    with layer.open() as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            place = PurePosixPath(member.name)
            if member.type not in _TAKEN or member.issparse():
                raise _refused(
                    f"{member.name}, which is neither a file, a folder nor a link but a device, a pipe or the like",
                    "Make its base without /dev: mmdebstrap has --skip=output/dev for that.",
                )
            if place.is_absolute() or ".." in place.parts:
                raise _refused(f"{member.name}, which leads out of it", "Pack it with paths within the image only.")
            if place in seen:
                raise _refused(f"{member.name} twice", "Pack each path once.")
            seen.add(place)


def _refused(what: str, todo: str) -> VendorError:
    return VendorError(f"A layer of this image holds {what}. The wizard refuses every image with such a layer.", todo)


def entry(
    place: PurePosixPath | str, *, mode: int = 0o644, size: int = 0, folder: bool = False, owner: int = 0
) -> tarfile.TarInfo:
    """The header of one file or folder, with nothing in it that tells one machine or hour from another."""
    header = tarfile.TarInfo(str(place))
    header.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    header.mode, header.size, header.uid, header.gid = mode, size, owner, owner
    return header


class _Digesting(io.RawIOBase):
    """Writes through, and knows the size and the SHA-256 of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)
