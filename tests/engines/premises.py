"""What an installation needs to run on each backend: settings, and an engine that lives as long as it does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import Host, hosts

INVENTORY = """
[[project]]
slug = "demo-cluster"
name = "Production planning"
application = "/projects/demo-cluster"

[[project.node]]
slug = "cluster-main"
name = "Main application server"
role = "main"
address = "127.0.0.11"

[[project.node]]
slug = "cluster-component"
name = "Component server"
role = "component"
address = "{address}"
engine = "{url}"
"""


@contextmanager
def embedded() -> Iterator[Mapping[str, str]]:
    yield {}


@contextmanager
def one_host(backend: str, run: Callable[[Host], AbstractContextManager[Daemon]]) -> Iterator[Mapping[str, str]]:
    """A demonstration whose component server is a host of its own, with an engine."""
    with TemporaryDirectory(prefix="premises-") as folder, hosts(1) as (host,), run(host) as daemon:
        inventory = Path(folder) / "inventory.toml"
        inventory.write_text(INVENTORY.format(address=host.address, url=daemon.url))
        yield {"WIZARD_BACKEND": backend, "WIZARD_INVENTORY": str(inventory), "WIZARD_DEMONSTRATION": "yes"}


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Mapping[str, str]]]] = {
    "embedded": embedded,
    "docker": partial(one_host, "docker", docker_daemon),
    "podman": partial(one_host, "podman", podman_service),
}
"""The settings of an installation (settings.py), by the name of its backend."""
