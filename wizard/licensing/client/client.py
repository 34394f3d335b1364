"""What an application embeds to be registered: register, beat, deauthorize (R8, R9, R12), remembered on the disk."""

import os
from collections.abc import Callable
from dataclasses import replace
from threading import RLock
from typing import TypeVar

from wizard.licensing.client.line import Endpoint, Line, LineError, not_the_protocol
from wizard.licensing.client.memory import Drawer, Memory, Node, Server
from wizard.licensing.protocol.api import BEATS, DEAUTHORIZATIONS, REGISTRATIONS
from wizard.licensing.protocol.messages import (
    Beat,
    Body,
    Certificate,
    Deauthorize,
    Feedback,
    Message,
    MessageError,
    Opened,
    Register,
    Release,
    Result,
    digest,
    open_message,
    seal_message,
)
from wizard.licensing.rules import project as rules
from wizard.licensing.rules.limits import Millis
from wizard.licensing.rules.project import BEATING, Loss, Registration, follow, lapse


class NotRegistered(Exception):
    """The authorization application did not accept the project. `code` is its own, `message` its words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


AnswerBody = TypeVar("AnswerBody", Certificate, Feedback, Release)

LOSSES = {Result.UNKNOWN: Loss.UNKNOWN, Result.REAUTHENTICATE: Loss.REAUTHENTICATE}


class Client:
    """One project with all of its nodes. Safe between threads. Times in milliseconds since 1970 (UTC)."""

    def __init__(self, name: str, drawer: Drawer, line: Line) -> None:
        self.name = name
        self._drawer = drawer
        self._line = line
        self._key = drawer.key()
        self._memory = drawer.load()
        self._lock = RLock()

    def look(self, now: Millis) -> Memory:
        """How the project stands at `now`."""
        memory = self._memory  # no lock: a request that waits for its answer does not hold up whoever looks
        nodes = tuple(replace(node, registration=lapse(node.registration, now)) for node in memory.nodes)
        return replace(memory, nodes=nodes)

    def next_beat(self, now: Millis) -> Millis | None:
        """When the next request is due (R9); None when there is nothing to ask for."""
        due = [node.registration.next_beat for node in self.look(now).nodes]
        return min((moment for moment in due if moment is not None), default=None)

    def register(self, address: str, port: int, now: Millis) -> None:
        """Register all nodes with the authorization application there: all of them, or none.

        Where the project was registered with another one, that one is told (R12), as soon as the new one has accepted.
        LineError when it cannot be reached, NotRegistered when it refuses.
        """
        with self._lock:
            endpoint = self._line.find(address, port)
            earlier = self._memory.server if self._is_beating() else None
            message = self._seal(Register, project=self.name, nodes=tuple(node.name for node in self._memory.nodes))
            status, answer = self._line.post(endpoint, REGISTRATIONS, message)
            if status != 201:
                raise _refusal(answer, endpoint)
            opened = _open(Certificate, answer, endpoint, message)
            self._keep(self._registered(endpoint, opened, answer, now))
        if earlier is not None and earlier.key != opened.key:
            self._give_up(earlier)

    def beat(self, now: Millis, *, everyone: bool = False) -> None:
        """Send the requests that are due by `now`; with `everyone`, as after a start, those of all nodes."""
        with self._lock:
            for node in self._memory.nodes:
                registration = lapse(node.registration, now)
                due = registration.next_beat
                if due is not None and (everyone or due <= now):
                    self._beat(node, now)
                elif registration != node.registration:
                    self._keep(self._memory.with_node(replace(node, registration=registration)))

    def deauthorize(self, now: Millis) -> bool:
        """Give the registration up (R12). False when there was no answer: then its slots free themselves after 24 h."""
        with self._lock:
            server = self._memory.server
            answered = server is not None and self._give_up(server)
            event = rules.Reregister(answered)
            nodes = tuple(
                Node(name=node.name, registration=follow(node.registration, event, now).after)
                for node in self._memory.nodes
            )
            self._keep(replace(self._memory, nodes=nodes, server=None, problem=None))
            return answered

    def _is_beating(self) -> bool:
        return any(node.registration.state in BEATING for node in self._memory.nodes)

    def _registered(self, endpoint: Endpoint, opened: Opened[Certificate], answer: Message, now: Millis) -> Memory:
        accepted = follow(Registration(), rules.Accepted(), now).after
        nodes = tuple(Node(name=node.name, registration=accepted, last=opened.digest) for node in self._memory.nodes)
        server = Server(endpoint=endpoint, key=opened.key, certificate=answer)
        return replace(self._memory, nodes=nodes, server=server, problem=None)

    def _beat(self, node: Node, now: Millis) -> None:
        server = self._memory.server
        if server is None:
            return
        event, last, problem = self._ask(server, node)
        after = follow(node.registration, event, now).after
        changed = replace(node, registration=after, last=last)
        self._keep(replace(self._memory.with_node(changed), problem=problem))

    def _ask(self, server: Server, node: Node) -> tuple[rules.ProjectEvent, str, str | None]:
        """What the answer to a beat means, the digest of the answer, and what was wrong with it."""
        message = self._seal(Beat, node=node.name, last=node.last)
        try:
            _, answer = self._line.post(server.endpoint, BEATS, message)
            opened = _open(Feedback, answer, server.endpoint, message, server.key)
        except LineError as error:
            return rules.NoAnswer(), node.last, error.message
        body = opened.body
        if body.result in LOSSES:
            loss = LOSSES[body.result]
            return rules.Refused(loss), opened.digest, f"The registration failed: {loss}. Register again."
        if body.result is Result.FORK:
            return (
                rules.NoAnswer(),
                node.last,
                "Another copy of this project speaks with the authorization application.",
            )
        return rules.Feedback(body.down_ms), opened.digest, None

    def _give_up(self, server: Server) -> bool:
        message = self._seal(Deauthorize)
        try:
            _, answer = self._line.post(server.endpoint, DEAUTHORIZATIONS, message)
            opened = _open(Release, answer, server.endpoint, message, server.key)
        except LineError:
            return False
        return opened.body.result is not Result.FORK

    def _seal(self, kind: Callable[..., Body], **fields: str | tuple[str, ...]) -> Message:
        """A message with the next sequence, which is on the disk before it leaves: it is never used twice."""
        self._keep(replace(self._memory, sequence=self._memory.sequence + 1))
        body = kind(**fields, sequence=self._memory.sequence, nonce=os.urandom(16).hex())
        return seal_message(body, self._key)

    def _keep(self, memory: Memory) -> None:
        self._drawer.save(memory)
        self._memory = memory


def _open(
    kind: type[AnswerBody], answer: Message, endpoint: Endpoint, message: Message, key: str | None = None
) -> Opened[AnswerBody]:
    """The answer to that very message, signed by that key. LineError otherwise."""
    try:
        opened = open_message(kind, answer, key)
    except MessageError:
        raise not_the_protocol(endpoint) from None
    if opened.body.request != digest(message):
        raise not_the_protocol(endpoint)
    return opened


def _refusal(answer: Message, endpoint: Endpoint) -> Exception:
    error = answer.get("error")
    if not isinstance(error, dict) or not all(isinstance(error.get(name), str) for name in ("code", "message")):
        return not_the_protocol(endpoint)
    return NotRegistered(error["code"], error["message"])
