"""An authority for the tests, and the certificates by which an engine and its clients know each other."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Pair:
    """Paths of a certificate and its key, and of the authority's certificate; all PEM."""

    certificate: Path
    key: Path
    authority: Path


class Authority:
    """Writes into a folder: ca.pem, and for each name that it vouches for <name>.pem and <name>.key."""

    def __init__(self, folder: Path, name: str = "tests") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        folder.mkdir(parents=True, exist_ok=True)
        builder = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._write("ca.pem", builder)

    def server(self, name: str, address: str, valid: timedelta = timedelta(days=1)) -> Pair:
        """For an engine at that IP."""
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        return self._pair(name, ExtendedKeyUsageOID.SERVER_AUTH, addresses, valid)

    def client(self, name: str) -> Pair:
        """For who asks."""
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        return self._pair(name, ExtendedKeyUsageOID.CLIENT_AUTH, names, timedelta(days=1))

    def _pair(
        self, name: str, use: x509.ObjectIdentifier, names: x509.SubjectAlternativeName, valid: timedelta
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            self._builder(subject, key.public_key(), valid)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(names, critical=False)
        )
        self._write(f"{name}.pem", builder)
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self._folder / f"{name}.key").write_bytes(content)
        return Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key", self._folder / "ca.pem")

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, valid: timedelta = timedelta(days=1)
    ) -> x509.CertificateBuilder:
        """A negative `valid` makes one that has expired."""
        end = datetime.now(UTC) + valid
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=2))
            .not_valid_after(end)
        )

    def _write(self, name: str, builder: x509.CertificateBuilder) -> None:
        certificate = builder.sign(self._key, SHA256())
        (self._folder / name).write_bytes(certificate.public_bytes(Encoding.PEM))
