"""The one kind of service there is: the container of template.py as Swarm is asked for it, pinned to one node.

What is missing here, and why: Swarm has no limit for swap, and knows no-new-privileges since version 1.44 of its API;
an older manager drops it without a word. Mounted temporary folders are noexec, nosuid and nodev by themselves.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from wizard.backends.engine import template
from wizard.domain.image import Image
from wizard.domain.project import Node

SECOND = 10**9
"""Of Swarm's durations, which are in nanoseconds."""
SECONDS_TO_RESTART = 2
"""Between the end of a container and the next one, by Swarm itself."""
TEMPORARY: Mapping[str, object] = {
    "Type": "tmpfs",
    "Target": "/tmp",  # noqa: S108 - the container's own
    "TmpfsOptions": {"SizeBytes": 16 * template.MEBIBYTE, "Mode": 0o1777},
}
EXIT_LABEL = "com.fineops.license.exit"
"""How the last container ended: Swarm takes a container that it was told to stop away, and its exit status with it."""
READER = "com.fineops.license.reader"
"""The label of a container that never runs: only files are read through it, for the service that it names."""


def service(
    node_id: str, node: Node, image: Image, port: int, name: str, grace: int = template.SECONDS_TO_STOP, id: str = ""
) -> dict[str, Any]:
    """The body of `POST /services/create` (Docker Engine API 1.41). `node_id` is the node's own, in its swarm.
    `id` is what the node's engine calls the image.

    The image goes by its id, for then nobody asks a registry, neither the manager nor the node. Two containers must
    not share the volume, so an old one is stopped before a new one starts.
    """
    labels, box = dict(template.labels_of(image, port)), template.box_of(image)
    return {
        "Name": template.checked(name),
        "Labels": labels,
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": id or template.checked_id(image),
                "Args": template.arguments(node, image, port),
                "User": box.user,
                "Labels": labels,
                "StopGracePeriod": grace * SECOND,
                "Mounts": [_config(image), *([TEMPORARY] if box.is_bare else [])],
                "ReadOnly": box.is_bare,
                "CapabilityDrop": box.dropped,
                "Privileges": {"NoNewPrivileges": True},
            },
            "Resources": {"Limits": {"MemoryBytes": box.memory, "Pids": box.processes}},
            "RestartPolicy": {"Condition": "any", "Delay": SECONDS_TO_RESTART * SECOND},
            "Placement": {"Constraints": [pinned(node_id)]},
            "LogDriver": {"Name": "json-file", "Options": dict(template.LOG)},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
        "UpdateConfig": {"Parallelism": 1, "Order": "stop-first"},
        "EndpointSpec": {
            "Mode": "dnsrr",
            "Ports": [
                {"Protocol": "tcp", "TargetPort": box.listens_at or port, "PublishedPort": port, "PublishMode": "host"}
            ],
        },
    }


def _config(image: Image) -> Mapping[str, object]:
    """The volume is there already. Should it be pruned while the service is stopped, Swarm makes it anew, as ours."""
    volume = template.volume(image)
    return {
        "Type": "volume",
        "Source": volume["Name"],
        "Target": template.CONFIG,
        "VolumeOptions": {"Labels": volume["Labels"]},
    }


def pinned(node_id: str) -> str:
    return f"node.id=={node_id}"


def left_out(asked: object, taken: object, name: str = "") -> Iterator[str]:
    """The names of what was asked for and was not taken, when a service is read back: an older Swarm says nothing."""
    if isinstance(asked, Mapping):
        for key, value in asked.items():
            yield from left_out(value, taken.get(key) if isinstance(taken, Mapping) else None, key)
    elif isinstance(asked, list) and isinstance(taken, list) and len(asked) == len(taken):
        for value, other in zip(asked, taken, strict=True):
            yield from left_out(value, other, name)
    elif asked != taken and (asked or taken):  # what is empty may be left away
        yield name


def reader(image_id: str, licence: str, name: str) -> dict[str, Any]:
    """The body of `POST /containers/create` for one that never runs: through it files are read for the service."""
    return {
        "Image": image_id,
        "Labels": {template.OURS: licence, READER: name},
        "NetworkDisabled": True,
        "HostConfig": {
            "Binds": [f"{template.volume_of(licence)}:{template.CONFIG}:ro"],
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
        },
    }
