"""Files that are whole or not there after a crash, and keys that only their owner may read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

OWNER_ONLY = 0o600
PUBLIC = 0o644


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Write the file so that, whatever happens, there is all of it or none of it. Synced to the disk."""
    with replacing(path, mode) as file:
        file.write(data)


def write_once(path: Path, data: bytes, mode: int) -> None:
    """The same unless there is such a file: whoever comes second leaves the first one's."""
    with _beside(path, mode) as (file, name):
        file.write(data)
        _settle(file)
        try:
            os.link(name, path)
        except FileExistsError:
            return
    sync(path.parent)


@contextmanager
def replacing(path: Path, mode: int = PUBLIC) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends without an error."""
    with _beside(path, mode) as (file, name):
        yield file
        _settle(file)
        name.replace(path)
    sync(path.parent)


@contextmanager
def _beside(path: Path, mode: int) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file in the same folder, gone at the end unless it was renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            yield file, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _settle(file: BinaryIO) -> None:
    """On the disk before it gets its name."""
    file.flush()
    os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """So that a file keeps the name that it was given in that folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
