"""The vendor's private keys, in a folder that only its owner can enter."""

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wizard.licensing.files import OWNER_ONLY, PUBLIC, write_once, write_whole
from wizard.licensing.protocol.claims import dump_vendor_keys, key_id
from wizard.licensing.vendor.errors import VendorError

PUBLIC_FILE = "vendor.pub"
KEY_BYTES = 32


@dataclass(frozen=True)
class VendorKeys:
    """One key signs claims, the other agrees with instances upon QR and code; the third signs the page's forms."""

    signing: Ed25519PrivateKey
    activation: X25519PrivateKey
    forms: bytes

    @property
    def kid(self) -> str:
        """The name of the signing key, 8 hex digits."""
        return key_id(self.signing.public_key())

    @property
    def public(self) -> dict[str, Ed25519PublicKey]:
        """What others check claims with, by kid."""
        return {self.kid: self.signing.public_key()}

    @property
    def public_file(self) -> bytes:
        """The contents of `vendor.pub`."""
        return dump_vendor_keys(self.public)

    @property
    def activation_public(self) -> str:
        """The X25519 public key for the claims, 64 hex digits."""
        return self.activation.public_key().public_bytes_raw().hex()


def open_keys(data: Path) -> VendorKeys:
    """The keys of that data folder; made when there are none yet. `vendor.pub` is written beside them."""
    folder = data / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = VendorKeys(
        signing=Ed25519PrivateKey.from_private_bytes(_secret(folder / "signing.key")),
        activation=X25519PrivateKey.from_private_bytes(_secret(folder / "activation.key")),
        forms=_secret(folder / "forms.key"),
    )
    _publish(data / PUBLIC_FILE, keys.public_file)
    return keys


def _publish(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        write_whole(path, content, PUBLIC)


def _secret(path: Path) -> bytes:
    """The 32 bytes in that file, kept as hex; of two processes that start at once, both get the first one's.

    A private key of either kind is as many random bytes (RFC 7748, RFC 8032).
    """
    if not path.exists():
        write_once(path, secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n", OWNER_ONLY)
    content = path.read_bytes()
    if re.fullmatch(rb"[0-9a-f]{64}\n", content) is None:
        raise VendorError(
            f"The key file {path} is damaged.", "Put it back from a backup: with a new key, no licence works any more."
        )
    return bytes.fromhex(content.decode())
