"""What the QR carries out of the closed network, and the six digits that come back (SPEC.md, section 4).

Both sides derive the same two keys from an X25519 agreement: the instance with its private key and the vendor's public
one from the claims, the vendor with its private key and the instance's public one from the QR.

    version 1 · suite 1 · kid 4 · licence 8 · instance key 32 · build 8
    counter 4 · nonce 16 · minute 4 · reason 1 · tag 8

All numbers are big-endian; 87 bytes in all.
"""

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = 1
SUITE = 1
QR_BYTES = 87
TAG_BYTES = 8
CODE_DIGITS = 6

_LAYOUT = struct.Struct(">BB4s8s32s8sI16sIB")


class QrError(Exception):
    """These bytes, or this text, are no challenge of ours."""


class Reason(IntEnum):
    """Why a code is asked for."""

    FIRST = 1
    REAUTHENTICATION = 2
    PROJECT_MIGRATION = 3
    COMPONENT_MIGRATION = 4


@dataclass(frozen=True, kw_only=True)
class ChallengeBody:
    """A challenge without its tag. `kid` 8 and `licence` 16 hex digits; the bytes have 32, 8 and 16."""

    kid: str
    licence: str
    instance_key: bytes
    """The X25519 public key of the instance."""
    build: bytes
    """`Claims.build`: which base the instance was started from."""
    counter: int
    """Rises with each challenge of an instance, for ever (32 bits)."""
    nonce: bytes
    minute: int
    """When it was made, in whole minutes since 1970 (UTC) by the instance's clock."""
    reason: Reason
    version: int = VERSION
    suite: int = SUITE


@dataclass(frozen=True)
class Keys:
    """Two keys of 32 bytes that only one instance and the vendor know: for the tag, and for the code."""

    kq: bytes
    kc: bytes


def pack(body: ChallengeBody) -> bytes:
    """The 79 bytes that the tag is made over; QrError when a field does not fit its place."""
    if (len(body.instance_key), len(body.build), len(body.nonce)) != (32, 8, 16):
        raise QrError("The instance key, the build or the nonce has the wrong length.")
    try:
        kid, licence = _from_hex(body.kid, 4), _from_hex(body.licence, 8)
        return _LAYOUT.pack(
            body.version, body.suite, kid, licence, body.instance_key, body.build,
            body.counter, body.nonce, body.minute, body.reason,
        )  # fmt: skip
    except (ValueError, struct.error):
        raise QrError("A field of the challenge does not fit its place.") from None


def unpack(qr: bytes) -> ChallengeBody:
    """What the 87 bytes say. Whether they are genuine is for `check_tag`; QrError when they are no challenge at all."""
    if len(qr) != QR_BYTES:
        raise QrError(f"A challenge has {QR_BYTES} bytes, not {len(qr)}.")
    version, suite, kid, licence, instance_key, build, counter, nonce, minute, reason = _LAYOUT.unpack(qr[:-TAG_BYTES])
    if (version, suite) != (VERSION, SUITE):
        raise QrError(f"Version {version}, suite {suite} of the challenge is unknown.")
    if reason not in Reason.__members__.values():
        raise QrError(f"The reason {reason} is unknown.")
    return ChallengeBody(
        kid=kid.hex(),
        licence=licence.hex(),
        instance_key=instance_key,
        build=build,
        counter=counter,
        nonce=nonce,
        minute=minute,
        reason=Reason(reason),
    )


def derive_keys(private: X25519PrivateKey, peer: bytes, *, licence: str, kid: str, instance_key: bytes) -> Keys:
    """HKDF-SHA256 (RFC 5869) of the X25519 agreement. QrError when `peer` is no public key that can be agreed with."""
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError:  # a point of low order, or the wrong length
        raise QrError("The public key in the challenge cannot be used.") from None
    info = b"FRL/1" + bytes.fromhex(kid) + instance_key
    material = HKDF(algorithm=SHA256(), length=64, salt=bytes.fromhex(licence), info=info).derive(shared)
    return Keys(kq=material[:32], kc=material[32:])


def seal(body: ChallengeBody, keys: Keys) -> bytes:
    """The 87 bytes of the QR: the body and its tag."""
    packed = pack(body)
    return packed + _tag(packed, keys)


def check_tag(qr: bytes, keys: Keys) -> bool:
    """Whether whoever made the QR knows the keys."""
    return hmac.compare_digest(_tag(qr[:-TAG_BYTES], keys), qr[-TAG_BYTES:])


def code(keys: Keys, qr: bytes) -> str:
    """The six digits that answer this QR and no other (after RFC 6287)."""
    digest = hmac.digest(keys.kc, b"code" + hashlib.sha256(qr).digest(), "sha256")
    return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def to_url(base: str, qr: bytes) -> str:
    """The address in the QR, upper-case throughout, so that it fits the alphanumeric mode: about 163 characters."""
    return f"{base.rstrip('/').upper()}/L/{to_path(qr)}"


def to_path(qr: bytes) -> str:
    """The last part of that address: base32 (RFC 4648) without padding, 140 characters."""
    return base64.b32encode(qr).decode().rstrip("=")


def from_path(text: str) -> bytes:
    """The bytes behind the last part of the address. QrError unless it is exactly what `to_path` writes."""
    try:
        qr = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        raise QrError("The address is not base32.") from None
    if len(qr) != QR_BYTES or to_path(qr) != text:
        raise QrError("The address is cut off or was changed.")
    return qr


def challenge_id(qr: bytes) -> str:
    """A short name for this challenge: 16 hex digits."""
    return hashlib.sha256(qr).hexdigest()[:16]


def _tag(packed: bytes, keys: Keys) -> bytes:
    return hmac.digest(keys.kq, packed, "sha256")[:TAG_BYTES]


def _from_hex(digits: str, length: int) -> bytes:
    value = bytes.fromhex(digits)
    if len(value) != length:
        raise ValueError("wrong length")
    return value
