"""What comes from an engine: the words of a load, a file of a volume, the output of a container."""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from wizard.ports import Progress

PIECE = 256 << 10
"""Bytes. So many stay in the processor's cache between disk and engine; with 1 MB a load takes it twice the time."""
LARGEST_FILE = 1 << 20
"""Bytes of a file of a config volume. The largest, privateConfig, has a few hundred."""
LONGEST_OUTPUT = 64 << 10
"""Bytes of a container's output that are kept: the last ones."""
MOST_OUTPUT = 16 << 20
"""Bytes that are read to find the last ones. Its log is changed for a new one after 3 MB."""
_BLOCK = 512
_FRAME = 8
_REGULAR = (b"0", b"\0")

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
"""Sequences that a terminal would obey (ECMA-48): colours, and worse."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Telling:
    """A file in pieces for an upload. Progress is told before each; when it raises, the upload ends with `stopped`.

    The library that sends the pieces would take what is raised for an error of the connection.
    """

    def __init__(self, file: BinaryIO, size: int, progress: Progress) -> None:
        self._file = file
        self._size = size
        self._progress = progress
        self.stopped: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        done = 0
        while piece := self._file.read(PIECE):
            try:
                self._progress(done, self._size)
            except BaseException as reason:
                self.stopped = reason
                raise
            yield piece
            done += len(piece)


def error_of(messages: Iterable[object]) -> str:
    """The error that a load ended with, or nothing. They are read to the end: HTTP 200 of a load means nothing."""
    errors = [str(message["error"]) for message in messages if isinstance(message, dict) and message.get("error")]
    return errors[-1] if errors else ""


def file_of(archive: Iterable[bytes]) -> bytes | None:
    """The one regular file of a tar stream that an engine made; None when it is a folder, a link, or too large."""
    content = bytearray()
    for piece in archive:
        content += piece
        if len(content) > LARGEST_FILE + 8 * _BLOCK:
            return None
    offset = 0
    while offset + _BLOCK <= len(content):
        header = bytes(content[offset : offset + _BLOCK])
        size, kind = _size(header), header[156:157]
        offset += _BLOCK
        if kind in _REGULAR:
            return bytes(content[offset : offset + size]) if len(content) >= offset + size else None
        if kind not in (b"x", b"g"):  # notes of the file that follows
            return None
        offset += -(-size // _BLOCK) * _BLOCK
    return None


def _size(header: bytes) -> int:
    try:
        return int(header[124:136].strip(b" \0") or b"0", 8)
    except ValueError:
        return LARGEST_FILE + 1


def output_of(pieces: Iterable[bytes], *, has_terminal: bool = False) -> str:
    """The end of what a container printed. Without a terminal, the two streams come in frames (API: attach)."""
    kept, read = bytearray(), 0
    for piece in pieces if has_terminal else _unframed(pieces):
        kept += piece
        read += len(piece)
        del kept[:-LONGEST_OUTPUT]
        if read > MOST_OUTPUT:
            break
    return defused(bytes(kept))


def _unframed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of frames that each begin with a number of four bytes, the stream, and a length of four bytes."""
    header, left = b"", 0
    for piece in pieces:
        view = memoryview(piece)
        while view:
            if left == 0:
                missing = _FRAME - len(header)
                header, view = header + bytes(view[:missing]), view[missing:]
                if len(header) == _FRAME:
                    left, header = int.from_bytes(header[4:]), b""
                continue
            yield bytes(view[:left])
            left, view = left - len(view[:left]), view[left:]


def defused(output: bytes) -> str:
    """What a container printed, as text that no terminal and no page obeys."""
    text = output.decode(errors="replace").replace("\r\n", "\n")
    return _CONTROLS.sub("�", _ESCAPES.sub("", text))
