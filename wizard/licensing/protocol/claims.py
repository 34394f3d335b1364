"""The vendor's claims: what a licence image says of itself, signed (SPEC.md, section 4).

The signed envelope is canonical JSON. Only the canonical form is accepted, so no byte of it can be changed.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

REPOSITORY = "fanruan_license_server"
CLAIMS_LABEL = "license.claims"
"""The image label whose value is the envelope."""
CLAIMS_PATH = "app/license/claims.json"
"""The same envelope as a file, alone with its folders in the top layer."""
VENDOR_KEYS_PATH = "app/license/vendor.pub"
"""The vendor's public signing keys, in the common base."""

ISSUED_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
LARGEST_ENVELOPE = 8192
"""Bytes. The real ones have at most 1,899."""

_NOTHING: tuple[object, ...] = (None, "", [], {})
"""What stands for nothing in a configuration. No zero: a StopTimeout of 0 is not the usual one."""
_LATER = frozenset({"settings"})
"""Claims that older licences do not have; the vendor's records hold such."""

_CONTEXT = b"FRL/1 claims\n"
"""Goes before what is signed, so that no other signed message can pass for claims."""


class ClaimsError(Exception):
    """The claims cannot be trusted. `code`: malformed, wrong-type, unknown-vendor-key or bad-signature."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Claims:
    """One licence. `licence` 16 hex digits, `kid` 8, `layers`, `settings`, `vendor_key` 64; `issued` ISO 8601, UTC."""

    licence: str
    company: str
    project: str
    registrations: int
    """Maximum number of registrations (R1)."""
    architecture: str
    """As engines call it, such as amd64."""
    layers: str
    """`layers_digest` of the common base that the licence was issued upon."""
    settings: str | None
    """`settings_digest` of the image; None in claims older than this one, with which no image is accepted."""
    supersedes: str | None
    """The licence that this one takes over from, after a migration (R13)."""
    issued: str
    kid: str
    """Names the vendor's signing key."""
    activation: str
    """Base URL of the activation page: scheme, host, perhaps a port, and nothing else."""
    vendor_key: str
    """The vendor's X25519 public key, with which QR and code are made."""

    @property
    def issued_at(self) -> datetime:
        return _parse_issued(self.issued)

    @property
    def build(self) -> bytes:
        """Eight bytes that name the common base in a QR."""
        return bytes.fromhex(self.layers)[:8]


def canonical_json(obj: object) -> bytes:
    """The one spelling of a JSON value: sorted keys, no white space, UTF-8. ValueError for NaN and the like."""
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def key_id(key: Ed25519PublicKey) -> str:
    """The name of a vendor's signing key: 8 hex digits of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:8]


def layers_digest(diff_ids: Iterable[str]) -> str:
    """SHA-256 (hex) over the `sha256:…` diff ids of the base layers, joined by newlines."""
    return hashlib.sha256("\n".join(diff_ids).encode()).hexdigest()


def settings_digest(config: Mapping[str, object]) -> str:
    """SHA-256 (hex) over `config` of an image's configuration: what a container of it starts, as whom, and with what.

    Left out are the label with the claims, which comes after the signature, and whatever is null or empty: tools drop
    that when they write a configuration anew, and to engines it is as if it were not there. All other keys count, also
    those that nobody knows. ValueError when it has no canonical JSON.
    """
    labels = config.get("Labels")
    if isinstance(labels, Mapping):
        labels = {name: value for name, value in labels.items() if name != CLAIMS_LABEL}
    said = {name: value for name, value in {**config, "Labels": labels}.items() if value not in _NOTHING}
    return hashlib.sha256(canonical_json(said)).hexdigest()


def sign_claims(claims: Claims, private: Ed25519PrivateKey) -> bytes:
    """The envelope: canonical JSON of the claims and the signature over them."""
    body = asdict(claims)
    signature = private.sign(_CONTEXT + canonical_json(body))
    return canonical_json({"claims": body, "signature": signature.hex()})


def read_claims(envelope: bytes, vendor_keys: Mapping[str, Ed25519PublicKey]) -> Claims:
    """The claims of an envelope that one of the vendor's keys has signed; ClaimsError otherwise."""
    body, signature = _open(envelope)
    claims = _claims(body)
    key = vendor_keys.get(claims.kid)
    if key is None:
        raise ClaimsError("unknown-vendor-key", f"The claims are signed with the key {claims.kid}, which is unknown.")
    try:
        key.verify(signature, _CONTEXT + canonical_json(body))
    except InvalidSignature:
        raise ClaimsError("bad-signature", "The signature does not belong to these claims.") from None
    return claims


def load_vendor_keys(data: bytes) -> dict[str, Ed25519PublicKey]:
    """The keys of a `vendor.pub` file, by kid; ClaimsError (malformed) when it is none."""
    try:
        keys = json.loads(data)["keys"]
        return {str(kid): Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for kid, key in keys.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ClaimsError("malformed", "This is no file of vendor keys.") from None


def dump_vendor_keys(keys: Mapping[str, Ed25519PublicKey]) -> bytes:
    """A `vendor.pub` file."""
    return canonical_json({"keys": {kid: key.public_bytes_raw().hex() for kid, key in keys.items()}}) + b"\n"


def _open(envelope: bytes) -> tuple[dict[str, object], bytes]:
    """The claims and the signature of an envelope, both still to be judged."""
    malformed = ClaimsError("malformed", "The claims are not a signed envelope in canonical JSON.")
    if len(envelope) > LARGEST_ENVELOPE:
        raise malformed
    try:
        document = json.loads(envelope)
        is_canonical = canonical_json(document) == envelope
    except (ValueError, RecursionError):
        raise malformed from None
    if not is_canonical or not isinstance(document, dict) or set(document) != {"claims", "signature"}:
        raise malformed
    body, signature = document["claims"], document["signature"]
    if not isinstance(body, dict) or not _hex(128)(signature):
        raise malformed
    return body, bytes.fromhex(signature)


def _claims(body: Mapping[str, object]) -> Claims:
    names = {field.name for field in fields(Claims)}
    if not names - _LATER <= set(body) <= names:
        raise ClaimsError("malformed", "The claims have missing or unknown fields.")
    for name, is_right in _SHAPES.items():
        if name in body and not is_right(body[name]):
            raise ClaimsError("wrong-type", f"The claim {name!r} has a value that it cannot have.")
    return Claims(**{**dict.fromkeys(_LATER), **body})  # type: ignore[arg-type]  # every field was checked just above


def _hex(digits: int) -> Callable[[object], bool]:
    pattern = re.compile(f"[0-9a-f]{{{digits}}}")
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 200 and value.isprintable() and value == value.strip()


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value <= 9999  # a bool is an int too


def _parse_issued(value: str) -> datetime:
    return datetime.strptime(value, ISSUED_FORMAT).replace(tzinfo=UTC)


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and _parse_issued(value).strftime(ISSUED_FORMAT) == value
    except ValueError:
        return False


def is_activation_url(value: object) -> bool:
    """Whether it can be put into a QR: its upper-case form must mean the same, so it has no path."""
    return isinstance(value, str) and re.fullmatch(r"https?://[a-z0-9.-]{1,100}(:[0-9]{1,5})?", value) is not None


_SHAPES: Mapping[str, Callable[[object], bool]] = {
    "licence": _hex(16),
    "company": _is_name,
    "project": _is_name,
    "registrations": _is_count,
    "architecture": lambda value: isinstance(value, str) and re.fullmatch(r"[a-z0-9]{1,20}", value) is not None,
    "layers": _hex(64),
    "settings": _hex(64),
    "supersedes": lambda value: value is None or _hex(16)(value),
    "issued": _is_time,
    "kid": _hex(8),
    "activation": is_activation_url,
    "vendor_key": _hex(64),
}
