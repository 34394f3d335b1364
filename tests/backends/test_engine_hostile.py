"""No value of a client reaches an engine's API but in the places that the template gives it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backends.stub_engine import Asked, StubEngine, answering
from tests.factories import NOW, a_node, an_image
from tests.fakes import FakeClock
from wizard.backends.docker import DockerBackend
from wizard.backends.engine import template
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.errors import BackendError

NODE, IMAGE = a_node(address="127.0.0.77"), an_image()
PORT, NAME = 61081, "one"
HOSTILE = (
    "../../images/x",
    "one/start?x=",
    "..",
    ".",
    "",
    "/",
    "a b",
    'x"}, "Privileged": true, "y": {"',
    "one\r\nX-Header: 1\r\n\r\n",
    "%2e%2e%2f",
    "--privileged",
    "one?force=1#",
    "ONE",
    "one\n",
    "x" * 5000,
    "-one",
    "one\0",
    "１２",
    "é",
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))
OURS = {template.OURS: IMAGE.licence, template.PORT_LABEL: str(PORT)}
FOUND = {
    "Name": "/x",
    "Config": {"Labels": OURS, "Tty": False},
    "State": {"Running": True, "Status": "running", "ExitCode": 0},
}
MAY_DIFFER = {"Cmd/1"}
"""Where in the container's body an address may be: one argument of the program."""
PATHS = re.compile(
    r"(GET /(version|containers/json|containers/NAME/(json|logs|archive)|images/ID/json|images/json|volumes/VOLUME)"
    r"|POST /(images/load|images/ID/tag|volumes/create|containers/create|containers/(NAME|PROBE)/(start|stop|wait))"
    r"|DELETE /(containers/(NAME|PROBE)|images/(ID|TAG)))(\?[A-Za-z0-9=&%._+-]*)?"
)

Action = Callable[[DockerBackend, Node, Image, int, str, Path], object]
ACTIONS: Mapping[str, Action] = {
    "preflight": lambda it, node, image, port, name, _: it.preflight(node, image, port, name, NOW),
    "load": lambda it, node, image, port, name, archive: it.load(node, image, archive, lambda done, total: None),
    "start": lambda it, node, image, port, name, _: it.start(node, image, port, name),
    "inspect": lambda it, node, image, port, name, _: it.inspect(node, name),
    "stop": lambda it, node, image, port, name, _: it.stop(node, name),
    "start_again": lambda it, node, image, port, name, _: it.start_again(node, name),
    "remove": lambda it, node, image, port, name, _: it.remove(node, name),
    "unload": lambda it, node, image, port, name, _: it.unload(node, image),
    "logs": lambda it, node, image, port, name, _: it.logs(node, name),
    "read_config": lambda it, node, image, port, name, _: it.read_config(node, name, "tls.pin"),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[StubEngine]:
    with answering() as engine:
        yield engine


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "archive.tar"
    path.write_bytes(b"an archive")
    return path


def asked(
    engine: StubEngine, action: Action, archive: Path, node: Node = NODE, image: Image = IMAGE, name: str = NAME
) -> list[Asked] | None:
    """What the engine is asked for; None when it is refused. Twice: when the container is not there, and when it is."""
    engine.asked.clear()
    is_refused = False
    for answer in ((404, {"message": "No such container"}), (200, FOUND)):
        engine.answers[r"GET /containers/[^/]+/json"] = answer
        backend = DockerBackend(engines={NODE.slug: Engine(url=engine.url)}, clock=FakeClock())
        try:
            action(backend, node, image, PORT, name, archive)
        except (BackendError, ValueError):
            is_refused = True
    return None if is_refused else list(engine.asked)


def shape(asked: Asked, name: str) -> str:
    """The line of a request with the names that belong there taken out."""
    line = re.sub(r"(?<=/images/)sha256:[0-9a-f]{64}(?=[/?]|$)", "ID", asked.line)
    line = re.sub(r"(?<=/images/)(localhost/)?fineops-license:[0-9a-f]{32}(?=[/?]|$)", "TAG", line)
    line = re.sub(r"(?<=/volumes/)fineops-license-[a-z0-9][a-z0-9-]{0,62}$", "VOLUME", line)
    line = re.sub(r"/fineops-license-probe-[0-9]+-[0-9a-f]{8}\b", "/PROBE", line)
    return re.sub(rf"/containers/{re.escape(name)}(?=[/?]|$)", "/containers/NAME", line) if name else line


def differences(one: object, two: object, place: str = "") -> set[str]:
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        return {it for key in one for it in differences(one[key], two[key], f"{place}/{key}")}
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return {it for at in range(len(one)) for it in differences(one[at], two[at], f"{place}/{at}")}
    return set() if one == two else {place.removeprefix("/")}


def documents(asked: list[Asked]) -> list[Any]:
    """The bodies that are JSON, but for the probe's, whose name is another each time."""
    return [it.document for it in asked if it.path.startswith(("/containers/create?name=one", "/volumes/create"))]


thorough = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_what_is_asked_for_is_of_a_fixed_form(engine: StubEngine, archive: Path, action: Action) -> None:
    lines = [shape(it, NAME) for it in asked(engine, action, archive) or ()]
    assert [line for line in lines if not PATHS.fullmatch(line)] == []


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
@thorough
@given(name=texts)
def test_a_name_is_refused_before_it_is_asked_for_or_is_only_ever_a_name(
    engine: StubEngine, archive: Path, action: Action, name: str
) -> None:
    requests = asked(engine, action, archive, name=name)
    lines = [shape(it, name) for it in requests or engine.asked]
    assert [line for line in lines if not PATHS.fullmatch(line)] == []
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", name):
        assert [
            it for it in lines if "/containers/NAME" in it or it.startswith("POST /containers/create?name=one")
        ] == []


@pytest.mark.parametrize("changed", [lambda it: replace(IMAGE, image_id=it), lambda it: replace(IMAGE, licence=it)])
@thorough
@given(value=texts)
def test_an_identifier_that_is_none_is_refused(
    engine: StubEngine, archive: Path, changed: Callable[[str], Image], value: str
) -> None:
    image = changed(value)
    for action in ACTIONS.values():
        requests = asked(engine, action, archive, image=image)
        lines = [shape(it, NAME) for it in requests or engine.asked]
        assert [line for line in lines if not PATHS.fullmatch(line)] == []
        assert [it for it in engine.asked if len(value) > 15 and value.encode() in it.body] == []


@thorough
@given(values=st.lists(texts, min_size=6, max_size=6))
def test_what_else_is_known_of_an_image_goes_nowhere(engine: StubEngine, archive: Path, values: list[str]) -> None:
    repository, tag, filename, company, project, architecture = values
    image = replace(
        IMAGE,
        repository=repository,
        tag=tag,
        filename=filename,
        company=company,
        project=project,
        architecture=architecture,
    )
    for action in (ACTIONS["load"], ACTIONS["start"], ACTIONS["unload"]):
        assert asked(engine, action, archive, image=image) == asked(engine, action, archive)


@thorough
@given(address=texts, name=texts)
def test_a_nodes_address_is_one_argument_of_the_program_and_its_name_goes_nowhere(
    engine: StubEngine, archive: Path, address: str, name: str
) -> None:
    usual = asked(engine, ACTIONS["start"], archive) or []
    node = replace(NODE, address=address, name=name)
    requests = asked(engine, ACTIONS["start"], archive, node=node)
    assert requests is not None
    assert [it.line for it in requests] == [it.line for it in usual]
    assert differences(documents(usual), documents(requests)) <= {f"1/{place}" for place in MAY_DIFFER}


@pytest.mark.parametrize("port", [0, -1, 65536, 10**9])
def test_a_port_that_is_none_is_refused(engine: StubEngine, port: int) -> None:
    engine.asked.clear()
    engine.answers[r"GET /containers/[^/]+/json"] = (404, {"message": "No such container"})
    backend = DockerBackend(engines={NODE.slug: Engine(url=engine.url)}, clock=FakeClock())
    with pytest.raises(ValueError, match="port"):
        backend.start(NODE, IMAGE, port, NAME)
    assert [line for line in engine.lines if line.startswith("POST /containers")] == []


@given(filename=texts)
@thorough
def test_a_file_of_the_volume_is_one_of_its_folder(engine: StubEngine, filename: str) -> None:
    engine.asked.clear()
    engine.answers[r"GET /containers/[^/]+/json"] = (200, FOUND)
    backend = DockerBackend(engines={NODE.slug: Engine(url=engine.url)}, clock=FakeClock())
    try:
        backend.read_config(NODE, NAME, filename)
    except (ValueError, BackendError):
        assert [line for line in engine.lines if "archive" in line] == []
    else:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", filename)
        assert engine.lines[-1] == f"GET /containers/one/archive?path=%2Fapp%2Fconfig%2F{filename}"
