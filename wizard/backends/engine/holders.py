"""Who holds which port of a node (R4), as far as can be seen from the engine and from here."""

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from docker import APIClient

from wizard.backends.engine import containers, refusals
from wizard.backends.refusals import one_of_ours
from wizard.domain.project import Node
from wizard.text import Text, say

SECONDS_TO_PROBE = 1
LOOKED_AT = 200
"""Ports above the one that is taken."""
BUSY = ("address already in use", "port is already allocated")
"""How engines say, as an error 500, that a port is taken: the kernel's words, and Docker's own."""


def published(engine: APIClient, besides: str) -> Mapping[int, Text]:
    """Who has which port of the host, of the containers that run; the one named `besides` is left out."""
    return ports_of(engine.containers(), besides)


def ports_of(listed: Sequence[Mapping[str, Any]], besides: str) -> Mapping[int, Text]:
    """The same, of containers that were listed already."""
    return {
        port["PublicPort"]: _words(containers.name_of(container), ours=containers.is_ours(container))
        for container in listed
        if containers.is_up(container) and containers.name_of(container) != besides
        for port in container["Ports"] or ()
        if port.get("PublicPort")
    }


def holder(node: Node, port: int, published: Mapping[int, Text]) -> Text | None:
    """Who has that port of the node; None when it is free, as far as can be seen from here."""
    if port in published:
        return published[port]
    return another_program() if answers(node.address, port) else None


def next_free(node: Node, port: int, published: Mapping[int, Text]) -> int | None:
    """The next port above it that nobody is seen to hold."""
    above = range(port + 1, min(port + 1 + LOOKED_AT, 1 << 16))
    return next((other for other in above if holder(node, other, published) is None), None)


def answers(address: str, port: int) -> bool:
    """Whether somebody takes a connection there. Who takes none at all may still be there, behind a firewall."""
    try:
        with socket.create_connection((address, port), SECONDS_TO_PROBE):
            return True
    except OSError:
        return False


def is_busy(words: str) -> bool:
    """Whether that is how an engine says that a port is taken."""
    return any(busy in words for busy in BUSY)


def another_program() -> Text:
    return say("another program")


def _words(name: str, *, ours: bool) -> Text:
    return (one_of_ours if ours else refusals.a_container)(name)
