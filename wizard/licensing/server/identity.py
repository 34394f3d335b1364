"""Who this instance is: its licence, its keys, and what the two of them give."""

import hmac
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wizard.licensing.files import OWNER_ONLY, PUBLIC, write_whole
from wizard.licensing.protocol.api import ENTRY_TOKEN, PRIVATE_CONFIG
from wizard.licensing.protocol.claims import Claims
from wizard.licensing.protocol.config import (
    PrivateConfig,
    PrivateConfigError,
    read_private_config,
    write_private_config,
)
from wizard.licensing.protocol.messages import Message
from wizard.licensing.protocol.qr import Keys, derive_keys
from wizard.licensing.protocol.words import fingerprint_words

log = logging.getLogger(__name__)

AGREEMENT_KEY = "x25519.key"
SIGNING_KEY = "ed25519.key"

KEY_BYTES = 32
"""A private key of either kind is as many random bytes (RFC 7748, RFC 8032), kept as they are."""


class WrongVolume(Exception):
    """The config folder belongs to another licence, or one of its keys cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One instance of one licence, in its config folder."""

    folder: Path
    claims: Claims
    agreement: X25519PrivateKey
    signing: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes that name the instance."""
        return self.agreement.public_key().public_bytes_raw()

    @property
    def _signing_public(self) -> bytes:
        return self.signing.public_key().public_bytes_raw()

    @property
    def words(self) -> tuple[str, str, str, str]:
        """Four words of the key's fingerprint, the same as on the activation page."""
        return fingerprint_words(self.public)

    @property
    def keys(self) -> Keys:
        """What only this instance and the vendor know."""
        return self._keys_for(self.claims.licence)

    def _keys_for(self, licence: str) -> Keys:
        """What they would know if that were the licence."""
        return derive_keys(
            self.agreement,
            bytes.fromhex(self.claims.vendor_key),
            licence=licence,
            kid=self.claims.kid,
            instance_key=self.public,
        )

    @property
    def row_key(self) -> bytes:
        """What the rows of the database are sealed with: 32 bytes that only this instance has."""
        return hmac.digest(self.agreement.private_bytes_raw(), b"FRL/1 rows", "sha256")

    @property
    def token(self) -> str:
        """Whoever knows it can read the config volume, and so is the admin. 64 hex digits."""
        return hmac.digest(self.agreement.private_bytes_raw(), b"FRL/1 entry", "sha256").hex()

    @property
    def is_known(self) -> bool:
        """Whether it has been started before."""
        return (self.folder / PRIVATE_CONFIG).exists()

    def private_config(self) -> PrivateConfig | None:
        """What the file says of this instance; None when there is none, or when it is damaged: it is written anew.

        All of it follows from the keys and the claims, but for the statement of retirement, which its own signature
        vouches for. WrongVolume when the file is another's, or a key beside it was changed.
        """
        path = self.folder / PRIVATE_CONFIG
        if not path.exists():
            return None
        try:
            config = read_private_config(path.read_bytes())
        except PrivateConfigError as error:
            log.warning("%s is written anew: %s", path, error.message)
            return None
        is_proven = config.is_proven(self._keys_for(config.licence))
        wrong = self._wrong_digits(config)
        if wrong > 1 or (wrong and is_proven):
            raise WrongVolume(f"{path} does not belong to licence {self.claims.licence} and the keys beside it.")
        if not is_proven:
            log.warning("%s is written anew: it is not what this instance wrote for these claims.", path)
        return None if wrong else config

    def _wrong_digits(self, config: PrivateConfig) -> int:
        """In how many digits it names another instance. By accident, one; another licence or key differs in most.

        Where it names another X25519 key, the words that belong to that one vouch for it; else it is not read at all.
        """
        ours = self.claims.licence + self.public.hex() + self._signing_public.hex()
        found = config.licence + config.instance + config.signing
        return sum(one != other for one, other in zip(found, ours, strict=True))

    def publish(self, retirement: Message | None) -> None:
        """Write privateConfig, which is sent by e-mail (R13), and the token beside it, which is not."""
        config = write_private_config(
            self.claims,
            instance=self.public,
            signing=self._signing_public,
            keys=self.keys,
            retirement=retirement,
        )
        write_whole(self.folder / ENTRY_TOKEN, f"{self.token}\n".encode(), OWNER_ONLY)
        write_whole(self.folder / PRIVATE_CONFIG, config, PUBLIC)


def open_identity(folder: Path, claims: Claims) -> Identity:
    """The instance in the config folder; its keys are made at the first start. WrongVolume when it is another's."""
    folder.mkdir(parents=True, exist_ok=True)
    identity = Identity(
        folder=folder,
        claims=claims,
        agreement=X25519PrivateKey.from_private_bytes(_secret(folder / AGREEMENT_KEY)),
        signing=Ed25519PrivateKey.from_private_bytes(_secret(folder / SIGNING_KEY)),
    )
    identity.private_config()
    return identity


def _secret(path: Path) -> bytes:
    if not path.exists():
        write_whole(path, os.urandom(KEY_BYTES), OWNER_ONLY)
    secret = path.read_bytes()
    if len(secret) != KEY_BYTES:
        raise WrongVolume(f"{path} holds no key.")
    return secret
