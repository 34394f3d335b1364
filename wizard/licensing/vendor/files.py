"""Files that are either whole or not there, also after the power failed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_once(path: Path, content: bytes, *, mode: int) -> None:
    """Write the file unless there is one; whoever comes second leaves the first one's."""
    with _beside(path) as (file, name):
        file.write(content)
        _settle(file)
        name.chmod(mode)
        try:
            os.link(name, path)
        except FileExistsError:
            return


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends without an error. Mode 0644."""
    with _beside(path) as (file, name):
        yield file
        _settle(file)
        name.chmod(0o644)
        name.replace(path)


@contextmanager
def _beside(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file in the same folder, gone at the end unless it was renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _settle(file: BinaryIO) -> None:
    """On the disk before it gets its name."""
    file.flush()
    os.fsync(file.fileno())
