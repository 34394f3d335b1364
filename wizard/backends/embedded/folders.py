"""What the embedded engine keeps on the disk, so that it outlives every process that uses it.

<data>/<node>/lock
<data>/<node>/images/<digest>/      claims.json, image.json
<data>/<node>/containers/<name>/    container.json (what should be), process.json (what was begun), log/, tls/
<data>/<node>/volumes/<licence>/    the config volume; it stays when its container is removed
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

import msgspec

from wizard.domain.image import Image
from wizard.errors import BackendError
from wizard.processes import ProcessName
from wizard.text import say

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
Record = TypeVar("Record")


class Wanted(StrEnum):
    """What a container should do."""

    RUNNING = "running"
    STOPPED = "stopped"
    GIVEN_UP = "given up"
    """It ended too often by itself."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """What was asked for. Written down before it is done."""

    name: str
    digest: str
    licence: str
    address: str
    port: int
    wanted: Wanted
    quick_deaths: int = 0
    """How often in a row it ended soon after its start."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What was begun for a container, and how it ended. `exit_code` is None while it runs, or when nobody saw it."""

    process: ProcessName
    begun_at: datetime
    ended_at: datetime | None = None
    exit_code: int | None = None


class NodeFolder:
    """One node's folder."""

    def __init__(self, data: Path, slug: str) -> None:
        self.path = data / safe(slug)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the records, among the threads and processes of this machine."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @classmethod
    def all(cls, data: Path) -> list["NodeFolder"]:
        """Of each node that something was done on."""
        return [cls(data, lock.parent.name) for lock in sorted(data.glob("*/lock"))]

    def image(self, digest: str) -> Path:
        return self.path / "images" / safe(digest)

    def volume(self, licence: str) -> Path:
        return self.path / "volumes" / safe(licence)

    def folder(self, name: str) -> Path:
        return self.path / "containers" / safe(name)

    def log(self, name: str) -> Path:
        """Where the container's output goes."""
        return self.folder(name) / "log" / "console.log"

    def containers(self) -> list[Container]:
        records = sorted((self.path / "containers").glob("*/container.json"))
        return [container for record in records if (container := read(record, Container))]

    def container(self, name: str) -> Container | None:
        return read(self.folder(name) / "container.json", Container)

    def keep(self, container: Container) -> None:
        write(self.folder(container.name) / "container.json", container)

    def process(self, name: str) -> Process | None:
        return read(self.folder(name) / "process.json", Process)

    def keep_process(self, name: str, process: Process) -> None:
        write(self.folder(name) / "process.json", process)

    def has_image(self, digest: str) -> bool:
        return (self.image(digest) / "image.json").exists()

    def keep_image(self, image: Image, claims: bytes) -> None:
        """The folder appears with all that is in it, or not at all."""
        folder = self.image(image.digest)
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(mkdtemp(dir=folder.parent, prefix=".partial-"))
        try:
            write(partial / "image.json", image)
            (partial / "claims.json").write_bytes(claims)
            if not folder.exists():
                partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def safe(name: str) -> str:
    """A name that stays within its folder."""
    if not NAME.fullmatch(name):
        raise BackendError(say("%(name)s cannot be the name of a file.", name=repr(name)), permanent=True)
    return name


def write(path: Path, record: object) -> None:
    """Replace the file as a whole, durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(msgspec.json.encode(record))
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def read(path: Path, kind: type[Record]) -> Record | None:
    """The record, or None while there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
