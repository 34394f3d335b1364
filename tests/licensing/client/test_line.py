"""What a network can do to a project, each with its own cause (R8)."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.licensing.test_pinned import Peer, is_whole
from wizard.licensing.client.line import Endpoint, LineError, PinnedLine
from wizard.licensing.protocol.api import PIN_FILE
from wizard.licensing.server.tls import open_tls

LINE = PinnedLine()
IMPATIENT = PinnedLine(time_limit=0.3)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where one connection is served."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    (tmp_path / "config").mkdir()
    peer = Peer(open_tls(tmp_path / "tls", tmp_path / "config", "127.0.0.1", 1_800_000_000_000))
    yield peer
    peer.close()


def silent(connection: socket.socket, until: threading.Event) -> None:
    until.wait(5)


def cause(port: int, line: PinnedLine = LINE) -> str:
    with pytest.raises(LineError) as error:
        line.find("127.0.0.1", port)
    assert f"127.0.0.1:{port}" in error.value.message
    return error.value.code


def test_a_closed_port_is_refused() -> None:
    assert cause(1) == "refused"


def test_a_silent_port_is_a_timeout() -> None:
    asked = threading.Event()
    with listening(lambda connection: silent(connection, asked)) as port:
        assert cause(port, IMPATIENT) == "timeout"
        asked.set()


def test_plain_http_is_told_apart() -> None:
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert cause(port) == "no_tls"


def test_a_connection_that_is_closed_at_once_is_told_apart() -> None:
    with listening(lambda connection: None) as port:
        assert cause(port) == "no_tls"


def test_something_else_behind_tls_does_not_speak_the_protocol(peer: Peer) -> None:
    endpoint = LINE.find("127.0.0.1", peer.port)
    with pytest.raises(LineError) as error:
        LINE.post(endpoint, "/license/api/v1/beats", {})
    assert error.value.code == "not_the_protocol"


def test_another_key_than_at_the_registration_is_told_apart(peer: Peer) -> None:
    endpoint = Endpoint(address="127.0.0.1", port=peer.port, pin="00" * 32)
    with pytest.raises(LineError) as error:
        LINE.post(endpoint, "/license/api/v1/beats", {"kind": "beat"})
    assert error.value.code == "key_changed"
    assert peer.ended.wait(5)
    assert peer.received == b""


@contextmanager
def answering(tmp_path: Path, answer: bytes) -> Iterator[int]:
    """A port where one message is answered so, over TLS."""
    (tmp_path / "config").mkdir()
    context = open_tls(tmp_path / "tls", tmp_path / "config", "127.0.0.1", 1_800_000_000_000).context()

    def serve(connection: socket.socket) -> None:
        connection.settimeout(5)
        with context.wrap_socket(connection, server_side=True) as tls:
            request = bytearray()
            while not is_whole(request):
                request += tls.recv(4096)
            tls.sendall(answer)

    with listening(serve) as port:
        yield port


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}", "fault"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", "fault"),
        (b"", "broken_off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", "broken_off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "not_the_protocol"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "not_the_protocol"),
    ],
)
def test_an_answer_that_is_none_has_its_own_cause(tmp_path: Path, answer: bytes, code: str) -> None:
    with answering(tmp_path, answer) as port, pytest.raises(LineError) as error:
        LINE.post(Endpoint(address="127.0.0.1", port=port, pin=own_pin(tmp_path)), "/license/api/v1/beats", {})
    assert (error.value.code, error.value.cause.where) == (code, f"127.0.0.1:{port}")


def own_pin(tmp_path: Path) -> str:
    return (tmp_path / "config" / PIN_FILE).read_text().strip()


def test_an_ipv6_address_is_told_in_brackets() -> None:
    with pytest.raises(LineError) as error:
        LINE.find("::1", 1)
    assert error.value.cause.where == "[::1]:1"


def test_a_closed_port_is_refused_to_a_message_too() -> None:
    with pytest.raises(LineError) as error:
        LINE.post(Endpoint(address="127.0.0.1", port=1, pin="00" * 32), "/license/api/v1/beats", {})
    assert error.value.code == "refused"
