"""The context of the Dockerfile: all that a build needs, so that it needs no network and no other tool.

The packages are those of requirements.txt that the authorization application needs, by their hashes, for the base's
Python, which may be another than this machine's.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile

import wizard
from wizard.licensing.vendor import machine
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.layers import APPLICATION, OWN_FOLDERS
from wizard.licensing.vendor.own import application_files

_ROOT = Path(wizard.__file__).parent.parent
_DOCKERFILE, _REQUIREMENTS = _ROOT / "Dockerfile", _ROOT / "requirements.txt"
_LINUXES = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""Wheels for these run on Debian 10 and whatever is newer (PEP 600)."""
_COMPILE = """\
import compileall, py_compile, re, sysconfig
for folder in (sysconfig.get_path("stdlib"), "/app"):
    compileall.compile_dir(
        folder, quiet=2, rx=re.compile("/(test|idlelib|lib2to3|ensurepip|site-packages)/"),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


@dataclass(frozen=True)
class Python:
    """The Python of a base: its version as in 3.12, and its machine as the kernel names it."""

    version: str
    machine: str


def stage(folder: Path, python: Python) -> None:
    """Fill the folder, which is made new."""
    folder.mkdir(parents=True)
    shutil.copy(_DOCKERFILE, folder)
    _install(folder / "packages", python)
    for place, path in application_files().items():
        target = folder / place.relative_to(APPLICATION)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (folder / "wizard" / "compile.py").write_text(_COMPILE)
    for name in OWN_FOLDERS:
        (folder / "folders" / Path(name).name).mkdir(parents=True)


def requirements() -> str:
    """The part of requirements.txt that the authorization application needs, hashes and all."""
    needed = {_project(package.name) for package in machine.distributions()}
    entries = re.split(r"\n(?=\S)", _REQUIREMENTS.read_text(encoding="utf-8"))
    return "".join(f"{entry}\n" for entry in entries if _project(re.split(r"[^\w.-]", entry, maxsplit=1)[0]) in needed)


def _project(name: str) -> str:
    """The name as all spellings of it are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _install(folder: Path, python: Python) -> None:
    with NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(requirements())
        wanted.flush()
        words = ["install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"]
        words += ["--disable-pip-version-check", f"--python-version={python.version}", f"--target={folder}"]
        words += [f"--platform={linux}_{python.machine}" for linux in _LINUXES]
        command = [sys.executable, "-m", "pip", *words, "--requirement", wanted.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise VendorError(
            f"The packages for Python {python.version} cannot be had: {done.stderr.strip()}.",
            "Look whether pip reaches a package index from here.",
        )
    for path in folder.rglob("locale-data/*.dat"):
        if not machine.is_wanted(PurePosixPath(path.relative_to(folder))):
            path.unlink()
