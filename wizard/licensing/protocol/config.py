"""privateConfig: who an instance is, in a file that is sent by e-mail (R13, SPEC.md section 4). Public data only.

    format · licence · company · project · instance · signing · words · retirement · proof

It is canonical JSON and a newline, under 4 kB. The proof is an HMAC with the key that seals the QR, over all other
fields: only the instance and the vendor can make it, so nobody who reads the mail can write another one.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wizard.licensing.protocol.claims import Claims, canonical_json
from wizard.licensing.protocol.messages import Message, MessageError, Retirement, open_message
from wizard.licensing.protocol.qr import Keys
from wizard.licensing.protocol.words import fingerprint_words

FORMAT = 2
LARGEST_PRIVATE_CONFIG = 8192
"""Bytes. The real ones have under 2000."""

_CONTEXT = b"FRL/1 privateConfig\n"
"""Goes before what is proven, so that no tag of a QR can pass for a proof."""


class PrivateConfigError(Exception):
    """It cannot be used. `code`: malformed, other-format, wrong-type or false-retirement."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class PrivateConfig:
    """What was read. `licence` has 16 hex digits; `instance` (X25519), `signing` (Ed25519) and `proof` have 64."""

    licence: str
    company: str
    project: str
    instance: str
    signing: str
    words: tuple[str, ...]
    retirement: Message | None
    """The signed statement that this instance has ended for good. It was checked when it was read."""
    proof: str

    @property
    def is_retired(self) -> bool:
        return self.retirement is not None

    def is_proven(self, keys: Keys) -> bool:
        """Whether this very instance, or the vendor, wrote it: `keys` are those of `protocol.qr.derive_keys`."""
        fields = asdict(self)
        proof = fields.pop("proof")
        return hmac.compare_digest(_proof({"format": FORMAT, **fields}, keys), proof)


def write_private_config(
    claims: Claims, *, instance: bytes, signing: bytes, keys: Keys, retirement: Message | None = None
) -> bytes:
    """The file. `instance` and `signing` are the raw public keys (32 bytes each), `retirement` the sealed statement."""
    fields = {
        "format": FORMAT,
        "licence": claims.licence,
        "company": claims.company,
        "project": claims.project,
        "instance": instance.hex(),
        "signing": signing.hex(),
        "words": fingerprint_words(instance),
        "retirement": retirement,
    }
    return canonical_json({**fields, "proof": _proof(fields, keys)}) + b"\n"


def read_private_config(data: bytes) -> PrivateConfig:
    """What the file says; PrivateConfigError unless it is one as it was written. `is_proven` is still to be asked."""
    document = _document(data)
    found = document.pop("format", None)
    if type(found) is not int or found != FORMAT:  # 2.0 is another spelling of 2
        raise PrivateConfigError("other-format", "This privateConfig was written by another version of the software.")
    if set(document) != set(_SHAPES):
        raise PrivateConfigError("malformed", "This privateConfig has missing or unknown fields.")
    for name, is_right in _SHAPES.items():
        if not is_right(document[name]):
            raise PrivateConfigError("wrong-type", f"The field {name!r} of privateConfig has a value it cannot have.")
    config = PrivateConfig(**document | {"words": tuple(document["words"])})
    if config.words != fingerprint_words(bytes.fromhex(config.instance)):
        raise PrivateConfigError("wrong-type", "The four words of privateConfig do not belong to its instance.")
    _check_retirement(config)
    return config


def _document(data: bytes) -> dict[str, Any]:
    malformed = PrivateConfigError("malformed", "This is no privateConfig, or it was changed after it was written.")
    if len(data) > LARGEST_PRIVATE_CONFIG:
        raise malformed
    text = data.rstrip(b"\r\n")  # what a mail program may do to the last line
    try:
        document = json.loads(text)
        is_canonical = canonical_json(document) == text
    except (ValueError, RecursionError):
        raise malformed from None
    if not is_canonical or not isinstance(document, dict):
        raise malformed
    return document


def _check_retirement(config: PrivateConfig) -> None:
    """The statement is this instance's own, about this licence."""
    if config.retirement is None:
        return
    false = PrivateConfigError("false-retirement", "The retirement in privateConfig is not this instance's own.")
    try:
        statement = open_message(Retirement, config.retirement, key=config.signing).body
    except MessageError:
        raise false from None
    if (statement.instance, statement.licence) != (config.instance, config.licence):
        raise false


def _proof(fields: Mapping[str, object], keys: Keys) -> str:
    return hmac.digest(keys.kq, _CONTEXT + canonical_json(fields), "sha256").hex()


def _hex(digits: int) -> Callable[[object], bool]:
    pattern = re.compile(f"[0-9a-f]{{{digits}}}")
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 200 and value.isprintable()


_SHAPES: Mapping[str, Callable[[object], bool]] = {
    "licence": _hex(16),
    "company": _is_name,
    "project": _is_name,
    "instance": _hex(64),
    "signing": _hex(64),
    "words": lambda value: isinstance(value, list) and all(isinstance(word, str) for word in value),
    "retirement": lambda value: value is None or isinstance(value, dict),
    "proof": _hex(64),
}
