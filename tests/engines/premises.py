"""What an installation needs to run on each backend: settings, and an engine that lives as long as it does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import Host, hosts
from tests.engines.swarm import swarm
from wizard.domain.engine import Engine

PROJECT = """
[[project]]
slug = "demo-cluster"
name = "Production planning"
application = "/projects/demo-cluster"
"""
NODE = """
[[project.node]]
slug = "{slug}"
name = "{name}"
role = "{role}"
address = "{address}"
"""
MAIN = {"slug": "cluster-main", "name": "Main application server", "role": "main"}
COMPONENT = {"slug": "cluster-component", "name": "Component server", "role": "component"}
LOOPBACK = "127.0.0.11"


@contextmanager
def embedded() -> Iterator[Mapping[str, str]]:
    yield {}


@contextmanager
def one_host(backend: str, run: Callable[[Host], AbstractContextManager[Daemon]]) -> Iterator[Mapping[str, str]]:
    """A demonstration whose component server is a host of its own, with an engine."""
    with hosts(1) as (host,), run(host) as daemon:
        component = a_node(COMPONENT, host.address, Engine(url=daemon.url))
        with installation(backend, a_node(MAIN, LOOPBACK), component) as settings:
            yield settings


@contextmanager
def two_hosts() -> Iterator[Mapping[str, str]]:
    """One whose servers are two hosts of one swarm; the component server manages nothing."""
    with swarm(2) as cluster:
        servers = zip((MAIN, COMPONENT), cluster.daemons, cluster.engines, strict=True)
        nodes = [a_node(words, daemon.host.address, engine) for words, daemon, engine in servers]
        with installation("swarm", *nodes) as settings:
            yield settings


@contextmanager
def installation(backend: str, *nodes: str) -> Iterator[Mapping[str, str]]:
    with TemporaryDirectory(prefix="premises-") as folder:
        inventory = Path(folder) / "inventory.toml"
        inventory.write_text(PROJECT + "".join(nodes))
        yield {"WIZARD_BACKEND": backend, "WIZARD_INVENTORY": str(inventory), "WIZARD_DEMONSTRATION": "yes"}


def a_node(words: Mapping[str, str], address: str, engine: Engine | None = None) -> str:
    """A node of the inventory, and how its engine is reached when it has one."""
    lines = {"engine": engine.url, "tls": engine.tls} if engine else {}
    return NODE.format(**words, address=address) + "".join(
        f'{key} = "{value}"\n' for key, value in lines.items() if value
    )


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Mapping[str, str]]]] = {
    "embedded": embedded,
    "docker": partial(one_host, "docker", docker_daemon),
    "podman": partial(one_host, "podman", podman_service),
    "swarm": two_hosts,
}
"""The settings of an installation (settings.py), by the name of its backend."""
