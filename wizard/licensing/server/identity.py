"""Who this instance is: its licence, its keys, and what the two of them give."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wizard.licensing.files import OWNER_ONLY, PUBLIC, write_whole
from wizard.licensing.protocol.api import PRIVATE_CONFIG
from wizard.licensing.protocol.claims import Claims, canonical_json
from wizard.licensing.protocol.qr import Keys, derive_keys
from wizard.licensing.protocol.words import fingerprint_words

AGREEMENT_KEY = "x25519.key"
SIGNING_KEY = "ed25519.key"

KEY_BYTES = 32
"""A private key of either kind is as many random bytes (RFC 7748, RFC 8032), kept as they are."""


class WrongVolume(Exception):
    """The config folder belongs to another licence, or one of its keys cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One instance of one licence."""

    claims: Claims
    agreement: X25519PrivateKey
    signing: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes that name the instance."""
        return self.agreement.public_key().public_bytes_raw()

    @property
    def words(self) -> tuple[str, str, str, str]:
        """Four words of the key's fingerprint, the same as on the activation page."""
        return fingerprint_words(self.public)

    @property
    def keys(self) -> Keys:
        """What only this instance and the vendor know."""
        return derive_keys(
            self.agreement,
            bytes.fromhex(self.claims.vendor_key),
            licence=self.claims.licence,
            kid=self.claims.kid,
            instance_key=self.public,
        )


def open_identity(config: Path, claims: Claims) -> Identity:
    """The instance in the config folder, made there at the first start. WrongVolume when it is another licence's."""
    config.mkdir(parents=True, exist_ok=True)
    identity = Identity(
        claims=claims,
        agreement=X25519PrivateKey.from_private_bytes(_secret(config / AGREEMENT_KEY)),
        signing=Ed25519PrivateKey.from_private_bytes(_secret(config / SIGNING_KEY)),
    )
    _check_private_config(config / PRIVATE_CONFIG, identity)
    return identity


def _secret(path: Path) -> bytes:
    if not path.exists():
        write_whole(path, os.urandom(KEY_BYTES), OWNER_ONLY)
    secret = path.read_bytes()
    if len(secret) != KEY_BYTES:
        raise WrongVolume(f"{path} holds no key.")
    return secret


def _check_private_config(path: Path, identity: Identity) -> None:
    """WrongVolume unless it tells of this licence and these keys. It is written anew after it was taken out (R13)."""
    if not path.exists():
        write_whole(path, canonical_json(_private_config(identity)) + b"\n", PUBLIC)
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        raise WrongVolume(f"{path} cannot be read.") from None
    expected = _private_config(identity)
    if not isinstance(found, dict) or any(
        found.get(name) != expected[name] for name in ("licence", "instance", "signing")
    ):
        raise WrongVolume(f"{path} does not belong to licence {identity.claims.licence} and the keys beside it.")


def _private_config(identity: Identity) -> dict[str, object]:
    """Public data only, because it is sent by e-mail (R13)."""
    return {
        "format": 1,
        "licence": identity.claims.licence,
        "company": identity.claims.company,
        "project": identity.claims.project,
        "instance": identity.public.hex(),
        "signing": identity.signing.public_key().public_bytes_raw().hex(),
        "words": list(identity.words),
    }
