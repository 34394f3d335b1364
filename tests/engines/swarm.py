"""A swarm for the tests: a private Docker engine on each of several hosts, joined into one cluster."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines.certificates import Authority
from tests.engines.daemons import TLS_PORT, Daemon, docker_daemon
from tests.engines.hosts import Host, hosts
from tests.waiting import until
from wizard.domain.engine import Engine

CLUSTER_PORT = 2377
CLIENT_FILES = ("cert.pem", "key.pem")


@dataclass(frozen=True)
class Swarm:
    """Engines that form a cluster; the first so many of them manage it. `engines` says how each is reached over TLS."""

    daemons: tuple[Daemon, ...]
    engines: tuple[Engine, ...]

    @property
    def manager(self) -> Daemon:
        return self.daemons[0]

    @property
    def worker(self) -> Daemon:
        """The last one, which manages nothing as long as there are fewer managers than engines."""
        return self.daemons[-1]

    def state_of(self, daemon: Daemon) -> str:
        """What the manager thinks of it: ready, down, unknown."""
        with daemon.client() as engine:
            node_id = engine.info()["Swarm"]["NodeID"]
        with self.manager.client() as engine:
            return str(engine.inspect_node(node_id)["Status"]["State"])

    def see(self, daemon: Daemon, state: str) -> None:
        """Wait until the manager thinks so."""
        until(lambda: self.state_of(daemon) == state, f"{daemon.host.name} is {state}", patience=60)


@contextmanager
def swarm(count: int = 2, managers: int = 1, room: str = "2g") -> Iterator[Swarm]:
    """So many hosts, each with an engine that is reached with mutual TLS, in one swarm."""
    with hosts(count) as members, engines(members, room) as swarm:
        form(swarm.daemons, managers)
        yield swarm


@contextmanager
def engines(members: Sequence[Host], room: str = "2g") -> Iterator[Swarm]:
    """The same before they have joined: engines that know nothing of each other."""
    folder = members[0].folder / "tls"
    authority = Authority(folder)
    pair = authority.client("wizard")
    for path, name in zip((pair.certificate, pair.key), CLIENT_FILES, strict=True):
        path.rename(folder / name)
    with ExitStack() as stack:
        daemons = tuple(stack.enter_context(docker_daemon(host, authority=authority, room=room)) for host in members)
        yield Swarm(daemons, tuple(over_tls(host, folder) for host in members))


def over_tls(host: Host, folder: Path) -> Engine:
    return Engine(url=f"tcp://{host.address}:{TLS_PORT}", tls=folder)


def form(daemons: Sequence[Daemon], managers: int = 1) -> None:
    """Join them: the first begins the swarm, and so many manage it."""
    first, *others = daemons
    with first.client() as engine:
        engine.init_swarm(advertise_addr=first.host.address, listen_addr=f"{first.host.address}:{CLUSTER_PORT}")
        tokens = engine.inspect_swarm()["JoinTokens"]
    for number, daemon in enumerate(others, start=1):
        join(daemon, first, tokens["Manager" if number < managers else "Worker"])


def join(daemon: Daemon, manager: Daemon, token: str) -> None:
    with daemon.client() as engine:
        engine.join_swarm([f"{manager.host.address}:{CLUSTER_PORT}"], token, advertise_addr=daemon.host.address)
    with daemon.client() as engine:
        until(lambda: engine.info()["Swarm"]["LocalNodeState"] == "active", f"{daemon.host.name} has joined")
