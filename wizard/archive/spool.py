"""The spool: images that were received, each as an archive of our own in one file that is named by its digest.

What is received is checked while it arrives, and kept in a file without a name until ours is written from it: it is
never given to an engine, and a process that is killed leaves nothing of it.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile, mkstemp
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wizard.archive.canonical import Canonical, canonical
from wizard.archive.limits import LONGEST_FILENAME, RESERVE
from wizard.archive.reader import Contents, Seen, ignored, read_image
from wizard.archive.tar import Readable
from wizard.archive.verdicts import Refused
from wizard.domain.image import Image
from wizard.errors import BackendError
from wizard.licensing.protocol.claims import REPOSITORY, ClaimsError, load_vendor_keys
from wizard.text import say

PARTIAL = ".partial"
LICENCE_DIGITS = 16
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When an image was issued that nobody has signed."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SETTLED = 1_000_000_000
"""Nanoseconds. The times of a file are as coarse as the kernel's ticks, so those of a younger one say little."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """An archive that was checked. `digest` and `size` are of the file as it was received."""

    contents: Contents
    digest: str
    size: int


class FileSpool:
    """A folder of archives (ports.Spool). Several processes may share it.

    `nanoseconds` since 1970 are by the clock that dates the folder's files. With `takes_unknown` it takes in what
    has no claims of the vendor, too.
    """

    def __init__(
        self,
        folder: Path,
        vendor_keys_file: Path,
        nanoseconds: Callable[[], int] = time.time_ns,
        *,
        takes_unknown: bool = False,
    ) -> None:
        self._takes_unknown = takes_unknown
        self._folder = folder
        self._vendor_keys_file = vendor_keys_file
        self._nanoseconds = nanoseconds
        self._verified: dict[str, tuple[int, ...]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def receive(self, source: BinaryIO, size: int | None, filename: str) -> Image:
        """Take the archive in, check it, and write ours. Refused, and nothing kept, when it is no licence image.

        What is refused is refused at once: the rest of `source` is then still unread.
        """
        self.ensure_room(2 * (size or 0))
        with self.full_disk_is_told(), TemporaryFile(dir=self._folder) as received:
            return self.keep(self.examine(source, size, copied_to=received), received, filename)

    def examine(
        self, stream: Readable, size: int | None, *, copied_to: BinaryIO | None = None, seen: Seen = ignored
    ) -> Examined:
        """Check an archive to the end of its stream. Refused when it is no licence image, or not `size` bytes."""
        passing = _Passing(stream, copied_to)
        try:
            contents = read_image(passing, self._vendor_keys(), takes_unknown=self._takes_unknown, seen=seen)
        except Refused as refused:
            if refused.code in ("truncated", "empty") and size is not None and passing.size < size:
                raise Refused("incomplete", size=passing.size, declared=size) from None
            raise
        if size is not None and passing.size != size:
            raise Refused("incomplete" if passing.size < size else "excess", size=passing.size, declared=size)
        return Examined(contents=contents, digest=passing.digest, size=passing.size)

    def keep(self, examined: Examined, received: BinaryIO, filename: str) -> Image:
        """Write our archive of what was examined; `received` holds it. The image is in the spool from then on."""
        archive = canonical(examined.contents.layout)
        with self.full_disk_is_told():
            return _image(examined, archive, self._write(archive, received), shown_name(filename))

    def path(self, image: Image) -> Path:
        """Our archive of it. BackendError (permanent) when it is gone or is no longer what was checked.

        So are the archives of earlier versions, which were kept as they had been received.
        """
        path = self._file(image.digest)
        if not image.manifest or not self._is_as_checked(path, image):
            raise BackendError(
                say("The archive %(filename)s is no longer there as it was checked.", filename=image.filename),
                why=say("It was removed from the wizard's data, or the disk has damaged it."),
                todo=say("Upload it again."),
                permanent=True,
            )
        return path

    def _write(self, archive: Canonical, received: BinaryIO) -> str:
        """Write our archive under its digest; the digest."""
        self.ensure_room(archive.size)
        with self._partial() as (path, partial):
            digest = archive.write(received, partial)
            partial.flush()
            os.fsync(partial.fileno())
            self._keep(path, digest)
        return digest

    def _is_as_checked(self, path: Path, image: Image) -> bool:
        """Whether its bytes are the same still. They are read once, and again when the file was touched meanwhile."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            found = os.fstat(file.fileno())
            state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if self._verified.get(image.digest) == state:
                return True
            if found.st_size != image.size or hashlib.file_digest(file, "sha256").hexdigest() != image.digest:
                return False
            if found.st_ctime_ns < self._nanoseconds() - SETTLED:
                self._verified[image.digest] = state
            return True

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}.tar"

    def _keep(self, partial: Path, digest: str) -> None:
        """Give the file its name, durably. The same image once more takes the place of the first: they are equal."""
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
            if self._takes_unknown:  # nothing is known as the vendor's then
                return {}
            raise Refused("no-vendor-key") from None
        except (OSError, ClaimsError):
            raise Refused("vendor-key") from None

    def ensure_room(self, size: int) -> None:
        """Refused when so many more bytes would fill the disk."""
        if shutil.disk_usage(self._folder).free < size + RESERVE:
            raise self._full()

    @contextmanager
    def full_disk_is_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in FULL:
                raise self._full() from error
            raise

    def _full(self) -> Refused:
        return Refused("no-space", free=shutil.disk_usage(self._folder).free >> 20)


class _Passing:
    """Reads from a stream; all that was read is hashed, and written down where it is on no disk yet."""

    def __init__(self, source: Readable, target: BinaryIO | None) -> None:
        self._source = source
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        if self._target is not None:
            self._target.write(data)
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _image(examined: Examined, archive: Canonical, digest: str, filename: str) -> Image:
    contents, claims = examined.contents, examined.contents.claims
    return Image(
        digest=digest,
        image_id=contents.image_id,
        manifest=archive.manifest,
        repository=contents.repository,
        tag=contents.tag,
        architecture=contents.architecture,
        size=archive.size,
        filename=filename,
        received=examined.digest,
        received_size=examined.size,
        is_licence=claims is not None,
        company=claims.company if claims else "",
        project=claims.project if claims else "",
        licence=claims.licence if claims else contents.image_id[:LICENCE_DIGITS],
        registrations=claims.registrations if claims else 0,
        issued=claims.issued_at if claims else NEVER,
    )


def shown_name(filename: str) -> str:
    """The name of the file, fit to be shown: without folders and control characters. It names nothing on our disk."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable()).strip()
    return name[:LONGEST_FILENAME] or f"{REPOSITORY}.tar"
