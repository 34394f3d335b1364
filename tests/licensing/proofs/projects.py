"""Projects that register, beat and leave while the server is killed (R8, R9, R12)."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.licensing.proofs.actors import SLACK, Actor, Look
from tests.licensing.proofs.books import Books
from tests.licensing.server.process import Answer, Caller
from wizard.licensing.protocol import api
from wizard.licensing.protocol.messages import Beat, Body, Deauthorize, Message, Register, digest, seal_message

NODES = ("node-a", "node-b")
WHOLE = ""
"""The channel of what is about the whole project; the others are named after the nodes."""
LEAVES = 0.1
"""How likely it is, each time, that a project gives its registration up."""
STATES = {api.REGISTRATIONS: {"LIVE", "AWAITING"}, api.DEAUTHORIZATIONS: {"RELEASED"}}
"""In which its slots are, after the last of these was answered."""
GOOD = {"certificate", "OK", "RECONNECTED", "RELEASED"}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a project says. `make` makes the body of a sequence and a nonce."""

    path: str
    channel: str
    sequence: int
    make: Callable[..., Body]
    message: Message
    at: float = field(default_factory=time.monotonic)


class Project(Actor):
    """One with two nodes. One that `stays` never gives its registration up: then the server stays authenticated."""

    def __init__(self, name: str, source: str, books: Books, draw: random.Random, *, stays: bool) -> None:
        super().__init__(source)
        self._name = name
        self._books = books
        self._draw = draw
        self._stays = stays
        self._key = Ed25519PrivateKey.generate()
        self._sequence = 0
        self._last = dict.fromkeys(NODES, "0" * 64)
        self._answered: dict[str, Said] = {}
        self._pending: Said | None = None

    def act(self, caller: Caller) -> None:
        """What was not answered is said again in the same words; else something new."""
        said = self._pending or self._something()
        self._pending = said
        answer = caller.post(said.path, said.message)
        assert _result(answer) in GOOD, answer
        for node in NODES if said.channel == WHOLE else (said.channel,):
            self._last[node] = digest(answer[1])
        self._answered[said.channel], self._pending = said, None
        self._books.acknowledged += 1

    def compare(self, caller: Caller) -> None:
        """A second message with the number of one that was answered is a fork, as long as that one is remembered."""
        for said in self._answered.values():
            probe = seal_message(said.make(sequence=said.sequence, nonce=os.urandom(16).hex()), self._key)
            self._books.lost += _result(caller.post(said.path, probe)) not in ("FORK", "fork")
        if self._pending is None or self._pending.channel != WHOLE:
            self._books.lost += not self._slots_are_right(Look(caller))

    def _slots_are_right(self, look: Look) -> bool:
        whole = self._answered.get(WHOLE)
        slots = {slot["node"]: slot for slot in look.document["slots"] if slot["project"] == self._name}
        if whole is None:
            return slots == {}
        return set(slots) == set(NODES) and all(
            slot["state"] in STATES[whole.path] and self._is_heard(whole, slot["last_request_ms"], node, look)
            for node, slot in slots.items()
        )

    def _is_heard(self, whole: Said, age_ms: int | None, node: str, look: Look) -> bool:
        """Whether the last request of that node is not older than the last one that was answered."""
        beat = self._answered.get(node)
        if beat is None or beat.sequence < whole.sequence:
            return True
        return age_ms is not None and age_ms / 1000 <= look.until - beat.at + SLACK

    def _something(self) -> Said:
        whole = self._answered.get(WHOLE)
        if whole is None or whole.path != api.REGISTRATIONS:
            return self._say(api.REGISTRATIONS, WHOLE, lambda **it: Register(project=self._name, nodes=NODES, **it))
        if not self._stays and self._draw.random() < LEAVES:
            return self._say(api.DEAUTHORIZATIONS, WHOLE, Deauthorize)
        node = self._draw.choice(NODES)
        last = self._last[node]
        return self._say(api.BEATS, node, lambda **it: Beat(node=node, last=last, **it))

    def _say(self, path: str, channel: str, make: Callable[..., Body]) -> Said:
        self._sequence += 1
        message = seal_message(make(sequence=self._sequence, nonce=os.urandom(16).hex()), self._key)
        return Said(path=path, channel=channel, sequence=self._sequence, make=make, message=message)


def _result(answer: Answer) -> str:
    """The word in a feedback or a release; "certificate"; or the code of an error."""
    _, document = answer
    if "error" in document:
        return str(document["error"]["code"])
    return str(document["body"].get("result", document["kind"]))
