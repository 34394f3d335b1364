"""What a preflight makes of what an engine answers, and what it leaves there: nothing."""

from collections.abc import Iterator, Mapping

import pytest

from tests.backends.stub_engine import StubEngine, answering
from tests.factories import NOW, a_node, an_image
from tests.fakes import FakeClock
from wizard.backends.docker import DockerBackend
from wizard.backends.engine import template
from wizard.backends.engine.probe import LABEL
from wizard.domain.engine import Engine
from wizard.domain.preflight import Check, Outcome, Preflight
from wizard.errors import BackendError

PORT = 61081
"""Nobody listens there on this machine, which stands for the node."""
NODE = a_node(address="127.0.0.77")
ALL = ["engine", "architecture", "disk", "port", "leftovers"]
CREATES = r"POST /containers/create"
STARTS = r"POST /containers/[^/]+/start"
LISTS = r"GET /containers/json"
IMAGE_THERE = r"GET /images/sha256:[^/]+/json"
VOLUME = r"GET /volumes/[^/]+"


@pytest.fixture
def engine() -> Iterator[StubEngine]:
    with answering() as engine:
        yield engine


def preflight(engine: StubEngine, name: str = "") -> Preflight:
    backend = DockerBackend(engines={NODE.slug: Engine(url=engine.url)}, clock=FakeClock())
    return backend.preflight(NODE, an_image(), PORT, name, NOW)


def check(engine: StubEngine, slug: str, name: str = "") -> Check:
    return next(it for it in preflight(engine, name).checks if it.slug == slug)


def listed(
    name: str, labels: Mapping[str, str] | None = None, *, state: str = "running", port: int = 0
) -> Mapping[str, object]:
    """As in an engine's list of containers."""
    ports = [{"PublicPort": port}] if port else []
    return {"Id": f"id-of-{name}", "Names": [f"/{name}"], "State": state, "Labels": labels, "Ports": ports}


def ours(licence: str = an_image().licence, port: int = PORT) -> dict[str, str]:
    return {template.OURS: licence, template.PORT_LABEL: str(port)}


def test_a_node_with_nothing_in_the_way_passes_each_check(engine: StubEngine) -> None:
    found = preflight(engine)
    assert [it.slug for it in found.checks] == ALL
    assert {it.outcome for it in found.checks} == {Outcome.PASSED}
    assert (found.port.free, found.port.checked_at) == (True, NOW)


def test_the_engine_is_named_with_its_version_and_that_of_its_api(engine: StubEngine) -> None:
    assert str(check(engine, "engine").detail) == "Docker 20.10, version 1.41 of its API."


def test_an_image_for_another_architecture_fails_and_nothing_is_probed(engine: StubEngine) -> None:
    engine.answers[r"GET /version"] = (200, {"ApiVersion": "1.41", "Version": "20.10", "Arch": "arm64"})
    found = preflight(engine)
    assert [it.slug for it in found.failures] == ["architecture"]
    assert [it.slug for it in found.doubts] == ["disk"]
    assert [line for line in engine.lines if not line.startswith("GET")] == []


def test_an_engine_that_is_too_old_fails_and_is_asked_nothing_more(engine: StubEngine) -> None:
    engine.answers[r"GET /version"] = (200, {"ApiVersion": "1.24"})
    [only] = preflight(engine).checks
    assert (only.slug, only.outcome) == ("engine", Outcome.FAILED)
    assert "1.24" in str(only.detail)
    assert engine.lines == ["GET /version"]


def test_a_node_that_does_not_answer_is_an_error() -> None:
    """By TCP, for docker-py leaves a unix socket open that cannot be connected."""
    with pytest.raises(BackendError) as error:
        preflight(StubEngine(url="tcp://127.0.0.1:1"))
    assert not error.value.permanent


@pytest.mark.parametrize("fails", ["POST /images/load", CREATES, STARTS, r"POST /containers/[^/]+/wait"])
def test_a_probe_that_cannot_run_is_a_doubt_in_the_engines_words_and_is_taken_away(
    engine: StubEngine, fails: str
) -> None:
    engine.answers[fails] = (500, {"message": "the engine is out of sorts"})
    found = preflight(engine)
    assert [it.slug for it in found.doubts] == ["disk", "port"]
    assert all("out of sorts" in str(it.detail) and it.consequence for it in found.doubts)
    assert found.failures == ()
    assert [line for line in engine.lines if line.startswith("DELETE /images/sha256:")]
    if fails != "POST /images/load":
        assert [line for line in engine.lines if line.startswith("DELETE /containers/fineops-license-probe-")]


def test_a_probe_that_was_not_run_to_its_end_says_nothing_of_the_disk(engine: StubEngine) -> None:
    engine.answers[r"POST /containers/[^/]+/wait"] = (200, {"StatusCode": 137})
    assert check(engine, "disk").outcome is Outcome.DOUBTFUL


def test_an_error_within_the_stream_of_the_load_is_one(engine: StubEngine) -> None:
    engine.answers[r"POST /images/load"] = (200, {"error": "write /layer: no space left on device"})
    disk = check(engine, "disk")
    assert (disk.outcome, str(disk.detail)[:2]) == (Outcome.DOUBTFUL, "0 ")


def pieces_free(engine: StubEngine, pieces: int) -> None:
    """So many times 64 MiB. The image has 50 MiB."""
    engine.answers[r"POST /containers/[^/]+/wait"] = (200, {"StatusCode": pieces})


def test_the_engine_needs_room_for_three_copies_of_the_image_and_64_mib(engine: StubEngine) -> None:
    engine.answers[IMAGE_THERE] = (404, {"message": "No such image"})
    pieces_free(engine, 4)
    assert check(engine, "disk").outcome is Outcome.PASSED
    pieces_free(engine, 3)
    disk = check(engine, "disk")
    assert (disk.outcome, disk.consequence is not None) == (Outcome.DOUBTFUL, True)


def test_an_image_that_is_there_needs_no_more_room(engine: StubEngine) -> None:
    pieces_free(engine, 1)
    assert check(engine, "disk").outcome is Outcome.PASSED
    pieces_free(engine, 0)
    assert check(engine, "disk").outcome is Outcome.DOUBTFUL


def test_a_port_that_only_the_start_finds_taken_fails(engine: StubEngine) -> None:
    """By a program that takes no connection: another's probe would be gone at the second try. The disk comes last."""
    engine.answers[STARTS] = (500, {"message": "listen tcp4 :61081: bind: address already in use"})
    found = preflight(engine)
    assert (found.port.free, str(found.port.holder), found.port.next_free) == (False, "another program", PORT + 1)
    assert [it.slug for it in found.failures] == ["port"]
    created = [asked.document for asked in engine.asked if asked.line.startswith("POST /containers/create")]
    assert [bool(it["ExposedPorts"]) for it in created if isinstance(it, dict)] == [True, True, False]


def test_a_container_that_holds_the_port_is_named_and_nothing_is_probed_on_it(engine: StubEngine) -> None:
    engine.answers[LISTS] = (200, [listed("mail", port=PORT)])
    found = preflight(engine)
    assert "mail" in str(found.port.holder)
    assert found.port.next_free == PORT + 1
    assert probed_ports(engine) == [{}]


def test_its_own_port_is_free_for_it_and_nothing_is_probed_on_it(engine: StubEngine) -> None:
    engine.answers[LISTS] = (200, [listed("one", ours(), port=PORT)])
    found = preflight(engine, "one")
    assert found.port.free
    assert {it.outcome for it in found.checks} == {Outcome.PASSED}
    assert probed_ports(engine) == [{}]


def probed_ports(engine: StubEngine) -> list[object]:
    return [
        asked.document["ExposedPorts"]
        for asked in engine.asked
        if asked.line.startswith("POST /containers/create") and isinstance(asked.document, dict)
    ]


def test_a_probe_has_no_rights_no_network_unless_for_the_port_and_another_label(engine: StubEngine) -> None:
    engine.answers[LISTS] = (200, [listed("mail", port=PORT)])
    preflight(engine)
    [body] = [asked.document for asked in engine.asked if asked.line.startswith("POST /containers/create")]
    assert isinstance(body, dict)
    assert list(body["Labels"]) == [LABEL]
    host = body["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("none", True, ["ALL"])
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert "Binds" not in host


def test_a_probe_of_another_wizard_is_no_holder(engine: StubEngine) -> None:
    engine.answers[LISTS] = (200, [listed("probe", {LABEL: f"{int(NOW.timestamp())}-aa"}, port=PORT)])
    assert preflight(engine).port.free


def test_two_probes_never_have_the_same_name(engine: StubEngine) -> None:
    for _ in range(2):
        preflight(engine)
    created = [line for line in engine.lines if line.startswith("POST /containers/create")]
    assert len(set(created)) == 2


def test_what_a_killed_wizard_left_is_taken_away_and_a_probe_under_way_is_not(engine: StubEngine) -> None:
    now = int(NOW.timestamp())
    probes = [listed(name, {LABEL: f"{now - age}-aa"}, state="exited") for name, age in (("old", 61), ("new", 59))]
    engine.answers[LISTS] = (200, probes)
    images = [{"Id": "old-image", "Labels": {LABEL: f"{now - 61}-aa"}}, {"Id": "odd", "Labels": {LABEL: "odd"}}]
    engine.answers[r"GET /images/json"] = (200, images)
    preflight(engine)
    removed = [line.partition("?")[0] for line in engine.lines if line.startswith("DELETE")]
    assert removed[:2] == ["DELETE /containers/id-of-old", "DELETE /images/old-image"]
    assert len(removed) == 4


@pytest.mark.parametrize("state", ["running", "restarting", "paused"])
def test_a_licence_that_runs_already_fails(engine: StubEngine, state: str) -> None:
    engine.answers[LISTS] = (200, [listed("one", ours(), state=state)])
    line = check(engine, "leftovers", "two")
    assert (line.outcome, "one" in str(line.detail)) == (Outcome.FAILED, True)


def test_another_licence_is_not_in_the_way(engine: StubEngine) -> None:
    engine.answers[LISTS] = (200, [listed("one", ours("ffffffffffffffff", PORT + 1))])
    assert check(engine, "leftovers", "two").outcome is Outcome.PASSED


def test_the_volume_of_an_earlier_instance_is_said_to_be_kept(engine: StubEngine) -> None:
    engine.answers[VOLUME] = (200, {"Name": "v", "Labels": {template.OURS: an_image().licence}})
    line = check(engine, "leftovers")
    assert (line.outcome, "kept" in str(line.detail)) == (Outcome.PASSED, True)


@pytest.mark.parametrize("labels", [None, {}, {template.OURS: "ffffffffffffffff"}])
def test_a_volume_of_somebody_else_fails_also_beside_a_container_that_does_not_run(
    engine: StubEngine, labels: Mapping[str, str] | None
) -> None:
    """It would be refused by the start, so there is nothing to accept."""
    engine.answers[VOLUME] = (200, {"Name": "v", "Labels": labels})
    for containers in ([], [listed("one", ours(), state="exited")]):
        engine.answers[LISTS] = (200, containers)
        line = check(engine, "leftovers")
        assert (line.outcome, "v" in str(line.detail)) == (Outcome.FAILED, True)
        assert line.todo


def test_a_container_of_that_name_that_is_somebody_elses_fails(engine: StubEngine) -> None:
    engine.answers[LISTS] = (200, [listed("two")])
    assert check(engine, "leftovers", "two").outcome is Outcome.FAILED
