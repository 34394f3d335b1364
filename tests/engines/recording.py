"""A wire to an engine that writes down each request that goes through it, and changes none."""

import bisect
import http.client
import io
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from tempfile import TemporaryDirectory

PIECE = 1 << 16


@dataclass(frozen=True)
class Recorded:
    """A request as it was sent; the path without the version of the API."""

    method: str
    path: str
    body: bytes


@dataclass
class Recording:
    """What was sent at `url`, on connections that have ended."""

    url: str
    sent: list[tuple[float, Recorded]] = field(default_factory=list)

    @property
    def requests(self) -> list[Recorded]:
        """In the order in which they began, whichever connections they took."""
        return [request for _, request in sorted(self.sent, key=lambda it: it[0])]


@contextmanager
def recording(engine: str) -> Iterator[Recording]:
    """A wire to the engine at that unix:// address. The bodies are kept in memory."""
    with TemporaryDirectory(prefix="wire-", dir="/tmp") as folder:
        path = Path(folder) / "engine.sock"
        record = Recording(f"unix://{path}")

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with socket.socket(socket.AF_UNIX) as there:
                    sent = _Sent()
                    there.connect(engine.removeprefix("unix://"))
                    back = threading.Thread(target=_carry, args=(there, self.connection))
                    back.start()
                    _carry(self.connection, there, sent)
                    back.join()
                    record.sent += sent.requests()

        with ThreadingUnixStreamServer(str(path), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield record
            finally:
                server.shutdown()
                thread.join()


class _Sent:
    """The bytes of one connection, and when they came."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._ends: list[int] = []
        self._times: list[float] = []

    def add(self, piece: bytes) -> None:
        self._bytes.write(piece)
        self._ends.append(self._bytes.tell())
        self._times.append(time.monotonic())

    def requests(self) -> Iterator[tuple[float, Recorded]]:
        """Those of the connection, one after the other, each with the time of its first byte."""
        sent = self._bytes
        sent.seek(0)
        began = sent.tell()
        while line := sent.readline():
            method, path, _ = line.decode("ascii").split()
            headers = http.client.parse_headers(sent)
            is_chunked = headers.get("Transfer-Encoding") == "chunked"
            body = _chunks(sent) if is_chunked else sent.read(int(headers.get("Content-Length", 0)))
            yield (
                self._times[bisect.bisect_right(self._ends, began)],
                Recorded(method, re.sub(r"^/v[0-9.]+(?=/)", "", path), body),
            )
            began = sent.tell()


def _carry(source: socket.socket, target: socket.socket, copy: _Sent | None = None) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            if copy is not None:
                copy.add(piece)
            target.sendall(piece)
    for side, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            side.shutdown(how)


def _chunks(sent: io.BytesIO) -> bytes:
    body = io.BytesIO()
    while size := int(sent.readline(), 16):
        body.write(sent.read(size))
        sent.readline()
    sent.readline()
    return body.getvalue()
