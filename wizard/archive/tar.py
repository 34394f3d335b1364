"""A strict reader of tar files that come from outside: one pass over a stream, in constant memory.

It understands ustar, pax and GNU long names: what the engines write. Anything that two programs could read differently
is refused. There are two dialects: that of the archive, which has little, and that of the layers in it, which hold a
whole system. Python's own tarfile is not used, because a small file can make it loop for ever, and because it is made
to be lenient.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import NamedTuple, Protocol

from wizard.archive.fields import clean_name, ensure_number, octal, records, wide
from wizard.archive.limits import (
    AHEAD,
    LARGEST_ARCHIVE,
    LARGEST_EXTENSION,
    LARGEST_LAYER_EXTENSION,
    MOST_LAYER_HEADERS,
    MOST_MEMBERS,
    MOST_ZEROS,
    PIECE,
)
from wizard.archive.verdicts import Refused

BLOCK = 512


class Readable(Protocol):
    """As much of a binary file as is needed: it may give less than asked for, and nothing at its end."""

    def read(self, size: int, /) -> bytes: ...


class Source:
    """A stream, read in exact amounts, and a little ahead. `position` is the number of bytes given so far."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ahead = b""
        self._at = 0
        self.position = 0

    def read(self, size: int, /) -> bytes:
        """Some of the next `size` bytes, as they come; nothing only at the end."""
        if self._at < len(self._ahead):
            data = self._ahead[self._at : self._at + size]
            self._at += len(data)
        else:
            data = self._stream.read(size)
        self._count(len(data))
        return data

    def up_to(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        if size > len(self._ahead) - self._at:
            self._fill(size)
        data = self._ahead[self._at : self._at + size]
        self._at += len(data)
        self._count(len(data))
        return data

    def exactly(self, size: int) -> bytes:
        data = self.up_to(size)
        if len(data) < size:
            raise Refused("truncated", size=self.position)
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, in pieces of up to 1 MB."""
        while size:
            piece = self.read(min(size, PIECE))
            if not piece:
                raise Refused("truncated", size=self.position)
            size -= len(piece)
            yield piece

    def _fill(self, size: int) -> None:
        parts = [self._ahead[self._at :]]
        there = len(parts[0])
        while there < size and (part := self._stream.read(max(size - there, AHEAD))):
            parts.append(part)
            there += len(part)
        self._ahead, self._at = b"".join(parts), 0

    def _count(self, size: int) -> None:
        self.position += size
        if self.position > LARGEST_ARCHIVE:
            raise too_large()


def too_large() -> Refused:
    return Refused("too-large", limit=LARGEST_ARCHIVE >> 30)


class Kind(Enum):
    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    """A symbolic one."""
    HARD_LINK = "hard link"
    OTHER = "other"
    """A device, a FIFO."""


KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.LINK,
    b"3": Kind.OTHER,
    b"4": Kind.OTHER,
    b"5": Kind.FOLDER,
    b"6": Kind.OTHER,
}
PAX, LONG_NAME, LONG_LINK = b"x", b"L", b"K"
POSIX, GNU = b"ustar\x0000", b"ustar  \0"
FIELDS = Struct("100s8s8x8x12s12x8sc100s8s32x32x8x8x155s12s")
"""Of a header: name, mode, size, checksum, kind, target of a link, magic, prefix of the name, and what is left over."""
UNNEEDED = Struct("108x8s8s12x12s181x8s8s167x")
"""Numbers that nothing depends on here: the owner, the group, the time, and the two of a device."""
GIVEN = {b"path": LONG_NAME, b"linkpath": LONG_LINK}
"""The records of a pax header that a GNU header may stand for."""

UNIMPORTANT = rb"[amc]time|[ug]id|[ug]name|comment|LIBARCHIVE\..*|SCHILY\.(?:dev|ino|nlink|fflags)"
"""What pax headers may say of a file that changes neither its name nor its content."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What a tar file may have. Sizes in bytes."""

    keys: re.Pattern[bytes]
    """The records of its pax headers. Whatever is not known could change what a file is."""
    has_long_targets: bool
    """Whether an extension may say where a link leads to."""
    has_wide_numbers: bool
    """Whether a number may be in base 256, or left out."""
    has_clean_fields: bool
    """Whether all that is not used has to be zeros: behind a name, and behind content."""
    largest_extension: int
    most_headers: int


OUTSIDE = Dialect(
    keys=re.compile(rb"path|size|" + UNIMPORTANT, re.DOTALL),
    has_long_targets=False,
    has_wide_numbers=False,
    has_clean_fields=True,
    largest_extension=LARGEST_EXTENSION,
    most_headers=MOST_MEMBERS,
)
"""The archive. Nobody needs more than this: docker, podman, buildah, skopeo and containerd write not even pax."""
INSIDE = Dialect(
    keys=re.compile(
        rb"path|linkpath|size|SCHILY\.xattr\.(?:security\.capability|user\.(?!overlay\.).+)|" + UNIMPORTANT, re.DOTALL
    ),
    has_long_targets=True,
    has_wide_numbers=True,
    has_clean_fields=False,
    largest_extension=LARGEST_LAYER_EXTENSION,
    most_headers=MOST_LAYER_HEADERS,
)
"""A layer. The attributes of overlay file systems are not among its records: they could redirect a folder."""


class Entry(NamedTuple):
    """What a header and its extensions say, in bytes and unjudged; `size` in bytes."""

    name: bytes
    kind: Kind
    size: int
    link: bytes
    """Where a link leads to."""
    mode: int
    """The permissions, as chmod(2) has them."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """An entry of an archive. `name` is relative, without `.` or `..` and without a slash at its end."""

    name: str
    kind: Kind
    size: int
    link: bytes
    mode: int


class Tar:
    """The members of a tar file in order. After each one `content()` may be read; what is left of it is skipped."""

    def __init__(self, source: Source, dialect: Dialect = OUTSIDE) -> None:
        self._source = source
        self._dialect = dialect
        self._left = 0
        self._padding = 0
        self._headers = 0

    def members(self) -> Iterator[Member]:
        """The entries, each under a name of its own that means a place inside."""
        names: set[str] = set()
        for entry in self.entries():
            name = clean_name(entry.name, is_folder=entry.kind is Kind.FOLDER)
            if name in names:
                raise Refused("duplicate", member=name)
            names.add(name)
            yield Member(name=name, kind=entry.kind, size=entry.size, link=entry.link, mode=entry.mode)

    def entries(self) -> Iterator[Entry]:
        """All of them, then nothing but zeros to the end of the stream. Refused when it is no such file."""
        block = self._first()
        while (entry := self._entry(block)) is not None:
            yield entry
            if self._left or self._padding:
                for _ in self.content():
                    pass
            block = self._source.exactly(BLOCK)
        self._end()

    def content(self) -> Iterator[bytes]:
        """The content of the present member, in pieces of up to 1 MB."""
        for piece in self._source.pieces(self._left):
            self._left -= len(piece)
            yield piece
        if self._padding:
            self._skip(self._padding)
            self._padding = 0

    def _first(self) -> bytes:
        """The first header. It tells a tar file from something else."""
        block = self._source.up_to(BLOCK)
        if not block:
            raise Refused("empty")
        if block.strip(b"\0") and block[257:262] != b"ustar":
            raise Refused("not-tar")
        if len(block) < BLOCK:
            raise Refused("truncated", size=self._source.position)
        return block

    def _entry(self, block: bytes) -> Entry | None:
        """What this header and those behind it say of one member; None at the end mark."""
        extensions: dict[bytes, bytes] = {}
        is_ambiguous = False
        while block.strip(b"\0"):
            name, mode, size, kind, link = self._header(block)
            if kind not in (PAX, LONG_NAME, LONG_LINK):
                if is_ambiguous:
                    raise self._unreadable()
                given = self._given(extensions) if extensions else extensions
                return self._member(given, Entry(name, self._kind(kind), size, link, mode))
            is_ambiguous |= kind in extensions
            extensions[kind] = self._extension(size)
            block = self._source.exactly(BLOCK)
        if extensions:
            raise self._unreadable()
        return None

    def _header(self, block: bytes) -> tuple[bytes, int, int, bytes, bytes]:
        """Name, mode, size, kind and target of a link, the checksum verified."""
        self._headers += 1
        if self._headers > self._dialect.most_headers:
            raise Refused("too-many-members", limit=self._dialect.most_headers)
        name, mode, size, checksum, kind, link, magic, prefix, rest = FIELDS.unpack(block)
        if not _is_sum(checksum, sum(block) - sum(checksum) + len(checksum) * ord(" ")):
            raise Refused("checksum", position=self._source.position - BLOCK)
        if magic == POSIX and prefix[0]:
            name = self._text(prefix) + b"/" + self._text(name)
        elif magic in (POSIX, GNU):
            name = self._text(name)
        else:
            raise self._unreadable()
        if self._dialect.has_clean_fields and (rest.strip(b"\0") or (magic == POSIX and not prefix[0] and any(prefix))):
            raise self._unreadable()
        return name, *self._numbers(block, mode, size), kind, self._text(link)

    def _text(self, field: bytes) -> bytes:
        text, _, rest = field.partition(b"\0")
        if rest and self._dialect.has_clean_fields and rest.strip(b"\0"):
            raise self._unreadable()
        return text

    def _numbers(self, block: bytes, mode: bytes, size: bytes) -> tuple[int, int]:
        """The mode and the size; what else is there must be numbers as well, for an engine reads it."""
        is_wide = self._dialect.has_wide_numbers
        number = wide if is_wide else octal
        try:
            for field in UNNEEDED.unpack(block):
                ensure_number(field, may_be_wide=is_wide)
            return number(mode), number(size)
        except ValueError:
            raise self._unreadable() from None

    def _kind(self, flag: bytes) -> Kind:
        if flag not in KINDS:
            raise self._unreadable()
        return KINDS[flag]

    def _given(self, extensions: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """What the extensions say, by the keys of pax. No two of them may say the same."""
        try:
            given = records(extensions.get(PAX, b""), self._dialect.keys)
        except ValueError:
            raise self._unreadable() from None
        for key, kind in GIVEN.items():
            if kind in extensions:
                if key in given:
                    raise self._unreadable()
                given[key] = extensions[kind].rstrip(b"\0")
        target = given.get(b"linkpath")
        if target is not None and (not self._dialect.has_long_targets or not target or b"\0" in target):
            raise self._unreadable()
        return given

    def _member(self, given: dict[bytes, bytes], entry: Entry) -> Entry:
        """The entry as the extensions have it. Its content is what comes next."""
        if given:
            size = given.get(b"size", entry.size)
            name, link = given.get(b"path", entry.name), given.get(b"linkpath", entry.link)
            entry = entry._replace(name=name, size=int(size), link=link)
        if entry.size and entry.kind is not Kind.FILE:
            raise self._unreadable()
        if self._source.position + entry.size > LARGEST_ARCHIVE:
            raise too_large()
        self._left, self._padding = entry.size, -entry.size % BLOCK
        return entry

    def _extension(self, size: int) -> bytes:
        if size > self._dialect.largest_extension:
            raise Refused("name")
        content = self._source.exactly(size)
        self._skip(-size % BLOCK)
        return content

    def _skip(self, padding: int) -> None:
        """What fills the last block of a content."""
        if self._source.exactly(padding).strip(b"\0") and self._dialect.has_clean_fields:
            raise Refused("padding", position=self._source.position - padding)

    def _end(self) -> None:
        """The second half of the end mark, and the zeros that fill the last record."""
        if self._source.exactly(BLOCK).strip(b"\0"):
            raise Refused("trailing")
        end = self._source.position + MOST_ZEROS
        while rest := self._source.read(PIECE):
            if rest.strip(b"\0") or self._source.position > end:
                raise Refused("trailing")

    def _unreadable(self) -> Refused:
        return Refused("header", position=self._source.position - BLOCK)


def _is_sum(field: bytes, total: int) -> bool:
    try:
        return octal(field) == total
    except ValueError:
        return False
