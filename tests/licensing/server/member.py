"""A project as the authorization application sees it: a key, and messages."""

from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from werkzeug.test import TestResponse

from tests.licensing.server.bench import Bench
from wizard.licensing.protocol import api
from wizard.licensing.protocol.messages import (
    Beat,
    Certificate,
    Deauthorize,
    Feedback,
    Message,
    Register,
    Release,
    digest,
    open_message,
    seal_message,
)


class Member:
    """Sends one message at a time, as a well-behaved project does. `last` is the digest of its last answer."""

    def __init__(self, bench: Bench, *nodes: str, name: str = "Sales") -> None:
        self.bench = bench
        self.name = name
        self.nodes = nodes or ("node-a",)
        self.private = Ed25519PrivateKey.generate()
        self.sequence = 0
        self.last = ""

    def register_message(self) -> Message:
        body = Register(project=self.name, nodes=self.nodes, sequence=self._next(), nonce=self._nonce())
        return seal_message(body, self.private)

    def try_to_register(self) -> TestResponse:
        return self.bench.post(api.REGISTRATIONS, self.register_message())

    def register(self) -> Certificate:
        response = self.try_to_register()
        assert response.status_code == 201, response.json
        opened = open_message(Certificate, response.json)
        self.last = opened.digest
        return opened.body

    def beat_message(self, node: str | None = None) -> Message:
        body = Beat(node=node or self.nodes[0], sequence=self._next(), nonce=self._nonce(), last=self.last)
        return seal_message(body, self.private)

    def send(self, message: Message, *, lost: bool = False) -> Feedback:
        """The answer to a beat; `lost` when it does not reach the project."""
        answer = cast("dict[str, Any]", self.bench.post(api.BEATS, message).json)
        opened = open_message(Feedback, answer)
        assert opened.body.request == digest(message)
        self.last = self.last if lost else opened.digest
        return opened.body

    def beat(self, node: str | None = None, *, lost: bool = False) -> str:
        return self.send(self.beat_message(node), lost=lost).result.value

    def deauthorize(self) -> str:
        body = Deauthorize(sequence=self._next(), nonce=self._nonce())
        response = self.bench.post(api.DEAUTHORIZATIONS, seal_message(body, self.private))
        return open_message(Release, response.json).body.result.value

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence

    def _nonce(self) -> str:
        return f"{self.sequence:032x}"
