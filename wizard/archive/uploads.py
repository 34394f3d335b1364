"""Uploads as folders: what was announced, the bytes that have arrived, and in the end the image that they are.

The size of the file of bytes is the offset, so nothing can be out of step with it. A turn of writing holds a lock on
the file, which a killed process lets go of. Several processes may share the folder; the one that writes has the file
checked while it arrives, and whoever is asked for the image without having checked it reads it again.
"""

import fcntl
import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp

import msgspec

from wizard.archive.disk import reserve, taken
from wizard.archive.following import Following, GivenUp
from wizard.archive.limits import LARGEST_FILE, LONGEST_MARK
from wizard.archive.spool import Examined, FileSpool, shown_name
from wizard.archive.tar import Readable
from wizard.archive.verdicts import Refused
from wizard.domain.image import Image
from wizard.domain.upload import LIFE, MOST_AT_ONCE, Passport, Upload
from wizard.errors import Busy, InvalidInput, Stale, UnknownStep
from wizard.text import say

ID = re.compile("[0-9a-f]{32}")
ANNOUNCED, BYTES = "announced.json", "bytes"
PASSPORT, IMAGE, REFUSED = "passport.json", "image.json", "refused.json"
GONE = ".gone"
WRITTEN_BACK = 16 << 20
"""Bytes. So often the disk is told to begin."""


class Announced(msgspec.Struct, frozen=True):
    """What was said of a file before its first byte."""

    owner: str
    length: int
    filename: str
    mark: str


class Reason(msgspec.Struct, frozen=True):
    """Why it was refused: as Refused takes it."""

    code: str
    params: dict[str, str | int]


class FolderUploads:
    """ports.Uploads in a folder beside the spool's, on the same disk."""

    def __init__(self, folder: Path, spool: FileSpool) -> None:
        self._folder = folder
        self._spool = spool
        self._following: dict[str, Following[Examined]] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, owner: str, length: int, filename: str, mark: str, now: datetime) -> Upload:
        if not 0 < length <= LARGEST_FILE:
            raise Refused("too-large" if length > 0 else "empty", limit=LARGEST_FILE >> 30)
        with self._alone():
            self._swept(now)
            if len(self.unfinished(owner, now)) >= MOST_AT_ONCE:
                raise too_many()
            self._spool.ensure_room(2 * length + self._missing())
            id = self._begin(Announced(owner, length, shown_name(filename), mark[:LONGEST_MARK]))
        return self.find(id, owner, now)

    def find(self, id: str, owner: str, now: datetime) -> Upload:
        upload = self._read(id) if ID.fullmatch(id) else None
        if upload is None or upload.owner != owner or upload.expires_at <= now:
            raise no_such_upload()
        return upload

    def unfinished(self, owner: str, now: datetime) -> Sequence[Upload]:
        uploads = [upload for upload in self._all() if upload.owner == owner and upload.expires_at > now]
        return sorted(
            (upload for upload in uploads if not self._has_ended(upload.id)), key=lambda upload: upload.expires_at
        )

    @contextmanager
    def append(self, id: str, owner: str, offset: int, now: datetime, *, is_doubtful: bool = False) -> Iterator["Turn"]:
        self.find(id, owner, now)
        with self._held(id, waits=False) as file:
            upload = self.find(id, owner, now)
            if upload.offset != offset or self._has_ended(id):
                raise wrong_offset(upload.offset)
            following = self._follow(upload)
            try:
                with self._spool.full_disk_is_told(), closing(Turn(file, upload, following, is_doubtful)) as turn:
                    yield turn
            except Refused as refused:
                self._refuse(id, file, refused)
                raise

    def remove(self, id: str, owner: str, now: datetime) -> None:
        self.find(id, owner, now)
        self._forget(id)

    def passport(self, id: str, owner: str, now: datetime) -> Passport:
        self.find(id, owner, now)
        self._raise_refusal(id)
        with suppress(FileNotFoundError):
            return msgspec.json.decode(self._place(id, PASSPORT).read_bytes(), type=Passport)
        return Passport()

    def image(self, id: str, owner: str, now: datetime) -> Image:
        self.find(id, owner, now)
        with self._held(id, waits=True) as file:
            upload = self.find(id, owner, now)
            with suppress(FileNotFoundError):
                return msgspec.json.decode(self._place(id, IMAGE).read_bytes(), type=Image)
            try:
                self._raise_refusal(id)
                if not upload.is_whole:
                    raise Refused("incomplete", size=upload.offset, declared=upload.length)
                image = self._taken_in(upload)
            except Refused as refused:
                if refused.code != "incomplete":
                    self._forget(id)
                raise
            self._note(id, IMAGE, image)
            os.ftruncate(file, 0)
            return image

    def sweep(self, now: datetime) -> None:
        with self._alone():
            self._swept(now)

    def _swept(self, now: datetime) -> None:
        for upload in self._all():
            if upload.expires_at <= now:
                self._forget(upload.id)
        for gone in self._folder.glob(f"*{GONE}"):
            shutil.rmtree(gone, ignore_errors=True)

    def _taken_in(self, upload: Upload) -> Image:
        """Wait for the check, then have our archive written."""
        path = self._place(upload.id, BYTES)
        while True:
            following = self._follow(upload)
            following.arrived(upload.length)
            with suppress(GivenUp):
                examined = following.result()
                break
            self._unfollow(upload.id)
        self._unfollow(upload.id)
        with path.open("rb") as received:
            return self._spool.keep(examined, received, upload.filename)

    def _refuse(self, id: str, file: int, refused: Refused) -> None:
        """Nothing of it is kept but why it was refused, until its sender asks."""
        self._unfollow(id)
        os.ftruncate(file, 0)
        try:
            self._note(id, REFUSED, Reason(refused.code, dict(refused.params)))
        except OSError:  # of a full disk nothing can be noted
            self._forget(id)

    def _raise_refusal(self, id: str) -> None:
        with suppress(FileNotFoundError):
            reason = msgspec.json.decode(self._place(id, REFUSED).read_bytes(), type=Reason)
            raise Refused(reason.code, **reason.params)

    def _follow(self, upload: Upload) -> Following[Examined]:
        """The check of it, by this process; from the beginning where there is none, or none that still goes on."""
        with self._lock:
            following = self._following.get(upload.id)
            if following is None or following.has_given_up:
                following = Following(
                    self._place(upload.id, BYTES),
                    upload.length,
                    partial(self._examine, upload),
                )
                self._following[upload.id] = following
            following.arrived(upload.offset)
            return following

    def _unfollow(self, id: str) -> None:
        with self._lock:
            following = self._following.pop(id, None)
        if following is not None:
            following.give_up()

    def _examine(self, upload: Upload, stream: Readable) -> Examined:
        return self._spool.examine(stream, upload.length, seen=partial(self._tell, upload.id))

    def _tell(self, id: str, passport: Passport) -> None:
        with suppress(OSError):  # it is gone, or the disk is full, which whoever writes is told
            self._note(id, PASSPORT, passport)

    def _has_ended(self, id: str) -> bool:
        return any(self._place(id, note).exists() for note in (IMAGE, REFUSED))

    def _read(self, id: str) -> Upload | None:
        """As it stands now; None when it is not there."""
        try:
            announced = msgspec.json.decode(self._place(id, ANNOUNCED).read_bytes(), type=Announced)
            arrived = self._place(id, BYTES).stat()
        except FileNotFoundError:
            return None
        is_taken_in = self._place(id, IMAGE).exists()
        return Upload(
            id=id,
            owner=announced.owner,
            filename=announced.filename,
            length=announced.length,
            offset=announced.length if is_taken_in else arrived.st_size,
            mark=announced.mark,
            expires_at=datetime.fromtimestamp(arrived.st_mtime, UTC) + LIFE,
        )

    def _all(self) -> Sequence[Upload]:
        found = [self._read(place.name) for place in self._folder.iterdir() if ID.fullmatch(place.name)]
        return [upload for upload in found if upload is not None]

    def _missing(self) -> int:
        """Bytes that other uploads still want: their own unless they have them, and those of our archive."""
        return sum(self._wanted(upload) for upload in self._all() if not self._has_ended(upload.id))

    def _wanted(self, upload: Upload) -> int:
        with suppress(FileNotFoundError):
            return upload.length + max(0, upload.length - taken(self._place(upload.id, BYTES).stat()))
        return 0

    def _place(self, id: str, name: str) -> Path:
        return self._folder / id / name

    def _begin(self, announced: Announced) -> str:
        """A folder with all that it needs, under its name at once or not at all."""
        id = secrets.token_hex(16)
        folder = Path(mkdtemp(dir=self._folder, suffix=GONE))
        try:
            with self._spool.full_disk_is_told(), (folder / BYTES).open("xb") as file:
                reserve(file.fileno(), announced.length)
                (folder / ANNOUNCED).write_bytes(msgspec.json.encode(announced))
                folder.rename(self._folder / id)
        except Refused:
            shutil.rmtree(folder)
            raise
        return id

    def _forget(self, id: str) -> None:
        """Away with it under one name at once, so that nobody finds half of it."""
        self._unfollow(id)
        gone = self._folder / f"{id}{GONE}"
        with suppress(FileNotFoundError):
            (self._folder / id).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _note(self, id: str, name: str, value: object) -> None:
        """Written whole, or not at all."""
        with NamedTemporaryFile(dir=self._folder / id, delete=False) as file:
            file.write(msgspec.json.encode(value))
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).rename(self._place(id, name))

    @contextmanager
    def _held(self, id: str, *, waits: bool) -> Iterator[int]:
        """The file of its bytes, which nobody else has meanwhile. Busy when somebody has, and it is not waited for."""
        try:
            file = os.open(self._place(id, BYTES), os.O_RDWR)
        except FileNotFoundError:
            raise no_such_upload() from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
            yield file
        except BlockingIOError:
            raise busy() from None
        finally:
            os.close(file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps others from announcing a file between the look at the room and the announcement."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


class Turn:
    """ports.Incoming: bytes behind those that are there. They are on the disk when it is closed."""

    def __init__(self, file: int, upload: Upload, following: Following[Examined], is_doubtful: bool) -> None:
        self._file = file
        self._upload = upload
        self._following = following
        self._is_doubtful = is_doubtful
        self._written_back = upload.offset
        self.offset = upload.offset

    @property
    def missing(self) -> int:
        return self._upload.length - self.offset

    def fileno(self) -> int:
        return self._file

    def write(self, data: memoryview, /) -> None:
        while data:
            size = os.pwrite(self._file, data[: self.missing], self.offset)
            self.added(size)
            data = data[size:]

    def added(self, size: int) -> None:
        if not size:
            raise Refused("excess", declared=self._upload.length)
        self.offset += size
        if self._following.refusal is not None:
            raise self._following.refusal
        if not self._is_doubtful:
            self._following.arrived(self.offset)
        if self.offset - self._written_back >= WRITTEN_BACK:
            self._write_back()

    def undo(self) -> None:
        self.offset = self._upload.offset
        os.ftruncate(self._file, self.offset)  # which gives back what was reserved
        with suppress(OSError):  # whoever sends the bytes again is told
            reserve(self._file, self._upload.length)

    def close(self) -> None:
        """Of a whole file the digest is known then, too. Whoever removed it meanwhile has removed these bytes."""
        os.fdatasync(self._file)
        if not os.fstat(self._file).st_nlink:
            raise no_such_upload()
        self._following.arrived(self.offset)
        if not self.missing:
            self._hashed()

    def _hashed(self) -> None:
        try:
            self._following.digest()
        except GivenUp:  # the upload was removed
            raise no_such_upload() from None

    def _write_back(self) -> None:
        """Have the disk begin without waiting for it: then little is left to wait for at the end."""
        os.posix_fadvise(self._file, self._written_back, self.offset - self._written_back, os.POSIX_FADV_DONTNEED)
        self._written_back = self.offset


def no_such_upload() -> UnknownStep:
    return UnknownStep(
        say("This upload is not there any more."),
        why=say("It was stopped, or nothing came for 24 hours."),
        todo=say("Choose the file again; it is sent from its beginning."),
    )


def wrong_offset(offset: int) -> Stale:
    return Stale(
        say("The upload goes on at another place."),
        why=say("%(size)s bytes of the file are here.", size=offset),
        todo=say("Ask how much is here, and send what comes after."),
    )


def busy() -> Busy:
    return Busy(
        say("The upload goes on over another connection."),
        why=say("Only one can add to it at a time."),
        todo=say("Try again in a moment."),
    )


def too_many() -> InvalidInput:
    return InvalidInput(
        say("Two uploads of yours have not ended yet."),
        why=say("Only so many can be under way at once."),
        todo=say("Finish one, or stop it, and then begin another."),
    )
