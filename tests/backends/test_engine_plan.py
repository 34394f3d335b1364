"""The plan of a deployment: the requests, and the same by hand."""

import json
import shlex
from dataclasses import replace

import pytest

from tests.factories import a_node, an_image
from wizard.backends.engine import template
from wizard.backends.engine.plan import plan

PORT = 18081
NODE, IMAGE = a_node(address="10.0.0.7"), an_image()


def commands(text: str) -> list[list[str]]:
    """As a shell understands them."""
    return [shlex.split(line) for line in text.replace("\\\n", " ").splitlines()]


def test_it_asks_for_the_image_the_volume_the_container_and_its_start_in_this_order() -> None:
    lines = [
        f"{request.method} {request.path.partition('?')[0]}" for request in plan(NODE, IMAGE, PORT, "one").requests
    ]
    assert lines == [
        "POST /images/load",
        f"POST /images/sha256:{IMAGE.image_id}/tag",
        "POST /volumes/create",
        "POST /containers/create",
        "POST /containers/one/start",
    ]


def test_the_container_is_the_templates() -> None:
    [create] = [it for it in plan(NODE, IMAGE, PORT, "one").requests if it.path == "/containers/create?name=one"]
    assert json.loads(create.body) == template.container(NODE, IMAGE, PORT)


def test_by_hand_the_same_is_done_by_four_commands() -> None:
    assert [words[:3] for words in commands(plan(NODE, IMAGE, PORT, "one").manual)] == [
        ["docker", "load", "-i"],
        ["docker", "tag", f"sha256:{IMAGE.image_id}"],
        ["docker", "volume", "create"],
        ["docker", "run", "-d"],
    ]


def test_by_hand_each_hardening_flag_is_given() -> None:
    run = commands(plan(NODE, IMAGE, PORT, "one").manual)[-1]
    image = run.index(f"sha256:{IMAGE.image_id}")
    assert run[image + 1 :] == ["--address", "10.0.0.7", "--port", "18081", "--listen", "0.0.0.0"]
    flags = dict(zip(run[6:image:2], run[7:image:2], strict=True))
    assert run[2:6] == ["-d", "--name", "one", "--read-only"]
    assert flags | {"--label": "", "--log-opt": ""} == {
        "--user": "65532:65532",
        "--label": "",
        "--volume": f"fineops-license-{IMAGE.licence}:/app/config",
        "--publish": "18081:18081/tcp",
        "--tmpfs": "/tmp:rw,noexec,nosuid,nodev,size=16m",
        "--cap-drop": "ALL",
        "--security-opt": "no-new-privileges",
        "--pids-limit": "64",
        "--memory": "268435456",
        "--memory-swap": "268435456",
        "--stop-timeout": "30",
        "--restart": "unless-stopped",
        "--log-driver": "json-file",
        "--log-opt": "",
    }


def test_by_hand_an_image_of_which_nothing_is_known_has_what_a_plain_run_gives_within_limits() -> None:
    """Its own user, capabilities, root and /tmp: it may begin as root and give that up by itself."""
    image = an_image(is_licence=False)
    run = commands(plan(NODE, image, PORT, "one").manual)[-1]
    flags = {word for word in run if word.startswith("--")}
    assert run[-1] == f"sha256:{image.image_id}"
    assert flags == {
        "--name",
        "--label",
        "--volume",
        "--publish",
        "--security-opt",
        "--pids-limit",
        "--memory",
        "--memory-swap",
        "--stop-timeout",
        "--restart",
        "--log-driver",
        "--log-opt",
    }


@pytest.mark.parametrize("address", ["$(reboot)", "a b; rm -rf /", "'\"\\", "--read-only=false", "one\ntwo"])
def test_nothing_in_it_is_obeyed_by_a_shell(address: str) -> None:
    manual = plan(replace(NODE, address=address), IMAGE, PORT, "one").manual
    assert address in shlex.split(manual)


def test_what_the_sender_of_the_image_chose_is_not_in_it() -> None:
    other = replace(IMAGE, filename="x;reboot.tar", repository="r", tag="t", company="Ltd;", project="$(x)")
    assert plan(NODE, other, PORT, "one") == plan(NODE, IMAGE, PORT, "one")
