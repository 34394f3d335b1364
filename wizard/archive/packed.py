"""Unpacks gzip, xz and zstd while reading: the archive as a whole, and its layers.

A small file can ask for much: 1 MB of zstd unpacks to 32 GB, or needs 2 GB of memory for its window, or is a hundred
thousand empty streams. So everything that it could ask for is capped. Several streams one after another are one file:
bgzip, pzstd and zstd:chunked write them.
"""

import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from backports import zstd

from wizard.archive.limits import (
    AHEAD,
    ALLOWANCE,
    LARGEST_ARCHIVE,
    LARGEST_WINDOW,
    MOST_STREAMS,
    MOST_ZEROS,
    RATIO,
    XZ_MEMORY,
)
from wizard.archive.tar import Readable, too_large
from wizard.archive.verdicts import Refused

PLAIN = "tar"
GZIP, XZ, ZSTD = "gzip", "xz", "zstd"
SKIPPABLE = tuple(bytes((0x50 + it, 0x2A, 0x4D, 0x18)) for it in range(16))
"""How frames begin that readers of zstd leave out (RFC 8878, 3.1.2)."""
MAGICS = {b"\x1f\x8b": GZIP, b"\xfd7zXZ\x00": XZ, b"\x28\xb5\x2f\xfd": ZSTD} | dict.fromkeys(SKIPPABLE, ZSTD)
FOREIGN = {b"BZh": "bzip2", b"\x04\x22\x4d\x18": "lz4"}
"""How files begin that are packed, and are not unpacked here."""
LONGEST_MAGIC = max(map(len, MAGICS))


class Stream(Protocol):
    """One gzip member, xz stream or zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class GzipStream:
    """zlib's, made like the others: it keeps what it has not read yet."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._is_full = False

    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        unpacked = self._unpacker.decompress(self._unpacker.unconsumed_tail + data, max_length)
        self._is_full = len(unpacked) == max_length  # more may be waiting inside, though all was read
        return unpacked

    @property
    def needs_input(self) -> bool:
        return not self._unpacker.unconsumed_tail and not self._is_full

    @property
    def eof(self) -> bool:
        return self._unpacker.eof

    @property
    def unused_data(self) -> bytes:
        return self._unpacker.unused_data


def _xz() -> Stream:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)


def _zstd() -> Stream:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW})


STREAMS: Mapping[str, Callable[[], Stream]] = {GZIP: GzipStream, XZ: _xz, ZSTD: _zstd}
FAILURES = (zlib.error, lzma.LZMAError, zstd.ZstdError)


def form_of(begin: bytes) -> str:
    """How what begins like that is packed; nothing when it is not, or in no known way."""
    return next((form for magic, form in MAGICS.items() if begin.startswith(magic)), "")


def foreign_form_of(begin: bytes) -> str:
    return next((form for magic, form in FOREIGN.items() if begin.startswith(magic)), "")


def opened(stream: Readable) -> tuple[Readable, str]:
    """The plain archive in a received file, and how it was packed: `tar` when it was not, or `gzip`, `xz` or `zstd`."""
    begin = Begun(stream)
    if foreign := foreign_form_of(begin.head):
        raise Refused("compressed", kind=foreign)
    form = form_of(begin.head)
    if not form:
        return begin, PLAIN
    within = Begun(Unpacked(begin, form))
    if form_of(within.head) or foreign_form_of(within.head):
        raise Refused("packed-twice")
    return within, form


class Begun:
    """A stream of which the head was looked at."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ahead = b""
        while len(self._ahead) < LONGEST_MAGIC and (more := stream.read(AHEAD)):
            self._ahead += more
        self.head = self._ahead[:LONGEST_MAGIC]

    def read(self, size: int, /) -> bytes:
        if not self._ahead:
            return self._stream.read(size)
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data


class Unpacked:
    """What was packed. Refused as soon as it cannot be unpacked, or asks for more than a real file does."""

    def __init__(self, stream: Readable, form: str) -> None:
        self._packed = stream
        self._form = form
        self._ahead = b""
        self._stream: Stream | None = None
        self._streams = 0
        self._size_of_stream = 0
        self._is_left_out = False
        self._may_go_on = True
        self._read = 0
        self._unpacked = 0

    def read(self, size: int, /) -> bytes:
        """Some of the next `size` bytes; nothing only after the end of the last stream."""
        while (stream := self._stream or self._next_stream()) is not None:
            if data := self._unpack(stream, min(size, AHEAD)):
                return data
        return b""

    def _unpack(self, stream: Stream, most: int) -> bytes:
        packed = self._taken() if stream.needs_input else b""
        try:
            data = stream.decompress(packed, most)
        except FAILURES as error:
            raise Refused("packed-memory" if "emory" in str(error) else "packed-damaged") from None
        self._count(len(data))
        if stream.eof:
            self._end(stream)
        return data

    def _taken(self) -> bytes:
        packed, self._ahead = self._ahead or self._packed.read(AHEAD), b""
        if not packed:
            raise Refused("truncated", size=self._read)
        self._read += len(packed)
        return packed

    def _count(self, size: int) -> None:
        self._size_of_stream += size
        self._unpacked += size
        if self._unpacked > LARGEST_ARCHIVE:
            raise too_large()
        if self._unpacked > ALLOWANCE + RATIO * self._read:
            raise Refused("packed-ratio", limit=RATIO)

    def _end(self, stream: Stream) -> None:
        self._ahead, self._stream = stream.unused_data, None
        self._read -= len(self._ahead)
        self._may_go_on = self._is_left_out or self._size_of_stream > 0

    def _next_stream(self) -> Stream | None:
        """More of the same kind, or nothing at the end. An empty stream is the last one, as bgzip writes it."""
        self._look_ahead()
        if self._streams and self._form == XZ:
            self._skip_padding()
        if not self._ahead:
            return None
        if form_of(self._ahead) != self._form:
            raise Refused("trailing")
        if self._streams == MOST_STREAMS or not self._may_go_on:
            raise Refused("packed-streams", limit=MOST_STREAMS)
        self._streams += 1
        self._size_of_stream = 0
        self._is_left_out = self._ahead.startswith(SKIPPABLE)
        self._stream = STREAMS[self._form]()
        return self._stream

    def _skip_padding(self) -> None:
        """Zeros in fours may fill the place behind a stream (the xz file format, 2.2)."""
        zeros = 0
        while self._ahead.startswith(b"\0"):
            rest = self._ahead.lstrip(b"\0")
            zeros += len(self._ahead) - len(rest)
            self._ahead = rest
            self._look_ahead()
        if zeros % 4 or zeros > MOST_ZEROS:
            raise Refused("trailing")

    def _look_ahead(self) -> None:
        while len(self._ahead) < LONGEST_MAGIC and (more := self._packed.read(AHEAD)):
            self._ahead += more
