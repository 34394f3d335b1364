"""A base of one layer, made of this machine's own Python; the same bytes each time."""

import hashlib
import sys
import tarfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import BinaryIO

import wizard
from wizard.licensing.vendor import compiling, layers, machine
from wizard.licensing.vendor.layers import APPLICATION, OWN_FOLDERS, PORT, USER, Base, entry, write_layer

ORIGIN = "this machine's own Python"
CONFIG: Mapping[str, object] = {
    "User": f"{USER}:{USER}",
    "WorkingDir": f"/{APPLICATION}",
    "Entrypoint": [str(machine.PYTHON), "-m", "wizard.licensing.server"],
    "Cmd": ["--address", "127.0.0.1", "--listen", "0.0.0.0"],  # noqa: S104 - all interfaces of the container
    "Env": [
        f"PATH={machine.PYTHON.parent}",
        f"LD_LIBRARY_PATH=/{machine.LIBRARIES}",
        "LANG=C.UTF-8",
        f"PYTHONPATH=/{APPLICATION}",
        "PYTHONUNBUFFERED=1",
        "PYTHONDONTWRITEBYTECODE=1",
    ],
    "ExposedPorts": {f"{PORT}/tcp": {}},
}
"""The command is for whoever starts it by hand; the wizard gives the published address instead. No `Volumes`: an
anonymous one is a reinstallation (R13)."""

_RECIPE = tuple(Path(str(module.__file__)) for module in (sys.modules[__name__], compiling, layers, machine))
"""The modules that decide what a base is made of."""


def make(folder: Path) -> Base:
    """Write its layer into the folder."""
    files = machine.python_files() | application_files()
    with TemporaryDirectory(dir=folder, prefix="compiled-") as compiled:
        files |= compiling.compiled(files, Path(compiled))
        layer = write_layer(folder, partial(_fill, files=files))
    return Base((layer,), machine.architecture(), CONFIG, ORIGIN)


def application_files() -> dict[PurePosixPath, Path]:
    """The source of the authorization application, by its place in the image; not the vendor's, not the client's."""
    root = Path(wizard.__file__).parent
    files = [root / "__init__.py"]
    files += [path for path in (root / "licensing").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    places = {path.relative_to(root.parent): path for path in sorted(files)}
    return {APPLICATION / place: path for place, path in places.items() if not {"vendor", "client"} & set(place.parts)}


def fingerprint() -> str:
    """Names the ingredients and the recipe, without reading what is large."""
    digest = hashlib.sha256(f"{sys.version}\n{machine.architecture()}\n".encode())
    for recipe in _RECIPE:
        digest.update(recipe.read_bytes())
    for package in machine.distributions():
        digest.update(f"{package.name}=={package.version}\n".encode())
    for place, path in application_files().items():
        digest.update(f"{place}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _fill(file: BinaryIO, *, files: Mapping[PurePosixPath, Path]) -> None:
    """Folders first, then files, each sorted by its place: nothing depends on the order of this machine's disk."""
    own = {PurePosixPath(name) for name in OWN_FOLDERS}
    temporary = PurePosixPath("tmp")
    folders = {parent for place in (*files, *own, temporary / "x") for parent in place.parents} | own
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as layer:
        for place in sorted(folders - {PurePosixPath(".")}):
            mode = 0o1777 if place == temporary else 0o755
            layer.addfile(entry(place, mode=mode, folder=True, owner=USER if place in own else 0))
        for place, path in sorted(files.items()):
            mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                layer.addfile(entry(place, mode=mode, size=path.stat().st_size), content)
