"""ports.Uploads in memory: what arrives whole becomes an image, unless told otherwise."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from io import BytesIO

from tests.fakes import FakeSpool, Programmable
from wizard.domain.image import Image
from wizard.domain.upload import LIFE, Passport, Upload
from wizard.errors import Stale, UnknownStep
from wizard.text import say


class FakeTurn:
    """ports.Incoming; nobody can write to it but by `write`."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.content = b""

    @property
    def offset(self) -> int:
        return self.upload.offset + len(self.content)

    @property
    def missing(self) -> int:
        return self.upload.length - self.offset

    def fileno(self) -> int:
        raise OSError("It is no file.")

    def added(self, size: int, /) -> None:
        raise OSError("It is no file.")

    def write(self, data: memoryview, /) -> None:
        self.content += bytes(data)

    def undo(self) -> None:
        self.content = b""


class FakeUploads(Programmable):
    def __init__(self, spool: FakeSpool) -> None:
        super().__init__()
        self._spool = spool
        self.passport_of: dict[str, Passport] = {}
        self._uploads: dict[str, Upload] = {}
        self._contents: dict[str, bytes] = {}
        self._images: dict[str, Image] = {}

    def create(self, owner: str, length: int, filename: str, mark: str, now: datetime) -> Upload:
        self._called("create", owner, length, filename)
        upload = Upload(
            id=f"{self.count('create'):032x}",
            owner=owner,
            filename=filename,
            length=length,
            offset=0,
            mark=mark,
            expires_at=now + LIFE,
        )
        self._uploads[upload.id], self._contents[upload.id] = upload, b""
        return upload

    def find(self, id: str, owner: str, now: datetime) -> Upload:
        upload = self._uploads.get(id)
        if upload is None or upload.owner != owner:
            raise UnknownStep(say("This upload is not there any more."))
        return upload

    def unfinished(self, owner: str, now: datetime) -> Sequence[Upload]:
        return [it for it in self._uploads.values() if it.owner == owner and it.id not in self._images]

    @contextmanager
    def append(
        self, id: str, owner: str, offset: int, now: datetime, *, is_doubtful: bool = False
    ) -> Iterator[FakeTurn]:
        self._called("append", id, offset)
        upload = self.find(id, owner, now)
        if upload.offset != offset:
            raise Stale(say("The upload goes on at another place."))
        turn = FakeTurn(upload)
        yield turn
        self._contents[id] += turn.content
        self._uploads[id] = replace(upload, offset=turn.offset, expires_at=now + LIFE)

    def remove(self, id: str, owner: str, now: datetime) -> None:
        self._called("remove", id)
        del self._uploads[self.find(id, owner, now).id]

    def passport(self, id: str, owner: str, now: datetime) -> Passport:
        self.find(id, owner, now)
        return self.passport_of.get(id, Passport())

    def image(self, id: str, owner: str, now: datetime) -> Image:
        self._called("image", id)
        upload, content = self.find(id, owner, now), self._contents[id]
        if id not in self._images:
            image = self._spool.receive(BytesIO(content), upload.length, upload.filename)
            self._images[id] = replace(image, received=hashlib.sha256(content).hexdigest())
        return self._images[id]

    def sweep(self, now: datetime) -> None:
        self._called("sweep")
