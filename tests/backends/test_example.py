"""The worked example of docs/backends.md is a backend: its text, as it stands there, passes the contract suite."""

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.backends.common import bench_on
from tests.contracts.backend import BackendContract, Bench
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon
from tests.engines.hosts import hosts
from tests.factories import a_node
from tests.fakes import FakeClock
from tests.instance import ROOT
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.ports import Backend

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Backend]:
    """The class in the page's one block of Python."""
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "backends.md").read_text(), re.DOTALL)
    module = tmp_path_factory.mktemp("example") / "example_backend.py"
    module.write_text(code)
    spec = importlib.util.spec_from_file_location("example_backend", module)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    made: Callable[..., Backend] = loaded.CommandBackend
    return made


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with hosts(1) as (host,), docker_daemon(host) as daemon:
        yield daemon


@pytest.fixture
def bench(daemon: Daemon, example: Callable[..., Backend], issued: tuple[Image, Path]) -> Iterator[Bench]:
    node = a_node(address=daemon.host.address)
    backend = example(engines={node.slug: Engine(url=daemon.url)}, clock=FakeClock())
    with bench_on(daemon, backend, node, issued) as bench:
        yield bench


class TestExample(BackendContract):
    """As whoever writes a backend runs it."""
