"""What is read from the words of a swarm, as Docker 20.10 and 26.1 were heard to say them; no engine is needed."""

from typing import Any

import pytest

from tests.factories import a_node, an_image
from wizard.backends.engine import service, template
from wizard.backends.swarm import lines, plans, tasks
from wizard.backends.swarm.tasks import Fate, Start

BUSY = (
    "starting container failed: driver failed programming external connectivity on endpoint one.1.x: Error starting "
    "userland proxy: listen tcp4 0.0.0.0:18081: bind: address already in use"
)
HELD = "no suitable node (scheduling constraints not satisfied on 1 node; host-mode port already in use on 1 node)"
NO_NODE = "no suitable node (scheduling constraints not satisfied on 2 nodes)"
NO_IMAGE = "No such image: sha256:00"


UNKNOWN = an_image(is_licence=False)


def a_task(state: str, message: str = "", err: str = "", desired: str = "running") -> dict[str, Any]:
    status = {"State": state, "Message": message} | ({"Err": err} if err else {})
    return {"Status": status, "DesiredState": desired}


STARTS = {
    "nothing yet": ([], Start(Fate.WAITING)),
    "not placed yet": ([a_task("pending", "pending task scheduling")], Start(Fate.WAITING)),
    "being started": ([a_task("starting", "starting")], Start(Fate.WAITING)),
    "runs": ([a_task("running", "started")], Start(Fate.STARTED)),
    "nowhere to go": ([a_task("pending", "pending task scheduling", NO_NODE)], Start(Fate.WAITING, NO_NODE)),
    "port of another service": ([a_task("pending", "pending task scheduling", HELD)], Start(Fate.FAILED, HELD)),
    "port of a program": (
        [a_task("ready", "prepared", desired="ready"), a_task("failed", "starting", BUSY, "shutdown")],
        Start(Fate.FAILED, BUSY),
    ),
    "no image": ([a_task("rejected", "preparing", NO_IMAGE, "shutdown")], Start(Fate.FAILED, NO_IMAGE)),
    "ended at once": (
        [
            a_task("ready", "prepared", desired="ready"),
            a_task("failed", "started", "task: non-zero exit (2)", "shutdown"),
        ],
        Start(Fate.STARTED),
    ),
    "one that was told to end, and its successor": (
        [a_task("new", "created"), a_task("running", "started", desired="remove")],
        Start(Fate.WAITING),
    ),
}


@pytest.mark.parametrize(("given", "expected"), STARTS.values(), ids=STARTS.keys())
def test_the_states_of_tasks_say_what_became_of_a_start(given: list[dict[str, Any]], expected: Start) -> None:
    assert tasks.start_of(given) == expected


@pytest.mark.parametrize(("words", "taken"), [(BUSY, True), (HELD, True), (NO_NODE, False), (NO_IMAGE, False)])
def test_a_port_that_is_taken_is_told_from_other_trouble(words: str, taken: bool) -> None:
    assert Start(Fate.FAILED, words).is_port_taken is taken


def a_container(
    running: bool, exit_code: int = 0, started: str = "2026-11-24T09:00:00Z", **state: Any
) -> dict[str, Any]:
    return {"State": {"Running": running, "ExitCode": exit_code, "StartedAt": started} | state}


LABELS = template.labels_of(an_image(), 18081)


def test_a_container_beside_its_predecessors_was_started_again_so_often() -> None:
    found = [a_container(True), a_container(False, 137, OOMKilled=True), a_container(False, 2)]
    instance = tasks.instance("one", LABELS, found)
    assert (instance.running, instance.exit_code, instance.restarts) == (True, None, 2)
    assert instance.out_of_memory


def test_one_that_is_paused_runs_and_is_told_so() -> None:
    instance = tasks.instance("one", LABELS, [a_container(True, Paused=True), a_container(False, 2)])
    assert (instance.running, instance.paused, instance.exit_code) == (True, True, None)
    assert not tasks.instance("one", LABELS, [a_container(True)]).paused


def test_one_that_waits_to_be_started_again_has_the_exit_status_of_its_predecessor() -> None:
    found = [a_container(False, started=tasks.NEVER), a_container(False, 2)]
    instance = tasks.instance("one", LABELS, found)
    assert (instance.running, instance.exit_code, instance.restarts) == (False, 2, 0)


def test_one_without_a_container_has_the_exit_status_that_was_noted() -> None:
    assert tasks.instance("one", LABELS, []).exit_code is None
    assert tasks.instance("one", {**LABELS, service.EXIT_LABEL: "0"}, []).exit_code == 0


def test_what_a_swarm_has_left_out_is_named() -> None:
    asked = {"Name": "one", "Privileges": {"NoNewPrivileges": True}, "Ports": [{"Target": 1, "Mode": "host"}]}
    taken = {"Name": "one", "Privileges": {"CredentialSpec": None}, "Ports": [{"Target": 1}], "Added": 1}
    assert list(service.left_out(asked, taken)) == ["NoNewPrivileges", "Mode"]
    assert list(service.left_out(asked, asked)) == []


@pytest.mark.parametrize(
    ("versions", "said"), [(("1.41", "1.45"), True), (("1.45", "1.43"), True), (("1.44", "1.51"), False)]
)
def test_hardening_that_either_engine_lacks_is_said(versions: tuple[str, ...], said: bool) -> None:
    for image in (an_image(), UNKNOWN):
        assert ("leaves out" in str(lines.hardening(versions, image).detail)) is said


def test_an_image_of_which_nothing_is_known_is_not_said_to_be_without_rights() -> None:
    assert "No root" in str(lines.hardening(["1.45"], an_image()).detail)
    assert "No root" not in str(lines.hardening(["1.45"], UNKNOWN).detail)


def test_an_image_of_which_nothing_is_known_is_given_its_own_user_rights_and_folders() -> None:
    """As far as a plain `docker run` gives them; and what was left away is no part that Swarm has left out."""
    spec = service.service("abc", a_node(), UNKNOWN, 18081, "one")
    container = spec["TaskTemplate"]["ContainerSpec"]
    assert (container["User"], container["ReadOnly"], container["CapabilityDrop"]) == ("", False, [])
    assert [mount["Target"] for mount in container["Mounts"]] == [template.CONFIG]
    assert list(service.left_out(container, {key: value for key, value in container.items() if value})) == []
    command = plans.by_hand(a_node(), UNKNOWN, spec).partition("# on a manager")[2]
    for flag in ("--read-only", "--user", "--cap-drop", "tmpfs"):
        assert flag not in command


def test_every_part_of_a_service_has_its_word_on_the_command_line() -> None:
    """But for no-new-privileges, which has none."""
    node, image = a_node(), an_image()
    spec = service.service("abc", node, image, 18081, "one", 30)
    words = plans.by_hand(node, image, spec)
    for leaf in leaves(spec["TaskTemplate"]["ContainerSpec"] | spec["EndpointSpec"]):
        if isinstance(leaf, str):
            assert leaf in words
    assert "node.id==abc" in words
    assert "18081" in words


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]
