"""What is asked of an engine to take an image away: our name of it, and the rest only where nobody else needs it."""

from collections.abc import Iterator, Sequence

import pytest

from tests.backends.stub_engine import StubEngine, answering
from tests.factories import a_node, an_image
from tests.fakes import FakeClock
from wizard.backends.docker import DockerBackend
from wizard.backends.engine import template
from wizard.domain.engine import Engine
from wizard.errors import BackendError

NODE, IMAGE = a_node(), an_image()
TAG = template.tag_of(IMAGE)
ID = template.checked_id(IMAGE)
OURS = [TAG, f"localhost/{TAG}"]
INSPECTS, REMOVES = r"GET /images/[^/]+/json", r"DELETE /images/.+"
FULL = {"message": "write /repositories.json: no space left on device"}


@pytest.fixture
def engine() -> Iterator[StubEngine]:
    with answering() as engine:
        yield engine


def unload(engine: StubEngine, *names: str) -> Sequence[str]:
    """What is asked to be removed, one by one, while the image has these names and is not removed."""
    engine.answers[INSPECTS] = (200, {"RepoTags": names})
    DockerBackend(engines={NODE.slug: Engine(url=engine.url)}, clock=FakeClock()).unload(NODE, IMAGE)
    return removed(engine)


def removed(engine: StubEngine) -> Sequence[str]:
    """Never by force."""
    lines = [line for line in engine.lines if line.startswith("DELETE")]
    assert [line for line in lines if "force=False" not in line] == []
    return [line.removeprefix("DELETE /images/").partition("?")[0] for line in lines]


def test_only_our_name_is_taken_away_while_others_have_given_one(engine: StubEngine) -> None:
    assert unload(engine, "theirs:1") == OURS


def test_an_image_without_any_name_is_taken_away_by_its_id(engine: StubEngine) -> None:
    assert unload(engine) == [*OURS, ID]


def test_a_conflict_means_that_it_is_in_use_and_stays(engine: StubEngine) -> None:
    engine.answers[REMOVES] = (409, {"message": "conflict: a container is using its referenced image"})
    assert unload(engine, TAG) == OURS


def test_with_a_full_disk_a_name_is_taken_away_twice(engine: StubEngine) -> None:
    """Then it is gone, or the disk is said to be full."""
    engine.answers[REMOVES] = (500, FULL)
    with pytest.raises(BackendError) as refusal:
        unload(engine, TAG)
    assert "full" in str(refusal.value.problem.happened)
    assert removed(engine) == [TAG, TAG]


def test_an_image_that_is_taken_away_before_the_start_is_said_to_be_gone(engine: StubEngine) -> None:
    """By a deployment of the same image that was undone meanwhile."""
    engine.answers[r"POST /containers/create"] = (404, {"message": "No such image: sha256:00"})
    backend = DockerBackend(engines={NODE.slug: Engine(url=engine.url)}, clock=FakeClock())
    with pytest.raises(BackendError) as refusal:
        backend.start(NODE, IMAGE, 18081, "one")
    assert "is not on" in str(refusal.value.problem.happened)
    assert "No such image" in refusal.value.problem.raw
