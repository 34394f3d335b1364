"""Against a real TLS socket: who is not the pinned peer gets no byte."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography import x509

from wizard.licensing.pinned import PinMismatch, certificate_pin, peer_pin, session
from wizard.licensing.server.tls import Tls, open_tls

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


def is_whole(request: bytearray) -> bool:
    """Whether all of its body has come. An answer sent before that would be followed by a reset."""
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


class Peer:
    """A TLS server that keeps every byte it receives, and answers each request alike."""

    def __init__(self, tls: Tls) -> None:
        self.received = bytearray()
        self.ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context = tls.context()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/"

    def close(self) -> None:
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self._serve(plain)
            self.ended.set()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(5)
        try:
            with self._context.wrap_socket(plain, server_side=True) as tls:
                while not is_whole(self.received):
                    data = tls.recv(4096)
                    if not data:
                        return
                    self.received += data
                tls.sendall(ANSWER)
        except (ssl.SSLError, OSError):
            return


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    (tmp_path / "config").mkdir()
    return open_tls(tmp_path / "tls", tmp_path / "config", "127.0.0.1", 1_800_000_000_000)


@pytest.fixture
def peer(tls: Tls) -> Iterator[Peer]:
    peer = Peer(tls)
    yield peer
    peer.close()


def test_the_pinned_peer_is_talked_to(peer: Peer, tls: Tls) -> None:
    pin = certificate_pin(x509.load_pem_x509_certificate(tls.certificate.read_bytes()))
    with session(pin) as pinned:
        assert pinned.get(peer.url, timeout=5).text == "hi"
    assert peer.received.startswith(b"GET / HTTP/1.1")


def test_a_peer_with_another_key_receives_no_byte_of_the_request(peer: Peer) -> None:
    with session("00" * 32) as pinned, pytest.raises(PinMismatch) as mismatch:
        pinned.post(peer.url, json={"code": "123456"}, timeout=5)
    assert peer.ended.wait(5)
    assert peer.received == b""
    assert (mismatch.value.expected, mismatch.value.found) == ("00" * 32, peer_pin("127.0.0.1", peer.port, 5))


def test_the_pin_of_a_peer_can_be_fetched_without_a_request(peer: Peer, tls: Tls) -> None:
    pin = peer_pin("127.0.0.1", peer.port, 5)
    assert pin == certificate_pin(x509.load_pem_x509_certificate(tls.certificate.read_bytes()))
    assert peer.ended.wait(5)
    assert peer.received == b""


def test_there_is_no_plain_http() -> None:
    with session("00" * 32) as pinned, pytest.raises(requests.exceptions.InvalidSchema):
        pinned.get("http://127.0.0.1/", timeout=5)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with session(peer_pin("127.0.0.1", peer.port, 5)) as pinned:
        assert pinned.get(peer.url, timeout=5).status_code == 200


def test_nobody_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="refused"):
        peer_pin("127.0.0.1", 1, 5)
