"""The whole job over HTTP on real engines, each private to its test; of a swarm, on the node that manages nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.building import built_base
from tests.engines.premises import ENGINES
from tests.journey import own_journey

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    """The image of the Dockerfile, built once."""
    with built_base() as archive:
        yield archive


@pytest.mark.parametrize("backend", sorted(ENGINES.keys() - {"embedded"}))
def test_a_project_is_registered_over(backend: str, built: Path) -> None:
    own_journey(backend, built)
