"""Stands between a worker and an engine, on a Unix socket, and acts at exact moments of exact requests.

A connection carries one request after the other, as docker-py sends them. Answers are short here, and passed on whole.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

VERSION = re.compile(r"^/v[0-9.]+")
PIECE = 1 << 16


class Moment(StrEnum):
    """How far a request has come. A share is of a body of `size` bytes, sent in pieces."""

    ASKED = "before the engine hears of it"
    QUARTER = "when a quarter is sent"
    HALF = "when half is sent"
    THREE_QUARTERS = "when three quarters are sent"
    DONE = "when it is done, and not answered"
    ANSWERED = "when it is answered"


SHARES = {Moment.QUARTER: 0.25, Moment.HALF: 0.5, Moment.THREE_QUARTERS: 0.75}


class Severed(Exception):
    """Nobody is left to be answered."""


@dataclass
class Trigger:
    """At that moment of the `nth` request of that form, `act`; then nothing more is passed on when it `severs`."""

    method: str
    path: str
    """A regular expression for the beginning of the path, without the version."""
    moment: Moment
    act: Callable[[], None]
    nth: int = 1
    severs: bool = True
    seen: int = 0
    has_acted: bool = False

    def is_for(self, method: str, path: str) -> bool:
        if method != self.method or re.match(self.path, VERSION.sub("", path)) is None:
            return False
        self.seen += 1
        return self.seen == self.nth


@dataclass
class Interposer:
    """Listens at `listens`, and asks the engine at `engine`: paths of sockets. `size` is that of the largest body."""

    listens: Path
    engine: Path
    size: int
    triggers: list[Trigger] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"unix://{self.listens}"

    def due(self, method: str, path: str) -> list[Trigger]:
        with self.lock:
            return [trigger for trigger in self.triggers if trigger.is_for(method, path)]

    @contextmanager
    def running(self) -> Iterator["Interposer"]:
        interposer = self

        class Handler(Interposed):
            def setup(self) -> None:
                super().setup()
                self.interposer = interposer

        with Server(str(self.listens), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


class Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A worker that was killed answers nothing: the connection is over."""


class Engine(HTTPConnection):
    """A connection to the engine for one request."""

    def __init__(self, path: Path) -> None:
        super().__init__("engine", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


class Interposed(BaseHTTPRequestHandler):
    """Passes each request on, and its answer back."""

    protocol_version = "HTTP/1.1"
    interposer: Interposer

    def pass_on(self) -> None:
        due = self.interposer.due(self.command, self.path)
        engine = Engine(self.interposer.engine)
        try:
            self._act(due, Moment.ASKED)
            engine.request(self.command, self.path, self._body(due), self._headers(), encode_chunked=True)
            answer = engine.getresponse()
            content = answer.read()
            self._act(due, Moment.DONE)
            self._answer(answer.status, answer.getheaders(), content)
            self._act(due, Moment.ANSWERED)
        except (Severed, OSError):
            self.close_connection = True
        finally:
            engine.close()

    do_GET = do_HEAD = do_POST = do_DELETE = pass_on  # noqa: N815 - the library's names

    def _act(self, due: list[Trigger], moment: Moment) -> None:
        for trigger in due:
            if trigger.moment is moment and not trigger.has_acted:
                trigger.has_acted = True
                trigger.act()
                if trigger.severs:
                    raise Severed

    def _headers(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.lower() != "connection"}

    def _body(self, due: list[Trigger]) -> Iterator[bytes] | bytes | None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self._sharing(due)
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else None

    def _sharing(self, due: list[Trigger]) -> Iterator[bytes]:
        sent = 0
        for piece in _chunks(self.rfile):
            for moment, share in SHARES.items():
                if sent >= share * self.interposer.size:
                    self._act(due, moment)
            yield piece
            sent += len(piece)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _chunks(source: BufferedIOBase) -> Iterator[bytes]:
    """The content of a chunked body (RFC 9112, 7.1), in small pieces."""
    while length := int(source.readline().split(b";")[0], 16):
        left = length
        while left:
            piece = source.read(min(left, PIECE))
            if not piece:
                raise Severed
            yield piece
            left -= len(piece)
        source.readline()
    source.readline()
