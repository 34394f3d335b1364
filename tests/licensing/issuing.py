"""A vendor for the tests: it signs claims, and answers a scan as the real one does."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wizard.licensing.protocol.claims import Claims, dump_vendor_keys, key_id, sign_claims
from wizard.licensing.protocol.qr import check_tag, code, derive_keys, from_path, unpack

LICENCE = "0011223344556677"


@dataclass(frozen=True)
class Vendor:
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    activation: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    def claims(self, *, registrations: int = 1, licence: str = LICENCE, supersedes: str | None = None) -> Claims:
        return Claims(
            licence=licence,
            company="Example Company",
            project="Reporting",
            registrations=registrations,
            architecture="amd64",
            layers="ab" * 32,
            settings="cd" * 32,
            supersedes=supersedes,
            issued="2026-01-02T03:04:05Z",
            kid=key_id(self.signing.public_key()),
            activation="http://127.0.0.1:8001",
            vendor_key=self.activation.public_key().public_bytes_raw().hex(),
        )

    def write(self, folder: Path, claims: Claims) -> tuple[Path, Path]:
        """The two files of a licence image: claims and vendor keys."""
        folder.mkdir(parents=True, exist_ok=True)
        envelope, keys = folder / "claims.json", folder / "vendor.pub"
        envelope.write_bytes(sign_claims(claims, self.signing))
        keys.write_bytes(dump_vendor_keys({claims.kid: self.signing.public_key()}))
        return envelope, keys

    def answer(self, url: str) -> str:
        """The six digits for a scanned address."""
        match = re.fullmatch(r"HTTP://127\.0\.0\.1:8001/L/([A-Z2-7]+)", url)
        assert match, url
        qr = from_path(match[1])
        body = unpack(qr)
        keys = derive_keys(
            self.activation, body.instance_key, licence=body.licence, kid=body.kid, instance_key=body.instance_key
        )
        assert check_tag(qr, keys)
        return code(keys, qr)


def another(digits: str) -> str:
    """Six digits that are not those."""
    return f"{(int(digits) + 1) % 1_000_000:06d}"
