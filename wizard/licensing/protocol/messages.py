"""Signed messages between a project and an authorization application (SPEC.md, section 4).

A message is JSON: {"kind", "body", "key", "signature"}, the last two in hex (Ed25519, RFC 8032). The signature covers
the kind, so that no message can pass for another one. Each request is answered by a message of its own kind:

    register    -> certificate   once (R8)
    beat        -> feedback      every two hours (R9)
    deauthorize -> release       at the end (R12)

A retirement answers nothing: an instance states that it has ended for good, for whoever is shown it later (R13).

`sequence` rises with each message of one sender, and `nonce` (32 hex digits) is new in each: a message that comes twice
is answered again with what was answered first, and a sequence that comes back with another nonce is a second copy of
the sender (FORK).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wizard.licensing.protocol.claims import canonical_json

_CONTEXT = b"FRL/1 message\n"
"""Goes before what is signed, so that nothing else that is signed can pass for a message."""

MOST_NODES = 256
"""In one register message."""

Message = dict[str, Any]
"""A message as JSON has it."""


class MessageError(Exception):
    """The message cannot be trusted, or cannot be read. `code`: malformed, unknown-key or bad-signature."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Result(StrEnum):
    """What an authorization application answers to a beat or a deauthorization."""

    OK = "OK"
    RECONNECTED = "RECONNECTED"
    UNKNOWN = "UNKNOWN"
    REAUTHENTICATE = "REAUTHENTICATE"
    FORK = "FORK"
    RELEASED = "RELEASED"


@dataclass(frozen=True, kw_only=True)
class Register:
    """A project asks for slots for all of its nodes at once."""

    KIND: ClassVar[str] = "register"
    project: str
    """Its name, for people. Its identity is the key that signs."""
    nodes: tuple[str, ...]
    sequence: int
    nonce: str


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """The answer: these nodes are registered with this instance."""

    KIND: ClassVar[str] = "certificate"
    instance: str
    """The X25519 public key of the instance, in hex."""
    licence: str
    company: str
    project: str
    nodes: tuple[str, ...]
    maximum: int
    registered: int
    """Milliseconds since 1970 by the instance's clock: for the record, not to be compared with another clock."""
    request: str
    """`digest` of the register message."""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The request that one node of a project sends every two hours."""

    KIND: ClassVar[str] = "beat"
    node: str
    sequence: int
    nonce: str
    last: str
    """`digest` of the last answer that this node received: certificate or feedback."""


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """The answer to a beat."""

    KIND: ClassVar[str] = "feedback"
    result: Result
    request: str
    down_ms: int | None
    """With RECONNECTED: for how long the authorization application attests that it was down."""


@dataclass(frozen=True, kw_only=True)
class Deauthorize:
    """A project gives up all of its slots."""

    KIND: ClassVar[str] = "deauthorize"
    sequence: int
    nonce: str


@dataclass(frozen=True, kw_only=True)
class Release:
    """The answer to that."""

    KIND: ClassVar[str] = "release"
    result: Result
    request: str


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """An instance has ended for good (R13), signed with the key in its privateConfig."""

    KIND: ClassVar[str] = "retirement"
    instance: str
    """The X25519 public key of the instance, in hex."""
    licence: str
    counter: int
    """How many challenges it has made, so that a later one is known for a copy's."""
    retired: int
    """Milliseconds since 1970 by the instance's clock."""


class Body(Protocol):
    """Any of the above."""

    KIND: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


B = TypeVar("B", bound=Body)


def seal_message(body: Body, private: Ed25519PrivateKey) -> Message:
    """The signed message with that body."""
    unsigned = {"kind": body.KIND, "body": asdict(body), "key": private.public_key().public_bytes_raw().hex()}
    return {**unsigned, "signature": private.sign(_CONTEXT + canonical_json(unsigned)).hex()}


@dataclass(frozen=True)
class Opened(Generic[B]):
    """A message that was checked: its body, the key that signed it, and its `digest`, both in hex."""

    body: B
    key: str
    digest: str


def open_message(kind: type[B], message: object, key: str | None = None) -> Opened[B]:
    """The message of that kind, opened. MessageError unless all of it is right.

    With `key` the message must be signed by that one; without, by the one that it names.
    """
    if not isinstance(message, dict) or set(message) != {"kind", "body", "key", "signature"}:
        raise MessageError("malformed", "This is no signed message.")
    if message["kind"] != kind.KIND:
        raise MessageError("malformed", f"This is no {kind.KIND} message.")
    try:
        body = _body(kind, message["body"])
        signer, signature = _hex(64)(message["key"]), bytes.fromhex(_hex(128)(message["signature"]))
    except ValueError as error:
        raise MessageError("malformed", f"The {kind.KIND} message cannot be read: {error}.") from None
    if key is not None and signer != key:
        raise MessageError("unknown-key", "The message is signed with another key than the one expected.")
    unsigned = {name: value for name, value in message.items() if name != "signature"}
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer)).verify(signature, _CONTEXT + canonical_json(unsigned))
    except InvalidSignature:
        raise MessageError("bad-signature", "The signature does not belong to this message.") from None
    return Opened(body, signer, digest(message))


def digest(message: Message) -> str:
    """The name of a message: SHA-256 of all of it, in hex."""
    return hashlib.sha256(canonical_json(message)).hexdigest()


def _body(kind: type[B], body: object) -> B:
    names = {field.name for field in fields(kind)}
    if not isinstance(body, dict) or set(body) != names:
        raise ValueError("it has missing or unknown fields")
    return kind(**{name: _READERS[name](body[name]) for name in names})


def _hex(digits: int) -> Callable[[object], str]:
    pattern = re.compile(f"[0-9a-f]{{{digits}}}")

    def read(value: object) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise ValueError(f"{digits} hexadecimal digits are wanted")
        return value

    return read


def _name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise ValueError("a name is wanted")
    return value


def _names(value: object) -> tuple[str, ...]:
    names = tuple(_name(name) for name in value) if isinstance(value, (list, tuple)) else ()
    if not 1 <= len(names) <= MOST_NODES or len(set(names)) != len(names):
        raise ValueError(f"between 1 and {MOST_NODES} different names are wanted")
    return names


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**53:  # a bool is an int too; beyond 2**53 JSON readers differ
        raise ValueError("a number is wanted")
    return value


def _number_or_none(value: object) -> int | None:
    return None if value is None else _number(value)


def _result(value: object) -> Result:
    if not isinstance(value, str):
        raise ValueError("a result is wanted")
    return Result(value)


_READERS: Mapping[str, Callable[[object], object]] = {
    "company": _name,
    "counter": _number,
    "down_ms": _number_or_none,
    "instance": _hex(64),
    "last": _hex(64),
    "licence": _hex(16),
    "maximum": _number,
    "node": _name,
    "nodes": _names,
    "nonce": _hex(32),
    "project": _name,
    "registered": _number,
    "request": _hex(64),
    "result": _result,
    "retired": _number,
    "sequence": _number,
}
"""Each field of every body, by its name."""
