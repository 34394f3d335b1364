"""What an application embeds to be registered: register, beat, deauthorize (R8, R9, R12), remembered on the disk."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import RLock
from typing import TypeVar

from wizard.licensing.client.causes import (
    ANSWERED,
    FORK,
    LOST,
    Cause,
    ClientError,
    NotRegistered,
    frees_itself,
    reconnected,
    registered,
    released,
)
from wizard.licensing.client.line import Endpoint, Line, LineError, not_the_protocol
from wizard.licensing.client.memory import Drawer
from wizard.licensing.client.state import Memory, Node, Notice, Server
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
from wizard.licensing.rules.limits import BEAT, Millis
from wizard.licensing.rules.project import Loss, ProjectState, Registration, follow

AnswerBody = TypeVar("AnswerBody", Certificate, Feedback, Release)

REFUSALS: Mapping[Result, Loss] = {Result.UNKNOWN: Loss.UNKNOWN, Result.REAUTHENTICATE: Loss.REAUTHENTICATE}


class Client:
    """One project with all of its nodes. Safe between threads. Times in milliseconds since 1970 (UTC).

    Each method may raise StorageError: then nothing was sent that is not remembered.
    """

    def __init__(self, name: str, drawer: Drawer, line: Line) -> None:
        self.name = name
        self._drawer = drawer
        self._line = line
        self._memory = drawer.load()
        self._lock = RLock()

    def look(self, now: Millis) -> Memory:
        """How the project stands at `now`."""
        return self._memory.aged(now)  # no lock: a request that waits for its answer does not hold up whoever looks

    def next_beat(self, now: Millis) -> Millis | None:
        """When the next request is due (R9); None when there is nothing to ask for."""
        return min((now if _is_due(node, now) else due for node, due in _beating(self.look(now))), default=None)

    def register(self, address: str, port: int, now: Millis, *, own_key: bool = False) -> None:
        """Register all nodes with the authorization application there: all of them, or none.

        With `own_key`, or when the last word was FORK, it is registered as a project of its own: with a new key, which
        takes the place of the old one when it is accepted. What the old key holds is left to the other copy.
        Otherwise, where the project was registered with another authorization application, that one is told (R12), as
        soon as the new one has accepted. LineError when it cannot be reached, NotRegistered when it refuses.
        """
        with self._lock:
            self._keep(self._memory.aged(now))
            before = self._memory
            try:
                self._register(address, port, now, own_key=own_key or before.needs_own_key)
            except (LineError, NotRegistered) as error:
                self._keep(_refused(self._memory, error, now))
                raise
            self._leave(before, now)

    def beat(self, now: Millis, *, everyone: bool = False) -> None:
        """Send the requests that are due by `now`; with `everyone`, as after a start, those of all nodes."""
        for name in [node.name for node in self._memory.nodes]:
            with self._lock:  # for one node at a time, so that whoever registers meanwhile need not wait for all
                self._keep(self._memory.aged(now))
                node = self._memory.node(name)
                if node.registration.next_beat is not None and (everyone or _is_due(node, now)):
                    self._beat(node, now)

    def deauthorize(self, now: Millis) -> bool:
        """Give the registration up (R12), for every copy of the project that has this key.

        False when that was not confirmed: then its slots free themselves 24 h after their last request.
        """
        with self._lock:
            self._keep(self._memory.aged(now))
            server = self._memory.server
            if server is None:
                return False
            left = self._give_up(server, now)
            memory = self._memory
            for node in memory.nodes:
                after = follow(node.registration, rules.Reregister(answered=left is None), now).after
                changed = Node(name=node.name, registration=after)
                memory = memory.moved(changed, left or released(str(server.endpoint)), now)
            notice = Notice(cause=left, since=now) if left else None
            self._keep(replace(memory, server=None, notice=notice))
            return left is None

    def _register(self, address: str, port: int, now: Millis, *, own_key: bool) -> None:
        endpoint = self._line.find(address, port)
        key = self._heir() if own_key else self._memory.key
        names = tuple(node.name for node in self._memory.nodes)
        message = self._seal(Register, now, key, project=self.name, nodes=names)
        status, answer = self._line.post(endpoint, REGISTRATIONS, message)
        if status != 201:
            raise _refusal(answer, endpoint)
        opened = _open(Certificate, answer, endpoint, message)
        server = Server(endpoint=endpoint, key=opened.key, certificate=answer, since=now)
        self._keep(_accepted(self._memory, server, opened.digest, key, now))

    def _heir(self) -> str:
        """The key to come. It is remembered before it is used, so that a crash does not leave slots to a lost one."""
        if not self._memory.heir:
            self._keep(replace(self._memory, heir=self._drawer.new_key()))
        return self._memory.heir

    def _leave(self, before: Memory, now: Millis) -> None:
        """After a registration: what is no longer needed of the one before."""
        if before.key != self._memory.key:
            self._drawer.drop_key(before.key)
        elif (
            before.server and before.is_beating and self._memory.server and before.server.key != self._memory.server.key
        ):
            left = self._give_up(before.server, now)
            if left:
                self._keep(replace(self._memory, notice=Notice(cause=left, since=now)).noted_for_all(left, now))

    def _beat(self, node: Node, now: Millis) -> None:
        server = self._memory.server
        if server is None:
            return
        event, last, cause = self._ask(server, node, now)
        after = follow(node.registration, event, now).after
        if after.state is ProjectState.FAILED and after.reason is not None:
            cause = LOST[after.reason]
        problem = None if after.state is ProjectState.CONNECTED else cause
        memory = self._memory.moved(replace(node, registration=after, last=last, problem=problem), cause, now)
        if cause is FORK:
            memory = memory.told_of_fork(now)
        elif isinstance(event, rules.Feedback):
            memory = memory.answered_well()
        self._keep(memory)

    def _ask(self, server: Server, node: Node, now: Millis) -> tuple[rules.ProjectEvent, str, Cause]:
        """What the answer to a beat means, the digest of the last good answer, and the cause in words.

        FORK is no good answer (SPEC.md has no event for it): unless the other copy stops, the registration lapses.
        """
        message = self._seal(Beat, now, self._memory.key, node=node.name, last=node.last)
        try:
            _, answer = self._line.post(server.endpoint, BEATS, message)
            opened = _open(Feedback, answer, server.endpoint, message, server.key)
        except LineError as error:
            return rules.NoAnswer(), node.last, error.cause
        body = opened.body
        if body.result is Result.FORK:
            return rules.NoAnswer(), node.last, FORK
        if body.result in REFUSALS:
            loss = REFUSALS[body.result]
            return rules.Refused(loss), opened.digest, LOST[loss]
        cause = ANSWERED if body.down_ms is None else reconnected(str(server.endpoint))
        return rules.Feedback(body.down_ms), opened.digest, cause

    def _give_up(self, server: Server, now: Millis) -> Cause | None:
        """None when the slots are free; else that they free themselves, and why."""
        message = self._seal(Deauthorize, now, self._memory.key)
        where = str(server.endpoint)
        try:
            _, answer = self._line.post(server.endpoint, DEAUTHORIZATIONS, message)
            opened = _open(Release, answer, server.endpoint, message, server.key)
        except LineError as error:
            self._keep(self._memory.noted_for_all(error.cause, now))
            return frees_itself(where)
        if opened.body.result is Result.FORK:
            self._keep(self._memory.told_of_fork(now).noted_for_all(FORK, now))
            return frees_itself(where)
        return None

    def _seal(self, kind: Callable[..., Body], now: Millis, key: str, **fields: str | tuple[str, ...]) -> Message:
        """A message with the next sequence, which is on the disk before it leaves: it is never used twice."""
        known = self._memory.sequence
        sequence = now if known is None else known + 1
        self._keep(replace(self._memory, sequence=sequence))
        return seal_message(kind(**fields, sequence=sequence, nonce=os.urandom(16).hex()), self._drawer.key(key))

    def _keep(self, memory: Memory) -> None:
        if memory != self._memory:
            self._drawer.save(memory)
            self._memory = memory


def _beating(memory: Memory) -> list[tuple[Node, Millis]]:
    """The nodes that send requests, and when their next ones are due."""
    return [(node, due) for node in memory.nodes if (due := node.registration.next_beat) is not None]


def _is_due(node: Node, now: Millis) -> bool:
    """Also when it would be further off than a beat: then the clock was set back meanwhile."""
    due = node.registration.next_beat
    return due is not None and (due <= now or due > now + BEAT)


def _accepted(memory: Memory, server: Server, last: str, key: str, now: Millis) -> Memory:
    """The memory of a project that was just accepted with that key."""
    registration = follow(Registration(), rules.Accepted(), now).after
    cause = registered(str(server.endpoint))
    for node in memory.nodes:
        after = Node(name=node.name, registration=registration, last=last)
        memory = memory.with_node(after).noted(node, after, cause, now)
    if key != memory.key:
        return replace(memory, key=key, heir="", fork=None, server=server, notice=None)
    return replace(memory.answered_well(), server=server, notice=None)


def _refused(memory: Memory, error: ClientError, now: Millis) -> Memory:
    """The memory of a project that was just not accepted: it stands as before."""
    told = memory.told_of_fork(now) if error.code == FORK.code else memory
    return told.noted_for_all(error.cause, now)


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


def _refusal(answer: Message, endpoint: Endpoint) -> ClientError:
    error = answer.get("error")
    if not isinstance(error, dict) or not all(isinstance(error.get(name), str) for name in ("code", "message")):
        return not_the_protocol(endpoint)
    return NotRegistered(error["code"], error["message"], str(endpoint))
