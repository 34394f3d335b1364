"""The backend that other tests use passes the contract of the real ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contracts.backend import BackendContract, Bench
from tests.factories import a_node, an_image
from tests.fakes import FakeBackend


@pytest.fixture
def bench() -> Bench:
    backend, node, image = FakeBackend(), a_node(), an_image()
    engine = backend.engines[node.slug]

    @contextmanager
    def occupied(port: int) -> Iterator[None]:
        engine.others[port] = "nginx"
        yield
        del engine.others[port]

    def put_config(filename: str, content: bytes) -> None:
        engine.volumes[image.licence][filename] = content

    return Bench(
        backend=backend,
        node=node,
        image=image,
        archive=Path("unused"),
        port=18081,
        occupied=occupied,
        says="started",
        put_config=put_config,
    )


class TestFakeBackend(BackendContract):
    pass
