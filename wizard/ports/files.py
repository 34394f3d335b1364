"""Where images arrive, and where they lie."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from wizard.domain.image import Image
from wizard.domain.upload import Passport, Upload


class Spool(Protocol):
    """Where the images that were received lie, each as an archive of our own under its digest."""

    def receive(self, source: BinaryIO, size: int | None, filename: str) -> Image:
        """Take the archive in, check it, and write ours. InvalidInput, and nothing kept, when it is no licence image.

        `size` in bytes, when known: what is shorter or longer is refused.
        """
        ...

    def path(self, image: Image) -> Path:
        """Our archive of it. BackendError (permanent) when it is gone or is no longer what was checked."""
        ...


class Incoming(Protocol):
    """An upload while bytes are added to it, which are on the disk once this turn ends."""

    @property
    def offset(self) -> int:
        """How many bytes of the file are there."""
        ...

    @property
    def missing(self) -> int:
        """How many bytes of the file are still to come."""
        ...

    def write(self, data: memoryview, /) -> None:
        """Add them. InvalidInput: more than announced, a full disk, or what has come is seen to be no licence image."""
        ...

    def fileno(self) -> int:
        """The file itself, for whoever has the kernel write at `offset`, and says so with `added`."""
        ...

    def added(self, size: int, /) -> None:
        """So many bytes were written at `offset`. InvalidInput as with `write`."""
        ...

    def undo(self) -> None:
        """Take back what was written in this turn."""
        ...


class Uploads(Protocol):
    """Files on their way, kept beside the spool. Several processes may share them; each is checked while it arrives.

    `owner` is the name of an account. UnknownStep when it has no such upload, or has it no longer.
    """

    def create(self, owner: str, length: int, filename: str, mark: str, now: datetime) -> Upload:
        """Announce a file. InvalidInput when it cannot be taken in: its size, the disk, or too many at once."""
        ...

    def find(self, id: str, owner: str, now: datetime) -> Upload: ...

    def unfinished(self, owner: str, now: datetime) -> Sequence[Upload]:
        """Those that were not used yet, the oldest first."""
        ...

    def append(
        self, id: str, owner: str, offset: int, now: datetime, *, is_doubtful: bool = False
    ) -> AbstractContextManager[Incoming]:
        """A turn of adding bytes behind `offset`. Stale when there are more or fewer; Busy when another turn goes on.

        They are not checked before its end when they are doubtful: it may `undo` them.
        """
        ...

    def remove(self, id: str, owner: str, now: datetime) -> None:
        """Forget it. A turn that goes on ends at its next byte."""
        ...

    def passport(self, id: str, owner: str, now: datetime) -> Passport:
        """What is known of it so far. InvalidInput once it is known to be no licence image."""
        ...

    def image(self, id: str, owner: str, now: datetime) -> Image:
        """The image in a whole one, which is in the spool from now on; the same again when asked again.

        InvalidInput, and the upload is gone, when it is no licence image.
        """
        ...

    def sweep(self, now: datetime) -> None: ...
