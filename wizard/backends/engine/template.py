"""The one kind of container there is: what an engine is asked for, from a constant template.

Nothing in it comes from a client but through checked values of ours: a name after the operation, the licence of the
signed claims, the image's own digest, the node's address and the port.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wizard.domain.image import Image, name_on_nodes
from wizard.domain.project import Node

OURS = "com.fineops.license"
"""The label of everything that is the wizard's, with the licence as its value. Nothing without it is ever touched."""
PORT_LABEL = "com.fineops.license.port"
CONFIG = "/app/config"
SECONDS_TO_STOP = 30
"""An authorization application writes the time last, when it is stopped."""
MEBIBYTE = 1 << 20
TEMPORARY = "rw,noexec,nosuid,nodev,size=16m"
LOG = {"max-size": "1m", "max-file": "3"}


@dataclass(frozen=True, kw_only=True)
class Box:
    """What the container of one kind of image may have. `memory` in bytes; no `user` is the image's own."""

    memory: int
    processes: int
    user: str
    is_bare: bool
    """No capability, nothing to write to but its volume and a small /tmp; else as much as `docker run` gives."""
    listens_at: int | None
    """The port inside; None where the application is told the published one."""

    @property
    def dropped(self) -> list[str]:
        return ["ALL"] if self.is_bare else []


LICENCE = Box(memory=256 * MEBIBYTE, processes=64, user="65532:65532", is_bare=True, listens_at=None)
"""The reference authorization application."""
UNKNOWN = Box(memory=1024 * MEBIBYTE, processes=512, user="", is_bare=False, listens_at=18081)
"""Nobody knows what is in it, as in the vendor's own: its own user and command, at the manual's port (R2, R4).

The manual runs it with a plain `docker run`. So it has that command's capabilities, and its own /tmp: it may begin as
root, take its folders over and give root up, or run what it has unpacked there. docs/operation.md says what is left.
"""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ID = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def volume_of(licence: str) -> str:
    """The volume of a licence. It outlives every container (R13)."""
    return f"fineops-license-{checked(licence)}"


def tag_of(image: Image) -> str:
    """What the image is called on a node: a name of ours, so that no name that others use is taken over."""
    return name_on_nodes(checked_id(image).removeprefix("sha256:"))


def labels_of(image: Image, port: int) -> Mapping[str, str]:
    return {OURS: image.licence, PORT_LABEL: str(port)}


def volume(image: Image) -> dict[str, Any]:
    """The body of `POST /volumes/create`."""
    return {"Name": volume_of(image.licence), "Labels": {OURS: image.licence}}


def box_of(image: Image) -> Box:
    return LICENCE if image.is_licence else UNKNOWN


def arguments(node: Node, image: Image, port: int) -> list[str]:
    """It publishes one port, and listens at the same: a request finds it where the QR and the certificate say.

    An image that nobody knows has arguments of its own.
    """
    if not image.is_licence:
        return []
    return ["--address", node.address, "--port", str(port), "--listen", "0.0.0.0"]  # noqa: S104 - of the container


def container(node: Node, image: Image, port: int, id: str = "") -> dict[str, Any]:
    """The body of `POST /containers/create` (Docker Engine API 1.41); `id` is what the engine calls the image."""
    box = box_of(image)
    exposed = f"{box.listens_at or checked_port(port)}/tcp"
    return {
        "Image": id or checked_id(image),
        "Cmd": arguments(node, image, port),
        "User": box.user,
        "Labels": dict(labels_of(image, port)),
        "ExposedPorts": {exposed: {}},
        "StopTimeout": SECONDS_TO_STOP,
        "HostConfig": {
            "Binds": [f"{volume_of(image.licence)}:{CONFIG}"],
            "PortBindings": {exposed: [{"HostIp": "", "HostPort": str(checked_port(port))}]},
            "ReadonlyRootfs": box.is_bare,
            "Tmpfs": {"/tmp": TEMPORARY} if box.is_bare else {},  # noqa: S108 - the container's own
            "CapDrop": box.dropped,
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": box.processes,
            "Memory": box.memory,
            "MemorySwap": box.memory,
            "RestartPolicy": {"Name": "unless-stopped"},
            "LogConfig": {"Type": "json-file", "Config": LOG},
        },
    }


def checked(name: str) -> str:
    """The name, which goes into a path of the engine's API; ValueError when it is none of ours."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for an engine.")
    return name


def checked_id(image: Image) -> str:
    """The image's id as engines write it; ValueError when it is no SHA-256."""
    return ids_of(image)[0]


def ids_of(image: Image) -> Sequence[str]:
    """What engines may call it: by its configuration, or by its manifest where containerd keeps the images.

    ValueError when it is no SHA-256.
    """
    ids = (image.image_id, image.manifest) if image.manifest else (image.image_id,)
    for id in ids:
        if not _ID.fullmatch(id):
            raise ValueError(f"{id!r} is no id of an image.")
    return [f"sha256:{id}" for id in ids]


def checked_port(port: int) -> int:
    if not 0 < port < 1 << 16:
        raise ValueError(f"{port} is no port.")
    return port


def checked_file(name: str) -> str:
    """The name of a file of the config volume; ValueError when it would lead anywhere else."""
    if not _FILE.fullmatch(name):
        raise ValueError(f"{name!r} is no file of a config volume.")
    return name
