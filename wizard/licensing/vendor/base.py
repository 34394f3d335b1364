"""The common base of all licence images: one layer, made from this machine's own Python, the same each time.

Personalizing an image puts one small layer on top (image.py); so the base is made once, and kept in the data folder.
"""

import fcntl
import hashlib
import io
import json
import shutil
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import wizard
from wizard.licensing.files import replacing
from wizard.licensing.protocol.claims import VENDOR_KEYS_PATH
from wizard.licensing.vendor import machine

USER = 65532
"""The user that the container runs as, by number, for engines that know no names."""
OWN_FOLDERS = ("app/config", "app/log", "app/tls", "app/web")
"""The folders that the application writes to or serves from (R2)."""
APPLICATION = PurePosixPath("app")

_RECIPE = (Path(__file__), Path(machine.__file__))
"""The modules that decide what a base is made of."""


@dataclass(frozen=True)
class Base:
    """The base layer: an uncompressed tar file. Size in bytes; the diff id begins with `sha256:`."""

    path: Path
    diff_id: str
    size: int
    architecture: str


def open_base(data: Path, vendor_keys: bytes) -> Base:
    """The base for that `vendor.pub`: the one that is kept, or one made now, which takes a few seconds."""
    sources = application_files()
    name = _fingerprint(sources, vendor_keys)
    folder = data / "base"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / "lock"):
        kept = folder / name
        if not (kept / "base.json").exists():
            _make(kept, sources, vendor_keys)
            _forget_others(kept)
        return Base(path=kept / "layer.tar", **json.loads((kept / "base.json").read_bytes()))


def application_files() -> dict[PurePosixPath, Path]:
    """The source of the authorization application, by its place in the image; not the vendor's, not the client's."""
    root = Path(wizard.__file__).parent
    files = [root / "__init__.py"]
    files += [path for path in (root / "licensing").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    places = {path.relative_to(root.parent): path for path in sorted(files)}
    return {APPLICATION / place: path for place, path in places.items() if not {"vendor", "client"} & set(place.parts)}


def _fingerprint(sources: Mapping[PurePosixPath, Path], vendor_keys: bytes) -> str:
    """Names the ingredients and the recipe, without reading what is large."""
    digest = hashlib.sha256(f"{sys.version}\n{machine.architecture()}\n".encode() + vendor_keys)
    for recipe in _RECIPE:
        digest.update(recipe.read_bytes())
    for package in machine.distributions():
        digest.update(f"{package.name}=={package.version}\n".encode())
    for place, path in sources.items():
        digest.update(f"{place}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _make(kept: Path, sources: Mapping[PurePosixPath, Path], vendor_keys: bytes) -> None:
    files = machine.python_files() | dict(sources)
    with replacing(kept / "layer.tar") as file:
        counted = _Digesting(file)
        with tarfile.open(fileobj=counted, mode="w", format=tarfile.PAX_FORMAT) as layer:
            _fill(layer, files, vendor_keys)
    made = {
        "diff_id": f"sha256:{counted.digest.hexdigest()}",
        "size": counted.size,
        "architecture": machine.architecture(),
    }
    with replacing(kept / "base.json") as file:
        file.write(json.dumps(made).encode())


def _fill(layer: tarfile.TarFile, files: Mapping[PurePosixPath, Path], vendor_keys: bytes) -> None:
    """Folders first, then files, each sorted by its place: nothing depends on the order of this machine's disk."""
    keys = PurePosixPath(VENDOR_KEYS_PATH)
    own = {PurePosixPath(name) for name in OWN_FOLDERS}
    temporary = PurePosixPath("tmp")
    folders = {parent for place in (*files, *own, keys, temporary / "x") for parent in place.parents} | own
    for place in sorted(folders - {PurePosixPath(".")}):
        mode = 0o1777 if place == temporary else 0o755
        layer.addfile(entry(place, mode=mode, folder=True, owner=USER if place in own else 0))
    for place, path in sorted(files.items()):
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        with path.open("rb") as content:
            layer.addfile(entry(place, mode=mode, size=path.stat().st_size), content)
    layer.addfile(entry(keys, size=len(vendor_keys)), io.BytesIO(vendor_keys))


def entry(
    place: PurePosixPath | str, *, mode: int = 0o644, size: int = 0, folder: bool = False, owner: int = 0
) -> tarfile.TarInfo:
    """The header of one file or folder, with nothing in it that tells one machine or hour from another."""
    header = tarfile.TarInfo(str(place))
    header.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    header.mode, header.size, header.uid, header.gid = mode, size, owner, owner
    return header


def _forget_others(kept: Path) -> None:
    """Bases of earlier versions are never needed again: each image is issued upon the present one."""
    for other in kept.parent.iterdir():
        if other.is_dir() and other != kept:
            shutil.rmtree(other)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Whoever comes second waits, in this process or another, and finds the first one's work."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
