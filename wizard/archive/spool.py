"""The spool: received archives, checked while they arrive, each in one file that is named by its digest."""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wizard.archive.reader import Contents, read_image
from wizard.archive.verdicts import Refused
from wizard.domain.image import Image
from wizard.errors import BackendError
from wizard.licensing.protocol.claims import REPOSITORY, ClaimsError, load_vendor_keys
from wizard.text import say

PARTIAL = ".partial"
RESERVE = 64 << 20
"""Bytes of the disk that an upload leaves free, for the store and the logs."""
LONGEST_FILENAME = 255
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileSpool:
    """A folder of archives (ports.Spool). Several processes may share it."""

    def __init__(self, folder: Path, vendor_keys_file: Path) -> None:
        self._folder = folder
        self._vendor_keys_file = vendor_keys_file
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def receive(self, source: BinaryIO, size: int | None, filename: str) -> Image:
        """Take the archive in and check it, in one pass. Refused, and nothing kept, when it is no licence image.

        What is refused is refused at once: the rest of `source` is then still unread.
        """
        vendor_keys = self._vendor_keys()
        self._has_room_for(size or 0)
        with self._partial() as (path, partial), self._full_disk_is_told():
            copy = _Copy(source, partial)
            contents = self._read(copy, size, vendor_keys)
            partial.flush()
            os.fsync(partial.fileno())
            self._keep(path, copy.digest)
        return _image(contents, copy.digest, _shown(filename))

    def path(self, image: Image) -> Path:
        """The received file. BackendError (permanent) when it is gone or no longer has the size that was checked."""
        path = self._file(image.digest)
        if not path.is_file() or path.stat().st_size != image.size:
            raise BackendError(
                say("The archive %(filename)s is no longer there as it was checked.", filename=image.filename),
                why=say("It was removed from the wizard's data, or the disk has damaged it."),
                todo=say("Upload it again."),
                permanent=True,
            )
        return path

    def _read(self, copy: "_Copy", size: int | None, vendor_keys: Mapping[str, Ed25519PublicKey]) -> Contents:
        try:
            contents = read_image(copy, vendor_keys)
        except Refused as refused:
            if refused.code in ("truncated", "empty") and size is not None and copy.size < size:
                raise Refused("incomplete", size=copy.size, declared=size) from None
            raise
        if size is not None and copy.size != size:
            raise Refused("incomplete" if copy.size < size else "excess", size=copy.size, declared=size)
        return contents

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}.tar"

    def _keep(self, partial: Path, digest: str) -> None:
        """Give the file its name, durably. The same archive once more takes the place of the first: they are equal."""
        partial.rename(self._file(digest))
        with self._opened_folder() as folder:
            os.fsync(folder)

    @contextmanager
    def _opened_folder(self) -> Iterator[int]:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _partial(self) -> Iterator[tuple[Path, BinaryIO]]:
        """A new file, locked while it is written, and gone afterwards unless it was given its name."""
        with self._alone():
            handle, name = mkstemp(dir=self._folder, suffix=PARTIAL)
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            with os.fdopen(handle, "wb") as file:
                yield Path(name), file
        finally:
            Path(name).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what killed processes left behind: the partial files that nobody holds the lock of."""
        with self._alone():
            for partial in self._folder.glob(f"*{PARTIAL}"):
                with partial.open("rb") as file, suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    partial.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps others from sweeping a file between its creation and its lock."""
        with self._opened_folder() as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield

    def _vendor_keys(self) -> Mapping[str, Ed25519PublicKey]:
        """Read anew each time, so that a key which was delivered meanwhile counts."""
        try:
            return load_vendor_keys(self._vendor_keys_file.read_bytes())
        except FileNotFoundError:
            raise Refused("no-vendor-key") from None
        except (OSError, ClaimsError):
            raise Refused("vendor-key") from None

    def _has_room_for(self, size: int) -> None:
        if shutil.disk_usage(self._folder).free < size + RESERVE:
            raise self._full()

    @contextmanager
    def _full_disk_is_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in FULL:
                raise self._full() from error
            raise

    def _full(self) -> Refused:
        return Refused("no-space", free=shutil.disk_usage(self._folder).free >> 20)


class _Copy:
    """Reads from a stream, and keeps a copy of all that was read."""

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source = source
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._target.write(data)
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _image(contents: Contents, digest: str, filename: str) -> Image:
    claims = contents.claims
    return Image(
        digest=digest,
        image_id=contents.image_id,
        repository=contents.repository,
        tag=contents.tag,
        architecture=contents.architecture,
        size=contents.size,
        filename=filename,
        company=claims.company,
        project=claims.project,
        licence=claims.licence,
        registrations=claims.registrations,
        issued=claims.issued_at,
    )


def _shown(filename: str) -> str:
    """The name of the file, fit to be shown: without folders and control characters. It names nothing on our disk."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable()).strip()
    return name[:LONGEST_FILENAME] or f"{REPOSITORY}.tar"
