"""The body of a request on its way into an upload: the kernel moves it from the socket to the file where it can.

All that is known of gunicorn's insides is here. Of version 27: `environ["gunicorn.socket"]` is the connection,
`wsgi.input` has a `reader`, which counts in `length` what is still to come of a body of known length, and takes what
was read together with the headers from its `unreader`. As long as that count is kept true, the connection serves the
next request, and a body that was left unread ends it.
"""

import fcntl
import os
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Protocol

from flask import Request
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from wizard.ports import Incoming

SECONDS_TO_WAIT = 30
"""For the next byte. A client that has vanished without a word holds its turn no longer."""
PIPE = 1 << 20
"""Bytes that the kernel moves at once; more needs root (pipe(7))."""
PIECE = 1 << 16
"""Bytes that are read at once where it cannot."""


class Sum(Protocol):
    """A digest of hashlib."""

    def update(self, data: bytes, /) -> None: ...


def receive(request: Request, turn: Incoming, digest: Sum | None = None, seconds: float = SECONDS_TO_WAIT) -> None:
    """Add the body to the upload; with a digest, all that is added goes through it.

    A client that is gone, or silent for so many seconds, is no error: what has come counts. RequestEntityTooLarge when
    more comes than was announced; InvalidInput as Incoming has it.
    """
    if (request.content_length or 0) > turn.missing:
        raise RequestEntityTooLarge
    connection, body = request.environ.get("gunicorn.socket"), request.environ["wsgi.input"]
    if digest is None and connection is not None and is_direct(connection, body):
        splice(connection, body.reader, turn, seconds)
    else:
        with patience(connection, seconds):
            copy(request.stream, turn, digest)


def is_direct(connection: socket.socket, body: Any) -> bool:
    """Whether the rest of the body comes over the connection as it is, of known length, and none of it was read."""
    return (
        not isinstance(connection, ssl.SSLSocket)
        and isinstance(body, Body)
        and isinstance(body.reader, LengthReader)
        and not body.buf.tell()
    )


def splice(connection: socket.socket, reader: LengthReader, turn: Incoming, seconds: float) -> None:
    """By splice(2): no byte of it comes into this process but those that were read together with the headers."""
    ahead = reader.unreader.take_buffered()
    reader.unreader.unread(ahead[reader.length :])  # of the next request
    ahead = ahead[: reader.length]
    reader.length -= len(ahead)
    turn.write(memoryview(ahead))
    with piped() as (end, begin):
        while reader.length and (size := arrived(connection, begin, reader.length, seconds)):
            reader.length -= size
            while size:
                moved = os.splice(end, turn.fileno(), size, offset_dst=turn.offset)
                turn.added(moved)
                size -= moved


def arrived(connection: socket.socket, begin: int, most: int, seconds: float) -> int:
    """How many bytes have come into the pipe: none when the client is gone, or silent for so long."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    if not waiting.poll(seconds * 1000):
        return 0
    try:
        return os.splice(connection.fileno(), begin, min(most, PIPE))
    except ConnectionError:
        return 0


@contextmanager
def piped() -> Iterator[tuple[int, int]]:
    """A pipe: the end to read from, and the one to write to."""
    end, begin = os.pipe()
    try:
        with suppress(OSError):  # it is smaller where users may not have more; then it takes longer
            fcntl.fcntl(begin, fcntl.F_SETPIPE_SZ, PIPE)
        yield end, begin
    finally:
        os.close(end)
        os.close(begin)


def copy(stream: IO[bytes], turn: Incoming, digest: Sum | None) -> None:
    """As any WSGI server gives it, in pieces."""
    while data := following(stream, min(PIECE, turn.missing)):
        if digest is not None:
            digest.update(data)
        turn.write(memoryview(data))
    if not turn.missing and following(stream, 1):
        raise RequestEntityTooLarge


def following(stream: IO[bytes], size: int) -> bytes:
    """The next bytes; none at the end, be it that the client is gone, silent for too long, or makes no sense."""
    try:
        return stream.read(size) if size else b""
    except (OSError, ParseException, ClientDisconnected):
        return b""


@contextmanager
def patience(connection: socket.socket | None, seconds: float) -> Iterator[None]:
    """gunicorn waits for ever; where it is not gunicorn that serves, its own patience counts."""
    if connection is None:
        yield
        return
    before = connection.gettimeout()
    connection.settimeout(seconds)
    try:
        yield
    finally:
        with suppress(OSError):  # it is closed already
            connection.settimeout(before)
