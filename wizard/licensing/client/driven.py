"""Projects that somebody else makes beat, over a network that can be cut: for a kiosk whose visitors make time pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wizard.licensing.client.client import Client
from wizard.licensing.client.heartbeat import Heartbeat
from wizard.licensing.client.line import Endpoint, Line, LineError, PinnedLine, spot
from wizard.licensing.client.memory import Drawer
from wizard.licensing.protocol.messages import Message
from wizard.licensing.rules.limits import Millis


class CuttableLine:
    """A `Line` that can be cut: whoever asks then is told what a firewall that swallows everything makes of it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.is_cut = False

    def find(self, address: str, port: int) -> Endpoint:
        self._pass(spot(address, port))
        return self._line.find(address, port)

    def post(self, endpoint: Endpoint, path: str, message: Message) -> tuple[int, dict[str, Any]]:
        self._pass(str(endpoint))
        return self._line.post(endpoint, path, message)

    def _pass(self, where: str) -> None:
        if self.is_cut:
            raise LineError("timeout", f"There is no answer from {where}. Check the firewall and the address.", where)


@dataclass(frozen=True, kw_only=True)
class Side:
    """How a project stands: the state of its node that is worst off, and when it was last answered (milliseconds)."""

    state: str
    heard: Millis | None


WORST = ("FAILED", "LAPSED", "DISCONNECTED", "CONNECTED", "RELEASED", "UNREGISTERED")


class Driven:
    """The projects of an installation by their slugs, each on that line. Times in milliseconds since 1970."""

    def __init__(self, clients: Mapping[str, Client], line: CuttableLine) -> None:
        self._clients = clients
        self._line = line

    @property
    def is_cut(self) -> bool:
        return self._line.is_cut

    def cut(self, *, off: bool) -> None:
        """Cut the network between the projects and whatever they ask, or mend it."""
        self._line.is_cut = off

    def next_beat(self, now: Millis) -> Millis | None:
        """When the first of them has something to ask for."""
        return min((due for it in self._clients.values() if (due := it.next_beat(now)) is not None), default=None)

    def beat(self, now: Millis) -> None:
        for client in self._clients.values():
            client.beat(now)

    def register(self, slug: str, address: str, port: int, now: Millis) -> None:
        """ClientError when it is not accepted. Its first request follows at once, as after a registration by hand."""
        self._clients[slug].register(address, port, now)
        self._clients[slug].beat(now, everyone=True)

    def look(self, slug: str, now: Millis) -> Side:
        registrations = [node.registration for node in self._clients[slug].look(now).nodes]
        states = {registration.state.value for registration in registrations}
        heard = [registration.feedback for registration in registrations if registration.feedback is not None]
        return Side(state=next(state for state in WORST if state in states), heard=min(heard, default=None))


def drive(folder: Path, projects: Mapping[str, tuple[str, Sequence[str]]], clock: Callable[[], Millis]) -> Driven:
    """Projects by their slugs, each with its name and its nodes. They beat by themselves, too, when it is time."""
    line = CuttableLine(PinnedLine())
    clients = {
        slug: Client(name, Drawer(folder / slug, tuple(nodes)), line) for slug, (name, nodes) in projects.items()
    }
    for client in clients.values():
        Heartbeat(client, clock).start()
    return Driven(clients, line)
