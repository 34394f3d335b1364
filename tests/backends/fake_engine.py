"""Whoever may answer in the place of an engine: a socket, and what it says to each connection."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[bytes], Iterable[bytes]]
"""What is sent, piece by piece, for the head of a request; afterwards the connection is ended."""

VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24", "Arch": "amd64"}


@dataclass
class FakeEngine:
    """`heads` are those of the requests that came, in order; `ended` is set when it is to end."""

    port: int
    heads: list[bytes] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def drip(self, piece: bytes = b" ") -> Iterator[bytes]:
        """A byte now and then, as long as somebody listens."""
        while not self.ended.wait(0.1):
            yield piece

    def silence(self) -> Iterator[bytes]:
        """A connection that is half open."""
        self.ended.wait()
        yield b""


@contextmanager
def fake_engine(answer: Callable[[FakeEngine], Answer], tls: ssl.SSLContext | None = None) -> Iterator[FakeEngine]:
    """It listens at a port of this machine until the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        engine = FakeEngine(listener.getsockname()[1])
        accepting = threading.Thread(target=_accept, args=(listener, engine, answer(engine), tls))
        accepting.start()
        try:
            yield engine
        finally:
            engine.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, engine: FakeEngine, answer: Answer, tls: ssl.SSLContext | None) -> None:
    talks = []
    with suppress(OSError):  # it is the end
        while True:
            connection, _ = listener.accept()
            talks.append(threading.Thread(target=_talk, args=(connection, engine, answer, tls)))
            talks[-1].start()
    for talk in talks:
        talk.join()


def _talk(connection: socket.socket, engine: FakeEngine, answer: Answer, tls: ssl.SSLContext | None) -> None:
    connection.settimeout(5)
    with connection, suppress(OSError), _greeted(connection, tls) as spoken:  # or whoever asked has gone
        head = b""
        while not _is_whole(head) and (piece := spoken.recv(1 << 16)):
            head += piece
        engine.heads.append(head)
        for piece in answer(head):
            spoken.sendall(piece)


def _greeted(connection: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    """After the handshake. Whoever is not let in has the time to read why: ended at once, it might not arrive."""
    if tls is None:
        return connection
    beneath = connection.dup()
    try:
        return tls.wrap_socket(connection, server_side=True)
    except ssl.SSLError:
        while beneath.recv(1 << 16):
            continue
        raise
    finally:
        beneath.close()


def _is_whole(head: bytes) -> bool:
    """A handshake of TLS (RFC 8446, 5.1) is no request, and no server waits for the end of it."""
    return b"\r\n\r\n" in head or head.startswith(b"\x16\x03")


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(*pieces: bytes) -> Callable[[FakeEngine], Answer]:
    """The same to everybody."""
    return lambda engine: lambda head: pieces


def speaks(answer: Callable[[FakeEngine], Iterable[bytes]]) -> Callable[[FakeEngine], Answer]:
    """An engine that says its version, and to whatever else it is asked, that."""
    return lambda engine: lambda head: [version()] if b"/version" in head.split(b"\r\n")[0] else answer(engine)


def version(**changes: object) -> bytes:
    return http(json.dumps(VERSION | changes).encode())
