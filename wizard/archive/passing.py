"""What happens to the bytes of an upload on their way to the check: they are hashed, and written down where needed."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Protocol, runtime_checkable

from wizard.archive.hashing import Meter
from wizard.archive.packed import PLAIN
from wizard.archive.tar import Readable

WRITTEN_BACK = 16 << 20
"""Bytes. So often the disk is told to begin, so that little is left to wait for at the end."""
LOOKED_FOR_ROOM = 64 << 20
"""Bytes. So often the room on the disk is looked at while something is unpacked, whose size nobody knows before."""


@runtime_checkable
class Hashed(Protocol):
    """A stream of which somebody else computes the SHA-256 (following.Growing)."""

    def digest(self) -> str: ...


class Passing:
    """Reads from a stream, and measures what it has read: the file as it was received."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._hashed = source if isinstance(source, Hashed) else None
        self._meter = Meter()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self.size += len(data)
        if self._hashed is None:
            self._meter.add(data)
        return data

    @property
    def digest(self) -> str:
        """SHA-256 in lower-case hex, of a stream that was read to its end."""
        return self._meter.digest if self._hashed is None else self._hashed.digest()


class Copying:
    """Writes the plain archive down while it is read, unless it lies on the disk already: that of a packed file.

    One that is not packed is written to `received` where there is one. `unpacked` is a file without a name, which
    is closed when nothing comes of it.
    """

    def __init__(self, folder: Path, received: BinaryIO | None, ensure_room: Callable[[int], None]) -> None:
        self._folder = folder
        self._received = received
        self._ensure_room = ensure_room
        self.unpacked: BinaryIO | None = None

    def __enter__(self) -> "Copying":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self.unpacked is not None:
            self.unpacked.close()

    def through(self, archive: Readable, form: str) -> Readable:
        """reader.Through."""
        if form != PLAIN:
            self.unpacked = TemporaryFile(dir=self._folder)  # noqa: SIM115  # whoever writes from it closes it
            return _Copied(archive, self.unpacked, self._ensure_room)
        return _Copied(archive, self._received, self._ensure_room) if self._received else archive


class _Copied:
    def __init__(self, archive: Readable, target: BinaryIO, ensure_room: Callable[[int], None]) -> None:
        self._archive = archive
        self._target = target
        self._ensure_room = ensure_room
        self._unlooked = 0

    def read(self, size: int, /) -> bytes:
        data = self._archive.read(size)
        self._unlooked += len(data)
        if self._unlooked > LOOKED_FOR_ROOM:
            self._ensure_room(self._unlooked)
            self._unlooked = 0
        self._target.write(data)
        return data


class Hurrying:
    """Writes to a file, which the disk is told to write down meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = 0
        self._begun = 0

    def write(self, data: bytes, /) -> None:
        self._file.write(data)
        self._size += len(data)
        if self._size - self._begun >= WRITTEN_BACK:
            os.posix_fadvise(self._file.fileno(), self._begun, self._size - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = self._size
