"""HTTP as cheap as it can be: a load generator must not be the slower side."""

import socket
import ssl

from tests.licensing.server.process import ADDRESS, ANSWER_SECONDS, Door

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


def request(path: str, body: bytes) -> bytes:
    """The bytes of a POST of that JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {ADDRESS}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Wire:
    """One kept TLS connection. Only for a peer that gives the length of each answer."""

    def __init__(self, door: Door, context: ssl.SSLContext) -> None:
        plain = socket.create_connection((ADDRESS, door.port), ANSWER_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(plain, server_hostname=ADDRESS)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send it, and read the status and the body of the answer."""
        self._socket.sendall(request)
        answer = self._more(b"")
        while (end := answer.find(HEAD_END)) < 0:
            answer = self._more(answer)
        head, whole = answer[:end].lower(), end + len(HEAD_END)
        length = int(head[head.index(LENGTH) + len(LENGTH) :].split(b"\r\n", 1)[0])
        while len(answer) < whole + length:
            answer = self._more(answer)
        return int(head.split(b" ", 2)[1]), answer[whole:]

    def _more(self, answer: bytes) -> bytes:
        read = self._socket.recv(1 << 16)
        if not read:
            raise ConnectionError("The server hung up.")
        return answer + read
