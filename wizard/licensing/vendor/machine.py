"""What this machine's Python consists of, and where each part goes in an image.

An image needs an interpreter, and none can be downloaded where the vendor's reference runs. So the one that runs right
now is taken: the interpreter, its standard library, the packages the authorization application needs, and the shared
libraries of all of them.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

PREFIX = PurePosixPath("usr/local")
"""Where Python goes; it finds its library from the place of its executable."""
LIBRARIES = PREFIX / "lib" / "shared"
"""Where the shared libraries go; the loader is pointed there, wherever this machine keeps its own."""
PYTHON = PurePosixPath("/") / PREFIX / "bin" / "python3"

PACKAGES = ("cryptography", "flask", "flask-babel", "gunicorn", "prometheus-client", "qrcode", "requests", "sqlalchemy")
"""What the authorization application imports; what these need in turn follows by itself."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What engines call the machines."""

_LEFT_OUT = {
    "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test", "tests",
    "tkinter", "turtledemo",
}  # fmt: skip
"""Folders of the standard library that no server needs. Compiled files are made anew, and differ from run to run."""
_LOCALES = {"root", "en", "ja", "ko", "zh"}
"""The languages that there will ever be pages in (SPEC.md, 5), and what they inherit; babel brings 30 MB of others."""
_LEFT_OUT_MODULES = ("_ctypes_test", "_test", "_tkinter", "_xx", "xx")
"""Beginnings of extension modules that no server needs; a graphical one would bring half a desktop of libraries."""


class MachineError(Exception):
    """This machine's Python cannot be put into an image."""


def architecture() -> str:
    machine = platform.machine()
    try:
        return ARCHITECTURES[machine]
    except KeyError:
        raise MachineError(f"Licence images cannot be made on a {machine} machine.") from None


def distributions() -> list[Distribution]:
    """The packages and all that they need, by name."""
    found: dict[str, Distribution] = {}
    wanted = list(PACKAGES)
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # needed on another system or another Python only
        wanted += [_name(line) for line in found[name].requires or () if "extra ==" not in line]
    if missing := set(PACKAGES) - set(found):
        raise MachineError(f"Not installed here: {', '.join(sorted(missing))}.")
    return [found[name] for name in sorted(found)]


def python_files() -> dict[PurePosixPath, Path]:
    """Each file of the image's Python, by its place in the image."""
    home = PREFIX / sys.platlibdir / f"python{sysconfig.get_python_version()}"
    files = {PREFIX / "bin" / "python3": Path(sys.executable).resolve()}
    files |= _tree(Path(sysconfig.get_path("stdlib")), home)
    files |= _tree(Path(sysconfig.get_config_var("DESTSHARED")), home / "lib-dynload")
    for package in distributions():
        files |= _package(package, home / "site-packages")
    return files | _libraries(files)


def _tree(source: Path, place: PurePosixPath) -> dict[PurePosixPath, Path]:
    files: dict[PurePosixPath, Path] = {}
    for folder, names, filenames in os.walk(source):
        names[:] = [name for name in names if name not in _LEFT_OUT and not name.startswith("config-")]
        for filename in filenames:
            path = Path(folder, filename)
            if path.suffix not in (".a", ".pyc") and not filename.startswith(_LEFT_OUT_MODULES) and path.is_file():
                files[place / path.relative_to(source)] = path
    return files


def _package(package: Distribution, place: PurePosixPath) -> dict[PurePosixPath, Path]:
    if package.files is None:
        raise MachineError(f"The package {package.name} does not say which files it has: install it with pip.")
    return {
        place / name: Path(str(package.locate_file(name)))
        for name in package.files
        if not {"..", "__pycache__", "tests"} & set(name.parts) and name.suffix != ".pyc" and is_wanted(name)
    }


def is_wanted(name: PurePosixPath) -> bool:
    """Whether a package's file goes into an image: no data about languages in which there are no pages."""
    return name.parent.name != "locale-data" or name.stem.partition("_")[0] in _LOCALES


def _libraries(files: Mapping[PurePosixPath, Path]) -> dict[PurePosixPath, Path]:
    """The shared libraries that these files ask for, beyond those among them."""
    ours = {path.resolve() for path in files.values() if ".so" in path.name}
    binaries = sorted(ours | {path for place, path in files.items() if place.parent == PREFIX / "bin"})
    return {place: path for place, path in _ldd(binaries) if path.resolve() not in ours}


def _ldd(binaries: list[Path]) -> Iterator[tuple[PurePosixPath, Path]]:
    """Each library, and its place: the loader stays where executables name it, the others go into one folder."""
    ldd = shutil.which("ldd")
    if ldd is None:
        raise MachineError("ldd is missing, which names the shared libraries of a program.")
    output = subprocess.run([ldd, *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    for path in re.findall(r"=> (/\S+)", output):
        yield LIBRARIES / Path(path).name, Path(path)
    for path in re.findall(r"^\s+(/\S+) \(0x", output, re.MULTILINE):
        yield PurePosixPath(path.lstrip("/")), Path(path)


def _name(requirement: str) -> str:
    """The project's name at the beginning of a requirement (PEP 508)."""
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
