"""The whole job over HTTP on real engines, each private to its test; of a swarm, on the node that manages nothing."""

import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.premises import ENGINES
from tests.journey import own_journey

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]


@pytest.mark.parametrize("backend", sorted(ENGINES.keys() - {"embedded"}))
def test_a_project_is_registered_over(backend: str) -> None:
    own_journey(backend)
