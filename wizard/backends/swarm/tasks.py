"""What became of a service: its tasks as the manager tells of them, its containers as the node's engine does.

Swarm takes any service and tells in the states of its tasks what was wrong with it.
"""

import secrets
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound
from requests import HTTPError

from wizard.backends.engine import containers, holders, service, template
from wizard.domain.instance import Instance

SERVICE_LABEL = "com.docker.swarm.service.name"
"""Swarm's own, by which a container names its service."""
HELD = "host-mode port already in use"
"""How Swarm says, of a task that it keeps waiting, that another service has the port on that node."""
NO_IMAGE = "No such image"
NOT_FOUND = 404
NEVER = "0001-01-01T00:00:00Z"
"""When a container was started that never was."""


class Fate(Enum):
    """What became of a service that was to start."""

    WAITING = "waiting"
    STARTED = "started"
    """It may have ended again since: that is for whoever looks after it."""
    FAILED = "failed"


@dataclass(frozen=True)
class Start:
    """How it stands with a start, and Swarm's own words about it."""

    fate: Fate
    words: str = ""

    @property
    def is_port_taken(self) -> bool:
        return HELD in self.words or holders.is_busy(self.words)

    @property
    def is_image_missing(self) -> bool:
        return NO_IMAGE in self.words


def start_of(tasks: Iterable[Mapping[str, Any]]) -> Start:
    """How the start of a service stands by its tasks. One that was started counts for more than those that failed."""
    current = [task["Status"] for task in tasks if task["DesiredState"] != "remove"]
    if any(_was_started(status) for status in current):
        return Start(Fate.STARTED)
    words = [str(status.get("Err", "")) for status in current if status["State"] in ("failed", "rejected")]
    if words:
        return Start(Fate.FAILED, words[0])
    waiting = "\n".join(filter(None, (str(status.get("Err") or "") for status in current)))
    return Start(Fate.FAILED if HELD in waiting else Fate.WAITING, waiting)


def _was_started(status: Mapping[str, Any]) -> bool:
    """Of one that has failed since, the message is of the last thing that went well."""
    return status["State"] in ("running", "complete") or status.get("Message") == "started"


def name_of(listed: Mapping[str, Any]) -> str:
    """The name of a container's service; its own when it has none."""
    return str((listed["Labels"] or {}).get(SERVICE_LABEL) or containers.name_of(listed))


def listed_by_service(engine: APIClient) -> Sequence[Mapping[str, Any]]:
    """All containers of the node, each under the name of its service if it has one."""
    return [{**container, "Names": [f"/{name_of(container)}"]} for container in engine.containers(all=True)]


def listed(engine: APIClient, name: str) -> Sequence[Mapping[str, Any]]:
    """Our containers of that service on the node, newest first."""
    labels = [f"{SERVICE_LABEL}={name}", template.OURS]
    found = engine.containers(all=True, filters={"label": labels})
    return sorted(found, key=lambda container: int(container["Created"]), reverse=True)


def described(engine: APIClient, name: str) -> Sequence[Mapping[str, Any]]:
    """The same, as the engine describes each. Swarm takes them away when it likes."""
    found = []
    for container in listed(engine, name):
        with suppress(NotFound):
            found.append(engine.inspect_container(container["Id"]))
    return found


def is_running(container: Mapping[str, Any]) -> bool:
    return bool(container["State"]["Running"])


def has_run(container: Mapping[str, Any]) -> bool:
    return str(container["State"]["StartedAt"]) != NEVER


def holds(container: Mapping[str, Any], name: str, port: int) -> bool:
    """Whether a container, as it was listed, is the one of our service of that name, and has that port."""
    labels = container["Labels"] or {}
    is_own = labels.get(SERVICE_LABEL) == name and template.OURS in labels
    return is_own and containers.is_up(container) and labels.get(template.PORT_LABEL) == str(port)


def port_of(labels: Mapping[str, str]) -> int:
    """The port that one of ours publishes; 0 when a person has made it without that label."""
    return containers.port_of({"Config": {"Labels": labels}})


def instance(name: str, labels: Mapping[str, str], found: Sequence[Mapping[str, Any]]) -> Instance:
    """What there is to say of a service with those labels and containers. Each one but the first was a restart."""
    started = [container for container in found if has_run(container)]
    ended = [container["State"] for container in started if not is_running(container)]
    running = len(ended) < len(started)
    kept = labels.get(service.EXIT_LABEL)
    last = int(ended[0]["ExitCode"]) if ended else int(kept) if kept else None
    return Instance(
        name=name,
        running=running,
        port=port_of(labels),
        exit_code=None if running else last,
        paused=any(container["State"].get("Paused", False) for container in started),
        restarts=max(0, len(started) - 1),
        out_of_memory=bool(ended and ended[0].get("OOMKilled")),
        memory=containers.memory_of(found[0]) if found else 0,
        licence=labels[template.OURS],
    )


def without_service(engine: APIClient, known: Container[str]) -> Sequence[Instance]:
    """What is left of services of ours that are not known any more, and what a person has made with our label."""
    found = {}
    for container in engine.containers(all=True, filters={"label": template.OURS}):
        name = name_of(container)
        if name in known or name in found or service.READER in container["Labels"]:
            continue
        if SERVICE_LABEL in container["Labels"]:
            found[name] = instance(name, container["Labels"], described(engine, name))
        else:
            with suppress(NotFound):
                found[name] = containers.instance(engine.inspect_container(container["Id"]))
    return list(found.values())


def swept(engine: APIClient, name: str, *, by_force: bool) -> bool:
    """Whether nothing is left of a service that was removed. What is dead is taken away, `by_force`, if it stays."""
    left = listed(engine, name)
    readers = engine.containers(all=True, filters={"label": f"{service.READER}={name}"})
    dead = [container for container in left if by_force and not containers.is_up(container)]
    for container in (*readers, *dead):
        _forget(engine, container["Id"])
    return not left


def logs(engine: APIClient, name: str, lines: int) -> str:
    """The last lines of the newest container that has run; nothing when Swarm has taken it away."""
    found = next((it for it in described(engine, name) if has_run(it)), None)
    try:
        return containers.logs(engine, found["Id"], lines) if found else ""
    except HTTPError as error:
        if error.response.status_code != NOT_FOUND:
            raise
        return ""


@dataclass(frozen=True)
class Reading:
    """What was read of a file. Not known: no container runs in which it could be looked for."""

    is_known: bool
    content: bytes | None = None


def read_from_running(engine: APIClient, name: str, filename: str) -> Reading:
    """A file of the config volume. A container that is dead may be taken away while it is read."""
    running = next((it for it in described(engine, name) if is_running(it)), None)
    if running is None:
        return Reading(is_known=False)
    content = containers.read_config(engine, running["Id"], filename)
    is_there = content is not None or any(it["Id"] == running["Id"] for it in listed(engine, name))
    return Reading(is_known=is_there, content=content)


def read_through_another(engine: APIClient, made: Mapping[str, Any], name: str, filename: str) -> bytes | None:
    """A file of the volume of a service that has no container: through one that is made for it and never runs."""
    licence = made["Spec"]["Labels"][template.OURS]
    image = made["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    reader = f"fineops-license-reader-{secrets.token_hex(4)}"
    try:
        engine.inspect_volume(template.volume_of(licence))
    except NotFound:
        return None
    try:
        engine.create_container_from_config(service.reader(image, licence, name), reader)
        return containers.read_config(engine, reader, filename)
    finally:
        _forget(engine, reader)


def _forget(engine: APIClient, container: str) -> None:
    """Take a container away that never ran or is dead; Swarm may be doing it at the same time."""
    try:
        engine.remove_container(container, v=False, force=True)
    except APIError as error:
        if not error.is_client_error():
            raise
