"""HTTPS to a peer that is known by its public key, not by a name and an authority.

The pin is the SHA-256, in lower-case hex, of the DER SubjectPublicKeyInfo of the peer's certificate (as in RFC 7469).
It is compared after the handshake and before the first byte of a request. What else a certificate says, its dates
included, is not looked at.
"""

import hashlib
import socket
import ssl
from functools import partial
from typing import Any, cast

import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.poolmanager import PoolManager


class PinMismatch(Exception):
    """The peer holds another key than the pinned one. Nothing was sent to it. `expected` and `found` are pins."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"The server's public key has the fingerprint {found}, not {expected}.")
        self.expected = expected
        self.found = found


def session(pin: str) -> requests.Session:
    """A session for https:// that talks to whoever holds that key, and to nobody else: PinMismatch otherwise.

    It ignores the environment's proxies and authorities, follows no redirect, and has no plain http://. Time limits are
    the caller's: give one with each request.
    """
    pinned = requests.Session()
    pinned.trust_env = False
    pinned.verify = False  # no authority vouches for it: the pin does
    pinned.max_redirects = 0
    pinned.adapters.clear()
    pinned.mount("https://", _PinnedAdapter(pin))
    return pinned


def peer_pin(address: str, port: int, timeout: float) -> str:
    """The pin of whoever answers there now, for trust on first use. OSError when nobody speaks TLS there.

    `timeout` in seconds.
    """
    with (
        socket.create_connection((address, port), timeout) as plain,
        _context().wrap_socket(plain, server_hostname=address) as tls,
    ):
        return _pin(tls)


def certificate_pin(certificate: x509.Certificate) -> str:
    """The pin of a certificate."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def _context() -> ssl.SSLContext:
    """TLS 1.2 or newer, with nobody vouching for the peer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _pin(tls: ssl.SSLSocket) -> str:
    der = tls.getpeercert(binary_form=True)
    if der is None:
        raise ssl.SSLError("The server showed no certificate.")
    try:
        return certificate_pin(x509.load_der_x509_certificate(der))
    except ValueError:
        raise ssl.SSLError("The server showed a certificate that cannot be read.") from None


class _PinnedConnection(HTTPSConnection):
    def __init__(self, *args: Any, pin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = pin

    def connect(self) -> None:
        super().connect()
        found = _pin(cast(ssl.SSLSocket, self.sock))
        if found != self._expected:
            self.close()
            raise PinMismatch(self._expected, found)
        self.is_verified = True


class _PinnedPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedConnection

    def __init__(self, *args: Any, pin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn_kw["pin"] = pin


class _PinnedAdapter(HTTPAdapter):
    def __init__(self, pin: str) -> None:
        self._pin = pin
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=_context(), **pool_kwargs
        )
        self.poolmanager.pool_classes_by_scheme = {"https": partial(_PinnedPool, pin=self._pin)}
