"""The worker looks at deployed containers, and notes how they are."""

from pathlib import Path

import pytest

from tests.factories import a_deployed_registration, a_deployment, a_node, a_registration, an_image
from tests.fakes import FakeBackend, MemoryStore, broken
from tests.jobs.toy import Toy
from wizard.jobs.rounds import Rounds
from wizard.ports import Workshop


@pytest.fixture
def backend(workshop: Workshop) -> FakeBackend:
    """A container runs for r1."""
    backend = workshop.backend
    assert isinstance(backend, FakeBackend)
    node, image = a_node(), an_image()
    backend.load(node, image, Path("archive"), lambda done, total: None)
    backend.start(node, image, 18081, a_deployment().name)
    return backend


@pytest.fixture
def rounds(workshop: Workshop) -> Rounds:
    return Rounds(workshop, Toy().flow, lambda job: job())


def test_how_it_is_and_what_it_printed_is_noted(rounds: Rounds, store: MemoryStore, backend: FakeBackend) -> None:
    store.save(a_deployed_registration())
    rounds.inspect()
    seen = store.inspection("r1")
    assert seen
    assert (seen.found, seen.running, seen.log) == (True, True, "started\n")


def test_one_that_has_ended_is_noted_as_such(rounds: Rounds, store: MemoryStore, backend: FakeBackend) -> None:
    store.save(a_deployed_registration())
    backend.stop(a_node(), a_deployment().name)
    rounds.inspect()
    seen = store.inspection("r1")
    assert seen
    assert (seen.running, seen.exit_code) == (False, 0)


def test_one_that_is_paused_is_noted_as_such_and_not_as_running(
    rounds: Rounds, store: MemoryStore, backend: FakeBackend
) -> None:
    store.save(a_deployed_registration())
    backend.engines[a_node().slug].containers[a_deployment().name].paused = True
    rounds.inspect()
    seen = store.inspection("r1")
    assert seen
    assert (seen.running, seen.paused, seen.exit_code) == (False, True, None)


def test_one_that_is_gone_is_noted_as_such(rounds: Rounds, store: MemoryStore, backend: FakeBackend) -> None:
    store.save(a_deployed_registration())
    backend.remove(a_node(), a_deployment().name)
    rounds.inspect()
    seen = store.inspection("r1")
    assert seen
    assert not seen.found


def test_a_node_that_does_not_answer_leaves_what_was_seen(
    rounds: Rounds, store: MemoryStore, backend: FakeBackend
) -> None:
    store.save(a_deployed_registration())
    rounds.inspect()
    before = store.inspection("r1")
    backend.fail("inspect", broken(permanent=False))
    rounds.inspect()
    assert store.inspection("r1") == before


def test_where_nothing_is_deployed_nothing_is_looked_at(
    rounds: Rounds, store: MemoryStore, backend: FakeBackend
) -> None:
    store.save(a_registration())
    rounds.inspect()
    assert store.inspection("r1") is None
