"""Speaking https in tests, with a certificate that nobody trusts."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PIECE = 1 << 16


@cache
def context() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
        secure.load_cert_chain(file)
    return secure


class Proxy(ThreadingTCPServer):
    """What comes by TLS goes on in the clear, as with a server in front of the wizard that adds nothing."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, port: int, onward: int) -> None:
        self.onward = onward
        super().__init__(("127.0.0.1", port), Passing)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that does not like the certificate closes the connection."""


class Passing(BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        with (
            context().wrap_socket(self.request, server_side=True) as outside,
            socket.create_connection(("127.0.0.1", self.server.onward)) as inside,
        ):
            back = threading.Thread(target=pour, args=(inside, outside), daemon=True)
            back.start()
            pour(outside, inside)
            back.join()


def pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(PIECE):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def terminated(port: int, onward: int) -> Iterator[None]:
    """On `port` the server of the port `onward` speaks https, for as long as the block runs."""
    with Proxy(port, onward) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield
        finally:
            proxy.shutdown()
            thread.join()
