"""What loading and starting will ask of an engine, exactly, and how a person does the same with the docker command.

Both are derived from the one template, so that neither can say anything else than what is done.
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from wizard.backends.engine import template
from wizard.domain.image import Image
from wizard.domain.preflight import Plan, Request
from wizard.domain.project import Node
from wizard.licensing.protocol.claims import REPOSITORY

ARCHIVE = f"{REPOSITORY}.tar"
"""As the vendor calls it (R2). What the file is called that was received is the sender's choice, and goes nowhere."""

FLAGS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "--user": lambda body: [body["User"]] if body["User"] else [],
    "--label": lambda body: _pairs(body["Labels"]),
    "--volume": lambda body: body["HostConfig"]["Binds"],
    "--publish": lambda body: [
        f"{binding['HostPort']}:{exposed}"
        for exposed, bindings in body["HostConfig"]["PortBindings"].items()
        for binding in bindings
    ],
    "--tmpfs": lambda body: [f"{path}:{options}" for path, options in body["HostConfig"]["Tmpfs"].items()],
    "--cap-drop": lambda body: body["HostConfig"]["CapDrop"],
    "--security-opt": lambda body: body["HostConfig"]["SecurityOpt"],
    "--pids-limit": lambda body: [str(body["HostConfig"]["PidsLimit"])],
    "--memory": lambda body: [str(body["HostConfig"]["Memory"])],
    "--memory-swap": lambda body: [str(body["HostConfig"]["MemorySwap"])],
    "--stop-timeout": lambda body: [str(body["StopTimeout"])],
    "--restart": lambda body: [body["HostConfig"]["RestartPolicy"]["Name"]],
    "--log-driver": lambda body: [body["HostConfig"]["LogConfig"]["Type"]],
    "--log-opt": lambda body: _pairs(body["HostConfig"]["LogConfig"]["Config"]),
}
"""What `docker run` calls the parts of a container's body. (`--read-only` has no value.)"""


def plan(node: Node, image: Image, port: int, name: str) -> Plan:
    """The requests that change something, in order; before each, the wizard looks whether it is still needed."""
    return Plan(requests=tuple(requests(node, image, port, name)), manual=by_hand(node, image, port, name))


def requests(node: Node, image: Image, port: int, name: str) -> Iterator[Request]:
    """As Docker Engine API 1.41 has them; the version that is agreed upon goes before each path."""
    repository, _, tag = template.tag_of(image).partition(":")
    named = template.checked(name)
    yield Request(method="POST", path="/images/load", body=ARCHIVE)
    yield Request(
        method="POST",
        path=f"/images/{template.checked_id(image)}/tag?" + urlencode({"tag": tag, "repo": repository, "force": 0}),
    )
    yield Request(method="POST", path="/volumes/create", body=_json(template.volume(image)))
    body = template.container(node, image, port)
    yield Request(method="POST", path=f"/containers/create?name={named}", body=_json(body))
    yield Request(method="POST", path=f"/containers/{named}/start")


def by_hand(node: Node, image: Image, port: int, name: str) -> str:
    """Commands for a shell on the node, in the folder with the archive."""
    body, volume = template.container(node, image, port), template.volume(image)
    commands = (
        [["docker", "load", "-i", ARCHIVE]],
        [["docker", "tag", body["Image"], template.tag_of(image)]],
        [["docker", "volume", "create", *_options("--label", _pairs(volume["Labels"])), volume["Name"]]],
        [
            ["docker", "run", "-d", "--name", template.checked(name), *_read_only(body)],
            *([flag, value] for flag, values in FLAGS.items() for value in values(body)),
            [body["Image"], *body["Cmd"]],
        ],
    )
    return "".join(_command(parts) for parts in commands)


def _command(parts: list[list[str]]) -> str:
    """One part a line, so that it can be read."""
    return " \\\n  ".join(shlex.join(part) for part in parts) + "\n"


def _read_only(body: Mapping[str, Any]) -> list[str]:
    return ["--read-only"] if body["HostConfig"]["ReadonlyRootfs"] else []


def _options(flag: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, indent=2)
