"""Projects for a load: their keys, and the messages that they send, signed before the time is taken."""

import hashlib
import json
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.wire import request
from wizard.licensing.protocol.messages import (
    Beat,
    Feedback,
    Message,
    MessageError,
    Register,
    Result,
    digest,
    open_message,
    seal_message,
)

NODE = "node-a"
NO_ANSWER = "0" * 64
"""As the last answer received: it only matters after the authorization application was down."""


def key(project: int) -> Ed25519PrivateKey:
    """The same one in each process."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"project {project}".encode()).digest())


def registration(project: int) -> Message:
    body = Register(project=f"Project {project}", nodes=(NODE,), sequence=1, nonce=_nonce(project, 1))
    return seal_message(body, key(project))


def beats(project: int, sequences: Iterable[int]) -> list[Message]:
    """One for each sequence number."""
    private = key(project)
    return [
        seal_message(Beat(node=NODE, sequence=number, nonce=_nonce(project, number), last=NO_ANSWER), private)
        for number in sequences
    ]


def sent(path: str, message: Message) -> bytes:
    """The bytes of the HTTP request."""
    return request(path, json.dumps(message).encode())


def is_ok(beat: Message, status: int, answer: bytes) -> bool:
    """Whether this is a good answer to that very beat."""
    try:
        body = open_message(Feedback, json.loads(answer)).body
    except (ValueError, MessageError):
        return False
    return status == 200 and body.result is Result.OK and body.request == digest(beat)


def _nonce(project: int, sequence: int) -> str:
    return f"{project:016x}{sequence:016x}"
