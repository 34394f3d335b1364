"""A strict reader of tar files that come from outside: one pass over a stream, in constant memory.

It understands ustar, the pax keys path, size and linkpath, and GNU long names: what the engines write. Anything that
two programs could read differently is refused. Python's own tarfile is not used, because a small file can make it loop
for ever, and because it is made to be lenient.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from wizard.archive.limits import LARGEST_ARCHIVE, LARGEST_EXTENSION, LONGEST_NAME, MOST_MEMBERS, PIECE
from wizard.archive.verdicts import Refused

BLOCK = 512

COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2"}
"""How the compressed files begin that are mistaken for tar files."""


class Readable(Protocol):
    """As much of a binary file as is needed: it may give less than asked for, and nothing at its end."""

    def read(self, size: int, /) -> bytes: ...


class Source:
    """A stream, read in exact amounts. `position` is the number of bytes read so far."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.position = 0

    def up_to(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        parts = []
        while size and (part := self._stream.read(size)):
            parts.append(part)
            size -= len(part)
            self.position += len(part)
        if self.position > LARGEST_ARCHIVE:
            raise Refused("too-large", limit=LARGEST_ARCHIVE >> 30)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def exactly(self, size: int) -> bytes:
        data = self.up_to(size)
        if len(data) < size:
            raise Refused("truncated", size=self.position)
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, in pieces."""
        while size:
            piece = self.exactly(min(size, PIECE))
            size -= len(piece)
            yield piece


class Kind(Enum):
    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    """A symbolic one."""
    OTHER = "other"
    """A hard link, a device, a FIFO."""


KINDS = {b"0": Kind.FILE, b"\0": Kind.FILE, b"2": Kind.LINK, b"5": Kind.FOLDER} | dict.fromkeys(
    (b"1", b"3", b"4", b"6"), Kind.OTHER
)
PAX, LONG_NAME, LONG_LINK = b"x", b"L", b"K"


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry. `name` is relative, without `.` or `..` and without a slash at its end; `size` in bytes."""

    name: str
    kind: Kind
    size: int
    link: bytes
    """Where the header says that a link leads to. What is longer than a header holds is not looked at."""


@dataclass(frozen=True, kw_only=True)
class Header:
    name: bytes
    size: int
    type: bytes
    link: bytes


class Tar:
    """The members of a tar file in order. After each one `content()` may be read; what is left of it is skipped."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: bytes | None = None
        self._left = 0
        self._padding = 0
        self._headers = 0

    def members(self) -> Iterator[Member]:
        """All of them, then nothing but zeros to the end of the stream. Refused when it is no such file."""
        self._begin()
        names: set[str] = set()
        while (member := self._next()) is not None:
            if member.name in names:
                raise Refused("duplicate", member=member.name)
            names.add(member.name)
            yield member
            for _ in self.content():
                pass
        self._end()

    def content(self) -> Iterator[bytes]:
        """The content of the present member, in pieces of up to 1 MB."""
        while self._left:
            piece = self._source.exactly(min(self._left, PIECE))
            self._left -= len(piece)
            yield piece
        self._source.exactly(self._padding)
        self._padding = 0

    def _begin(self) -> None:
        """Read the first header apart from the others: it tells a tar file from something else."""
        self._first = self._source.up_to(BLOCK)
        if not self._first:
            raise Refused("empty")
        for magic, kind in COMPRESSIONS.items():
            if self._first.startswith(magic):
                raise Refused("compressed", kind=kind)
        if self._first.strip(b"\0") and self._first[257:262] != b"ustar":
            raise Refused("not-tar")
        if len(self._first) < BLOCK:
            raise Refused("truncated", size=self._source.position)

    def _next(self) -> Member | None:
        name, size = None, None
        while (header := self._header()) is not None:
            if header.type == PAX:
                keys = _pax_keys(self._extension(header), self._source.position)
                name, size = keys.get(b"path", name), _pax_size(keys, size, self._source.position)
            elif header.type == LONG_NAME:
                name = self._extension(header).rstrip(b"\0")
            elif header.type == LONG_LINK:
                self._extension(header)
            else:
                return self._member(
                    header, header.name if name is None else name, header.size if size is None else size
                )
        if name is not None or size is not None:
            raise self._unreadable()
        return None

    def _member(self, header: Header, name: bytes, size: int) -> Member:
        kind = KINDS.get(header.type)
        if kind is None or (kind is Kind.FOLDER and size):
            raise self._unreadable()
        self._left, self._padding = size, -size % BLOCK
        return Member(name=_clean(name, is_folder=kind is Kind.FOLDER), kind=kind, size=size, link=header.link)

    def _header(self) -> Header | None:
        """The next header, or None at the end mark."""
        block, self._first = self._first or self._source.exactly(BLOCK), None
        if not block.strip(b"\0"):
            return None
        self._headers += 1
        if self._headers > MOST_MEMBERS:
            raise Refused("too-many-members", limit=MOST_MEMBERS)
        return _parse(block, self._source.position - BLOCK)

    def _extension(self, header: Header) -> bytes:
        if header.size > LARGEST_EXTENSION:
            raise Refused("name")
        content = self._source.exactly(header.size)
        self._source.exactly(-header.size % BLOCK)
        return content

    def _end(self) -> None:
        """The second half of the end mark, and the zeros that fill the last record."""
        if self._source.exactly(BLOCK).strip(b"\0"):
            raise Refused("trailing")
        while rest := self._source.up_to(PIECE):
            if rest.strip(b"\0"):
                raise Refused("trailing")

    def _unreadable(self) -> Refused:
        return Refused("header", position=self._source.position - BLOCK)


def _parse(block: bytes, position: int) -> Header:
    """A header block, its checksum verified."""
    unreadable = Refused("header", position=position)
    stated = _octal(block[148:156])
    if stated is None or stated != sum(block[:148]) + sum(block[156:]) + 8 * ord(" "):
        raise Refused("checksum", position=position)
    magic, size = block[257:265], _octal(block[124:136])
    if magic not in (b"ustar\x0000", b"ustar  \0") or size is None:
        raise unreadable
    name, prefix = block[:100].split(b"\0")[0], block[345:500].split(b"\0")[0]
    if magic == b"ustar\x0000" and prefix:
        name = prefix + b"/" + name
    return Header(name=name, size=size, type=block[156:157], link=block[157:257].split(b"\0")[0])


def _octal(digits: bytes) -> int | None:
    match = re.fullmatch(rb" *([0-7]+)[ \0]*", digits)
    return int(match[1], 8) if match else None


def _pax_keys(content: bytes, position: int) -> dict[bytes, bytes]:
    """The records of a pax header: `<length> <key>=<value>\\n`, the length that of the whole record, in decimal."""
    keys: dict[bytes, bytes] = {}
    while content:
        match = re.match(rb"([1-9][0-9]{0,5}) ([^=]+)=", content)
        length = int(match[1]) if match else 0
        if match is None or not match.end() < length <= len(content) or content[length - 1 : length] != b"\n":
            raise Refused("header", position=position)
        key, value = match[2], content[match.end() : length - 1]
        if key in keys or key.startswith(b"GNU.sparse"):
            raise Refused("header", position=position)
        keys[key], content = value, content[length:]
    return keys


def _pax_size(keys: dict[bytes, bytes], otherwise: int | None, position: int) -> int | None:
    if b"size" not in keys:
        return otherwise
    if not re.fullmatch(rb"[0-9]{1,15}", keys[b"size"]):
        raise Refused("header", position=position)
    return int(keys[b"size"])


def _clean(raw: bytes, *, is_folder: bool) -> str:
    """The name as it is compared and shown; Refused when it could mean anything but a place inside the archive."""
    if len(raw) > LONGEST_NAME:
        raise Refused("name")
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise Refused("name") from None
    if name.startswith("/") or ".." in name.split("/"):
        raise Refused("escaping", member=name)
    name = name.removeprefix("./")
    if is_folder:
        name = name.removesuffix("/") or "."
    if "\0" in name or (name != "." and not set(name.split("/")).isdisjoint({"", "."})):
        raise Refused("name")
    if name == "." and not is_folder:
        raise Refused("name")
    return name
