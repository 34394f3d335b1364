"""The server's TLS key: ECDSA P-256, self-signed, made for the published IP at first start; or a mapped certificate."""

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wizard.licensing.files import OWNER_ONLY, PUBLIC, write_whole
from wizard.licensing.pinned import certificate_pin
from wizard.licensing.protocol.api import PIN_FILE
from wizard.licensing.rules.limits import Millis

CERTIFICATE = "server.crt"
KEY = "server.key"
VALID = timedelta(days=3650)
"""Whoever pins the key only warns of the dates."""


@dataclass(frozen=True)
class Tls:
    """Paths of a certificate chain and its key, both PEM."""

    certificate: Path
    key: Path

    @property
    def pin(self) -> str:
        """Of its key (`wizard.licensing.pinned`)."""
        return certificate_pin(x509.load_pem_x509_certificate(self.certificate.read_bytes()))

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


def open_tls(folder: Path, config: Path, address: str, now: Millis) -> Tls:
    """The certificate in the TLS folder, made there when there is none; its pin is written to the config folder.

    Where the root is read-only and no certificate is mapped, it is kept in the config folder instead.
    """
    home = folder if (folder / CERTIFICATE).exists() or _is_writable(folder) else config
    tls = Tls(certificate=home / CERTIFICATE, key=home / KEY)
    if not tls.certificate.exists():
        _make(tls, address, datetime.fromtimestamp(now / 1000, UTC))
    write_whole(config / PIN_FILE, f"{tls.pin}\n".encode(), PUBLIC)
    return tls


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _make(tls: Tls, address: str, now: datetime) -> None:
    """The key first: with a certificate alone, the next start could not go on."""
    key = _key(tls.key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "FineOps authorization application")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    write_whole(tls.certificate, certificate.public_bytes(Encoding.PEM), PUBLIC)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        write_whole(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), OWNER_ONLY)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds a key of another kind.")
    return key
