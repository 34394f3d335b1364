"""A sender of files that costs next to nothing, and is the same for whoever receives them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

ADDRESS = "127.0.0.1"
ANSWER_SECONDS = 60
CREATED, NO_CONTENT = 201, 204
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Where files are sent to, on this machine, and what every request has to say."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], file: Path | None = None, status: int = NO_CONTENT
    ) -> HTTPResponse:
        """To a request with the file as its body. RuntimeError when it is not of that status."""
        connection = HTTPConnection(ADDRESS, self.port, timeout=ANSWER_SECONDS)
        try:
            connection.putrequest(method, path)
            length = {"Content-Length": str(file.stat().st_size if file else 0)}
            for name, value in {**self.headers, **headers, **length}.items():
                connection.putheader(name, value)
            connection.endheaders()
            if file is not None:
                _pour(file, connection)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status != status:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {said.decode(errors='replace')}")
        return answer

    def put(self, path: str, file: Path) -> None:
        self.answer("PUT", path, {}, file, CREATED)

    def upload(self, path: str, file: Path) -> str:
        """By tus: announce it, and send all of it at once. The path of the upload."""
        size = str(file.stat().st_size)
        created = self.answer("POST", path, TUS | {"Upload-Length": size}, status=CREATED)
        place = urlsplit(created.headers["Location"]).path
        content = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        answer = self.answer("PATCH", place, TUS | content, file)
        if answer.headers["Upload-Offset"] != size:
            raise RuntimeError(f"Of {size} bytes {answer.headers['Upload-Offset']} have arrived.")
        return place

    def remove(self, place: str) -> None:
        self.answer("DELETE", place, TUS)


def _pour(file: Path, connection: HTTPConnection) -> None:
    """By sendfile(2). The socket waits in the kernel meanwhile, not in a poll of Python's."""
    connection.sock.settimeout(None)
    with file.open("rb", buffering=0) as source:
        size, sent = os.fstat(source.fileno()).st_size, 0
        while sent < size:
            sent += os.sendfile(connection.sock.fileno(), source.fileno(), sent, size - sent)
    connection.sock.settimeout(ANSWER_SECONDS)
