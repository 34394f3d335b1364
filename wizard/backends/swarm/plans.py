"""What loading and starting will ask of a swarm, exactly, and how a person does the same with the docker command.

Both are derived from the one body of service.py, so that neither can say anything else than what is done.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wizard.backends.engine import plan as plans
from wizard.backends.engine import service, template
from wizard.domain.image import Image
from wizard.domain.preflight import Plan, Request
from wizard.domain.project import Node

UNKNOWN = "NODE-ID"
"""Where the node was not asked yet what it is called in its swarm."""
Spec = Mapping[str, Any]


def _container(spec: Spec) -> Spec:
    found: Spec = spec["TaskTemplate"]["ContainerSpec"]
    return found


FLAGS: Mapping[str, Callable[[Spec], Sequence[str]]] = {
    "--label": lambda spec: _pairs(spec["Labels"]),
    "--container-label": lambda spec: _pairs(_container(spec)["Labels"]),
    "--constraint": lambda spec: spec["TaskTemplate"]["Placement"]["Constraints"],
    "--replicas": lambda spec: [str(spec["Mode"]["Replicated"]["Replicas"])],
    "--endpoint-mode": lambda spec: [spec["EndpointSpec"]["Mode"]],
    "--publish": lambda spec: [_port(port) for port in spec["EndpointSpec"]["Ports"]],
    "--user": lambda spec: [_container(spec)["User"]] if _container(spec)["User"] else [],
    "--mount": lambda spec: [MOUNTS[mount["Type"]](mount) for mount in _container(spec)["Mounts"]],
    "--cap-drop": lambda spec: _container(spec)["CapabilityDrop"],
    "--limit-memory": lambda spec: [str(spec["TaskTemplate"]["Resources"]["Limits"]["MemoryBytes"])],
    "--limit-pids": lambda spec: [str(spec["TaskTemplate"]["Resources"]["Limits"]["Pids"])],
    "--restart-condition": lambda spec: [spec["TaskTemplate"]["RestartPolicy"]["Condition"]],
    "--restart-delay": lambda spec: [_seconds(spec["TaskTemplate"]["RestartPolicy"]["Delay"])],
    "--update-parallelism": lambda spec: [str(spec["UpdateConfig"]["Parallelism"])],
    "--update-order": lambda spec: [spec["UpdateConfig"]["Order"]],
    "--stop-grace-period": lambda spec: [_seconds(_container(spec)["StopGracePeriod"])],
    "--log-driver": lambda spec: [spec["TaskTemplate"]["LogDriver"]["Name"]],
    "--log-opt": lambda spec: _pairs(spec["TaskTemplate"]["LogDriver"]["Options"]),
}
"""What `docker service create` calls the parts of a service. It has no word for no-new-privileges."""

MOUNTS: Mapping[str, Callable[[Spec], str]] = {
    "volume": lambda mount: ",".join(
        (
            f"type=volume,source={mount['Source']},target={mount['Target']}",
            *(f"volume-label={label}" for label in _pairs(mount["VolumeOptions"]["Labels"])),
        )
    ),
    "tmpfs": lambda mount: (
        f"type=tmpfs,target={mount['Target']},tmpfs-size={mount['TmpfsOptions']['SizeBytes']},"
        f"tmpfs-mode={mount['TmpfsOptions']['Mode']:o}"
    ),
}


def plan(node_id: str, node: Node, image: Image, port: int, name: str, grace: int) -> Plan:
    """The requests that change something, in order: the last one to a manager, the others to the node's own engine."""
    spec = service.service(node_id or UNKNOWN, node, image, port, name, grace)
    on_the_node = (it for it in plans.requests(node, image, port, name) if not it.path.startswith("/containers/"))
    request = Request(method="POST", path="/services/create", body=json.dumps(spec, indent=2))
    return Plan(requests=(*on_the_node, request), manual=by_hand(node, image, spec))


def by_hand(node: Node, image: Image, spec: Spec) -> str:
    """Commands for two shells: on the node, in the folder with the archive, and on a manager of its swarm."""
    volume = template.volume(image)
    labels = [word for pair in _pairs(volume["Labels"]) for word in ("--label", pair)]
    return "".join(
        (
            f"# on {node.slug}; the last command prints its {UNKNOWN}\n",
            _command([["docker", "load", "-i", plans.ARCHIVE]]),
            _command([["docker", "tag", _container(spec)["Image"], template.tag_of(image)]]),
            _command([["docker", "volume", "create", *labels, volume["Name"]]]),
            _command([["docker", "info", "--format", "{{.Swarm.NodeID}}"]]),
            "# on a manager of its swarm\n",
            _command(
                [
                    ["docker", "service", "create", "--detach", "--name", spec["Name"]],
                    ["--no-resolve-image", *(["--read-only"] if _container(spec)["ReadOnly"] else [])],
                    *([flag, value] for flag, values in FLAGS.items() for value in values(spec)),
                    [_container(spec)["Image"], *_container(spec)["Args"]],
                ]
            ),
        )
    )


def _command(parts: Sequence[Sequence[str]]) -> str:
    """One part a line, so that it can be read."""
    return " \\\n  ".join(shlex.join(part) for part in parts) + "\n"


def _port(port: Spec) -> str:
    words = {"mode": "PublishMode", "protocol": "Protocol", "target": "TargetPort", "published": "PublishedPort"}
    return ",".join(f"{word}={port[key]}" for word, key in words.items())


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds // service.SECOND}s"
