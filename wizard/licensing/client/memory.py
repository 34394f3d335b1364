"""What a project remembers between two starts: its key, and how each of its nodes stands."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wizard.licensing.client.line import Endpoint
from wizard.licensing.files import OWNER_ONLY, write_whole
from wizard.licensing.rules.project import Loss, ProjectState, Registration

KEY_FILE = "ed25519.key"
MEMORY_FILE = "registration.json"


@dataclass(frozen=True, kw_only=True)
class Server:
    """The authorization application that a project is registered with."""

    endpoint: Endpoint
    key: str
    """Its public signing key, in hex, as the certificate showed it."""
    certificate: Mapping[str, Any]
    """The signed message, kept as proof."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node of the project. `last` is the digest of the last answer that it received."""

    name: str
    registration: Registration = field(default_factory=Registration)
    last: str = ""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """All of it. `sequence` is that of the last message sent, and is written before the message leaves."""

    nodes: tuple[Node, ...]
    server: Server | None = None
    sequence: int = 0
    problem: str | None = None
    """What was wrong with the last request, for people."""

    def with_node(self, changed: Node) -> "Memory":
        return replace(self, nodes=tuple(changed if node.name == changed.name else node for node in self.nodes))


@dataclass(frozen=True)
class Drawer:
    """A folder for one project. The key and the memory are made at first use, and belong together."""

    folder: Path
    names: tuple[str, ...]
    """The names of the project's nodes."""

    def key(self) -> Ed25519PrivateKey:
        path = self.folder / KEY_FILE
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, os.urandom(32), OWNER_ONLY)
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())

    def load(self) -> Memory:
        """What was saved last, for the nodes that the project has now."""
        path = self.folder / MEMORY_FILE
        saved = _memory(json.loads(path.read_bytes())) if path.exists() else Memory(nodes=())
        known = {node.name: node for node in saved.nodes}
        return replace(saved, nodes=tuple(known.get(name, Node(name=name)) for name in self.names))

    def save(self, memory: Memory) -> None:
        """On the disk when it returns."""
        write_whole(self.folder / MEMORY_FILE, json.dumps(asdict(memory), indent=1).encode(), OWNER_ONLY)


def _memory(document: Mapping[str, Any]) -> Memory:
    return Memory(
        nodes=tuple(_node(node) for node in document["nodes"]),
        server=_server(document["server"]) if document["server"] else None,
        sequence=document["sequence"],
        problem=document["problem"],
    )


def _server(document: Mapping[str, Any]) -> Server:
    return Server(endpoint=Endpoint(**document["endpoint"]), key=document["key"], certificate=document["certificate"])


def _node(document: Mapping[str, Any]) -> Node:
    saved = document["registration"]
    registration = Registration(
        state=ProjectState(saved["state"]),
        feedback=saved["feedback"],
        reason=Loss(saved["reason"]) if saved["reason"] else None,
        failures=saved["failures"],
        tried=saved["tried"],
    )
    return Node(name=document["name"], registration=registration, last=document["last"])
