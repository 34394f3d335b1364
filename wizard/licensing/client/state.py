"""What a project remembers: its key, its server, how each of its nodes stands, and what happened to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wizard.licensing.client.causes import LAPSED, LOST, Cause
from wizard.licensing.client.history import Entry, History, noted
from wizard.licensing.client.line import Endpoint
from wizard.licensing.protocol.messages import Certificate, open_message
from wizard.licensing.rules.limits import DAY, HEAL, Millis
from wizard.licensing.rules.project import BEATING, Loss, Registration, lapse

DUE: tuple[tuple[Millis, Cause], ...] = ((DAY, LAPSED), (HEAL, LOST[Loss.NO_FEEDBACK]))
"""What happens by itself when the last answer is older than that (R10, R11)."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """The authorization application that a project is registered with."""

    endpoint: Endpoint
    key: str
    """Its public signing key, in hex, as the certificate showed it."""
    certificate: Mapping[str, Any]
    """The signed message, kept as proof."""
    since: Millis
    """When it accepted the project, by the project's clock."""

    @property
    def certified(self) -> Certificate:
        """What the certificate says."""
        return open_message(Certificate, dict(self.certificate), self.key).body


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node of the project. `last` is the digest of the last answer that it received."""

    name: str
    registration: Registration = field(default_factory=Registration)
    last: str = ""
    problem: Cause | None = None
    """What was wrong with its last request."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What concerns the project as a whole until it registers again. `since` is None until there was a clock."""

    cause: Cause
    since: Millis | None


@dataclass(frozen=True, kw_only=True)
class Fork:
    """Another copy of the project, with the same key, has spoken with the authorization application."""

    noticed: Millis
    """When this copy was last told so."""
    stands: bool
    """There has been no good answer since then."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """All of it. Times in milliseconds since 1970 (UTC)."""

    key: str
    """The project's public key, in hex: its identity. The private one is in a file of that name."""
    nodes: tuple[Node, ...]
    server: Server | None = None
    sequence: int | None = 0
    """That of the last message sent, written before the message leaves. None when it was lost with a damaged file."""
    heir: str = ""
    """The public key that replaces `key` as soon as an authorization application accepts it."""
    fork: Fork | None = None
    notice: Notice | None = None
    history: History = ()

    @property
    def is_beating(self) -> bool:
        return any(node.registration.state in BEATING for node in self.nodes)

    @property
    def is_whole(self) -> bool:
        """Whether no node has to be registered."""
        return all(node.registration.state in BEATING for node in self.nodes)

    @property
    def needs_own_key(self) -> bool:
        """The last word of the authorization application was that another copy uses this key."""
        return self.fork is not None and self.fork.stands

    def has_other_copy(self, now: Millis) -> bool:
        """Another copy was noticed, and it has had too little time since to be known to be gone: 24 h = 12 beats."""
        return self.fork is not None and (self.fork.stands or now - self.fork.noticed <= DAY)

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def with_node(self, changed: Node) -> "Memory":
        return replace(self, nodes=tuple(changed if node.name == changed.name else node for node in self.nodes))

    def moved(self, changed: Node, cause: Cause, now: Millis) -> "Memory":
        """The node changed because of that. It is noted when its state is another one, or when its problem is."""
        before = self.node(changed.name)
        memory = self.with_node(changed)
        is_new = changed.problem is not None and changed.problem != before.problem
        if before.registration.state is changed.registration.state and not is_new:
            return memory
        return memory.noted(before, changed, cause, now)

    def noted(self, before: Node, after: Node, cause: Cause, now: Millis) -> "Memory":
        entry = Entry(
            time=now,
            nodes=(after.name,),
            before=before.registration.state,
            after=after.registration.state,
            cause=cause,
        )
        return replace(self, history=noted(self.history, entry))

    def noted_for_all(self, cause: Cause, now: Millis) -> "Memory":
        """Something happened to the project, and no state changed."""
        memory = self
        for node in self.nodes:
            memory = memory.noted(node, node, cause, now)
        return memory

    def told_of_fork(self, now: Millis) -> "Memory":
        return replace(self, fork=Fork(noticed=now, stands=True))

    def answered_well(self) -> "Memory":
        return replace(self, fork=replace(self.fork, stands=False)) if self.fork else self

    def aged(self, now: Millis) -> "Memory":
        """After all that has happened by itself by `now`, each thing noted at its own moment."""
        memory = self
        if self.notice and self.notice.since is None:
            memory = replace(self, notice=replace(self.notice, since=now)).noted_for_all(self.notice.cause, now)
        for moment, name, cause in sorted(self._due(now), key=lambda due: due[0]):
            node = memory.node(name)
            memory = memory.moved(replace(node, registration=lapse(node.registration, moment)), cause, moment)
        return memory

    def _due(self, now: Millis) -> Iterator[tuple[Millis, str, Cause]]:
        """When the nodes come of an age at which something happens, by `now`."""
        for node in self.nodes:
            heard = node.registration.feedback
            for limit, cause in DUE:
                if heard is not None and heard + limit < now:
                    yield heard + limit + 1, node.name, cause
