"""Something that answers as an engine does, at once and without doing anything, and remembers all it was asked."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from tempfile import TemporaryDirectory
from typing import ClassVar

from tests.factories import an_image
from wizard.backends.engine import template

ANSWERS: Mapping[str, tuple[int, object]] = {
    r"GET /version": (
        200,
        {"ApiVersion": "1.41", "Version": "20.10", "Arch": "amd64", "Components": [{"Name": "Engine"}]},
    ),
    r"GET /containers/json": (200, []),
    r"GET /containers/[^/]+/json": (404, {"message": "No such container"}),
    r"GET /images/json": (200, []),
    r"GET /images/[^/]+/json": (200, {}),
    r"GET /volumes/[^/]+": (404, {"message": "no such volume"}),
    r"POST /images/load": (200, {"stream": "Loaded image"}),
    r"POST /images/[^/]+/tag": (201, ""),
    r"POST /volumes/create": (201, {"Labels": {template.OURS: an_image().licence}}),
    r"POST /containers/create": (201, {"Id": "made"}),
    r"POST /containers/[^/]+/start": (204, ""),
    r"POST /containers/[^/]+/stop": (204, ""),
    r"POST /containers/[^/]+/wait": (200, {"StatusCode": 100}),
    r"DELETE /containers/[^/]+": (204, ""),
    r"DELETE /images/[^/]+": (200, []),
}
"""By method and path, without the version of the API and what is asked besides."""


@dataclass(frozen=True)
class Asked:
    """One request: the path without the version of the API, and a body that is no JSON as it came."""

    method: str
    path: str
    body: bytes

    @property
    def document(self) -> object:
        return json.loads(self.body) if self.body else None

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class StubEngine:
    """It answers at `url` from `answers`, which a test changes; the last that fits is taken."""

    url: str
    answers: dict[str, tuple[int, object]] = field(default_factory=lambda: dict(ANSWERS), repr=False)
    asked: list[Asked] = field(default_factory=list, repr=False)

    def answer(self, asked: Asked) -> tuple[int, object]:
        line = f"{asked.method} {asked.path.partition('?')[0]}"
        fits = [answer for pattern, answer in self.answers.items() if re.fullmatch(pattern, line)]
        return fits[-1] if fits else (404, {"message": "page not found"})

    @property
    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: ClassVar[StubEngine]

    def do_GET(self) -> None:
        asked = Asked(self.command, re.sub(r"^/v[0-9.]+(?=/)", "", self.path), self._body())
        self.engine.asked.append(asked)
        status, answer = self.engine.answer(asked)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode() if answer != "" else b""
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = do_HEAD = do_PUT = do_GET  # noqa: N815 - http.server names them

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def address_string(self) -> str:
        return "here"

    def log_message(self, format: str, *args: object) -> None:
        """The tests are quiet."""


@contextmanager
def answering() -> Iterator[StubEngine]:
    with TemporaryDirectory(prefix="stub-", dir="/tmp") as folder:
        path = Path(folder) / "engine.sock"
        stub = StubEngine(f"unix://{path}")
        handler = type("Handler", (_Handler,), {"engine": stub})

        class Server(ThreadingUnixStreamServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that goes away in the middle of an answer is none."""

        with Server(str(path), handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield stub
            finally:
                server.shutdown()
                thread.join()
