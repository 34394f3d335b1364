"""The spool: images that were received, each as an archive of our own in one file that is named by its digest.

What is received is checked while it arrives, and kept in a file without a name until ours is written from it: it is
never given to an engine, and a process that is killed leaves nothing of it.
"""

import errno
import fcntl
import logging
import os
import shutil
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile, mkstemp
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wizard.archive.canonical import Canonical, canonical, digest_of
from wizard.archive.limits import LONGEST_FILENAME, RESERVE
from wizard.archive.passing import Copying, Hurrying, Passing
from wizard.archive.reader import Contents, ignored, read_image
from wizard.archive.sketch import Seen
from wizard.archive.tar import Readable
from wizard.archive.verdicts import Refused
from wizard.domain.image import Image, read_pins
from wizard.errors import BackendError
from wizard.licensing.protocol.claims import REPOSITORY, ClaimsError, load_vendor_keys
from wizard.text import say

logger = logging.getLogger(__name__)
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
    unpacked: BinaryIO | None = None
    """The plain archive, when the received one is packed: a file without a name, closed with the last mention of it."""
    is_pinned: bool = False
    """Whether it is in the list of this installation."""


class FileSpool:
    """A folder of archives (ports.Spool). Several processes may share it.

    `nanoseconds` since 1970 are by the clock that dates the folder's files. With `takes_unknown` it takes in what
    has no claims of the vendor, too; with a file of pins only what is in there (domain.image.read_pins), and that
    without claims, too.
    """

    def __init__(
        self,
        folder: Path,
        vendor_keys_file: Path,
        nanoseconds: Callable[[], int] = time.time_ns,
        *,
        takes_unknown: bool = False,
        pins_file: Path | None = None,
    ) -> None:
        self._takes_unknown = takes_unknown or pins_file is not None
        self._pins_file = pins_file
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
        passing = Passing(stream)
        with self.full_disk_is_told(), Copying(self._folder, copied_to, self.ensure_room) as copying:
            try:
                contents = read_image(
                    passing,
                    self._vendor_keys(),
                    takes_unknown=self._takes_unknown,
                    seen=seen,
                    through=copying.through,
                )
            except Refused as refused:
                if refused.code in ("truncated", "empty") and size is not None and passing.size < size:
                    raise Refused("incomplete", size=passing.size, declared=size) from None
                raise
            if size is not None and passing.size != size:
                raise Refused("incomplete" if passing.size < size else "excess", size=passing.size, declared=size)
            digest, unpacked = passing.digest, copying.unpacked
            is_pinned = self._is_pinned(digest, contents.image_id)
        examined = Examined(contents=contents, digest=digest, size=passing.size, unpacked=unpacked, is_pinned=is_pinned)
        if unpacked is not None:
            weakref.finalize(examined, unpacked.close)
        return examined

    def keep(self, examined: Examined, received: BinaryIO, filename: str) -> Image:
        """Write our archive of what was examined; `received` holds it. The image is in the spool from then on."""
        archive = canonical(examined.contents.layout)
        plain = received if examined.unpacked is None else examined.unpacked
        with self.full_disk_is_told():
            self._write(archive, plain)
        image = _image(examined, archive, shown_name(filename))
        logger.info("image %s of the file %s was taken: %s", image.image_id, image.received, image.policy)
        return image

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

    def _write(self, archive: Canonical, received: BinaryIO) -> None:
        """Write our archive under its digest."""
        self.ensure_room(archive.size)
        with self._partial() as (path, partial):
            archive.write(received, Hurrying(partial))
            partial.flush()
            os.fsync(partial.fileno())
            self._keep(path, archive.digest)

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
            if found.st_size != image.size or digest_of(file) != image.digest:
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

    def _is_pinned(self, received: str, image_id: str) -> bool:
        """Whether it is in the list, where there is one; Refused when it is not. Read anew each time, as well."""
        if self._pins_file is None:
            return False
        try:
            pins = read_pins(self._pins_file.read_text())
        except (OSError, ValueError):
            raise Refused("pins") from None
        if pins.isdisjoint({received, image_id}):
            raise Refused("not-pinned", digest=received)
        return True

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


def _image(examined: Examined, archive: Canonical, filename: str) -> Image:
    contents, claims = examined.contents, examined.contents.claims
    return Image(
        digest=archive.digest,
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
        is_pinned=examined.is_pinned,
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
