"""Bodies on gunicorn's connections, over real sockets: where each byte goes, and when one is no longer waited for."""

import hashlib
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from flask import Request
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader
from werkzeug.exceptions import RequestEntityTooLarge

from wizard.web.receiving import PIECE, is_direct, receive

DATA = random.Random(5).randbytes(3_000_000)
SHORT = 0.05
"""Seconds of patience."""


class FileTurn:
    """ports.Incoming into a file that has some bytes already."""

    def __init__(self, path: Path, length: int, there: bytes = b"there") -> None:
        self.file = path.open("wb+", buffering=0)
        self.file.write(there)
        self.length, self.offset = len(there) + length, len(there)
        self.written = 0
        """Bytes that came through this process."""

    @property
    def missing(self) -> int:
        return self.length - self.offset

    def fileno(self) -> int:
        return self.file.fileno()

    def added(self, size: int, /) -> None:
        self.offset += size

    def write(self, data: memoryview, /) -> None:
        self.file.seek(self.offset)
        self.file.write(data)
        self.offset += len(data)
        self.written += len(data)

    def undo(self) -> None:
        raise NotImplementedError

    def content(self) -> bytes:
        return Path(self.file.name).read_bytes()


Take = Callable[[int], FileTurn]


@dataclass
class Connection:
    """Both ends of one, and the request that came over it."""

    client: socket.socket
    server: socket.socket
    unreader: SocketUnreader

    def request(self, length: int | None) -> Request:
        reader = ChunkedReader(None, self.unreader) if length is None else LengthReader(self.unreader, length)
        environ = {
            "REQUEST_METHOD": "PATCH",
            "wsgi.input": Body(reader),
            "wsgi.input_terminated": True,
            "gunicorn.socket": self.server,
        }
        return Request(environ if length is None else environ | {"CONTENT_LENGTH": str(length)})

    def send(self, data: bytes, *, ends: bool = False) -> None:
        """In a thread, as somebody far away does."""

        def run() -> None:
            self.client.sendall(data)
            if ends:
                self.client.close()

        Thread(target=run).start()


@pytest.fixture
def connection() -> Iterator[Connection]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        yield Connection(client, server, SocketUnreader(server))


@pytest.fixture
def turn(tmp_path: Path) -> Iterator[Take]:
    turns: list[FileTurn] = []

    def take(length: int) -> FileTurn:
        turns.append(FileTurn(tmp_path / "bytes", length))
        return turns[-1]

    yield take
    for it in turns:
        it.file.close()


def test_a_body_is_moved_by_the_kernel(connection: Connection, turn: Take) -> None:
    request, arriving = connection.request(len(DATA)), turn(len(DATA))
    connection.send(DATA)
    receive(request, arriving)
    assert arriving.content() == b"there" + DATA
    assert (arriving.missing, arriving.written) == (0, 0)


def test_what_was_read_with_the_headers_is_part_of_it_and_what_follows_is_not(
    connection: Connection, turn: Take
) -> None:
    request, arriving = connection.request(len(DATA)), turn(len(DATA))
    connection.unreader.unread(DATA[:5000])
    connection.send(DATA[5000:] + b"GET / HTTP/1.1")
    receive(request, arriving)
    assert arriving.content() == b"there" + DATA
    assert arriving.written == 5000
    assert request.environ["wsgi.input"].read() == b""
    assert connection.unreader.read(14) == b"GET / HTTP/1.1"


def test_the_next_request_that_was_read_already_is_not_lost(connection: Connection, turn: Take) -> None:
    request, arriving = connection.request(5), turn(5)
    connection.unreader.unread(b"12345GET / HTTP/1.1")
    receive(request, arriving)
    assert arriving.content() == b"there12345"
    assert connection.unreader.read(14) == b"GET / HTTP/1.1"


def test_more_than_is_missing_is_refused_before_it_is_read(connection: Connection, turn: Take) -> None:
    arriving = turn(10)
    with pytest.raises(RequestEntityTooLarge):
        receive(connection.request(11), arriving)
    assert arriving.offset == 5


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("with_digest", [False, True])
def test_of_a_client_that_hangs_up_all_that_came_is_kept(
    connection: Connection, turn: Take, reset: bool, with_digest: bool
) -> None:
    request, arriving = connection.request(len(DATA)), turn(len(DATA))
    connection.client.sendall(DATA[:100_000])
    if reset:
        connection.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.client.close()
    receive(request, arriving, hashlib.sha1(usedforsecurity=False) if with_digest else None)
    kept = arriving.content()
    assert kept == b"there" + DATA[: len(kept) - 5]
    assert len(kept) >= 100_000 - PIECE * (reset and with_digest)


@pytest.mark.parametrize("with_digest", [False, True])
def test_a_client_that_says_nothing_is_not_waited_for(connection: Connection, turn: Take, with_digest: bool) -> None:
    request, arriving = connection.request(len(DATA)), turn(len(DATA))
    connection.client.sendall(DATA[:PIECE])
    receive(request, arriving, hashlib.sha1(usedforsecurity=False) if with_digest else None, seconds=SHORT)
    assert arriving.content() == b"there" + DATA[:PIECE]
    assert connection.server.gettimeout() is None


def test_bytes_that_have_a_checksum_go_through_it(connection: Connection, turn: Take) -> None:
    request, arriving, digest = connection.request(len(DATA)), turn(len(DATA)), hashlib.sha256()
    connection.send(DATA)
    receive(request, arriving, digest)
    assert arriving.content() == b"there" + DATA
    assert digest.digest() == hashlib.sha256(DATA).digest()


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)


def test_a_body_in_chunks_is_read_to_its_end(connection: Connection, turn: Take) -> None:
    request, arriving = connection.request(None), turn(len(DATA) + 1)
    connection.send(chunked(DATA))
    receive(request, arriving)
    assert arriving.content() == b"there" + DATA


def test_chunks_with_more_than_is_missing_are_too_large(connection: Connection, turn: Take) -> None:
    request, arriving = connection.request(None), turn(1000)
    connection.send(chunked(DATA[:1001]))
    with pytest.raises(RequestEntityTooLarge):
        receive(request, arriving)
    assert arriving.content() == b"there" + DATA[:1000]


@pytest.mark.parametrize("nonsense", [b"no number\r\n", b"5\r\nab", b"2\r\nabc\r\n", b"-1\r\n"])
def test_chunks_that_make_no_sense_are_the_end(connection: Connection, turn: Take, nonsense: bytes) -> None:
    request, arriving = connection.request(None), turn(1000)
    connection.send(nonsense, ends=True)
    receive(request, arriving)
    assert arriving.content() in (b"there", b"thereab")


def test_another_server_gives_its_stream(tmp_path: Path) -> None:
    arriving = FileTurn(tmp_path / "bytes", len(DATA))
    environ = {"REQUEST_METHOD": "PATCH", "CONTENT_LENGTH": str(len(DATA)), "wsgi.input": BytesIO(DATA)}
    with arriving.file:
        receive(Request(environ), arriving)
        assert arriving.content() == b"there" + DATA


def test_another_server_whose_client_hangs_up_gives_what_came(tmp_path: Path) -> None:
    arriving = FileTurn(tmp_path / "bytes", len(DATA))
    environ = {"REQUEST_METHOD": "PATCH", "CONTENT_LENGTH": str(len(DATA)), "wsgi.input": BytesIO(DATA[:PIECE])}
    with arriving.file:
        receive(Request(environ), arriving)
        assert arriving.content() == b"there" + DATA[:PIECE]


def test_a_body_that_somebody_has_begun_to_read_is_not_taken_from_the_connection(connection: Connection) -> None:
    body = connection.request(10).environ["wsgi.input"]
    assert is_direct(connection.server, body)
    connection.client.sendall(b"a line\n...")
    body.readline()
    body.buf.write(b"rest")
    assert not is_direct(connection.server, body)
