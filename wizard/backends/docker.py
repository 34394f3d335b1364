"""Docker, and Podman by the same API: a node is a host with an engine, and a container is a container."""

import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import APIError, ImageNotFound, NotFound
from requests import RequestException
from urllib3.exceptions import HTTPError

from wizard.backends.engine import reading, refusals, template
from wizard.backends.engine.channel import SECONDS_TO_ANSWER, Channel
from wizard.backends.refusals import no_container, not_loaded, one_of_ours, port_in_use, volume_in_use
from wizard.domain.deployment import PortCheck
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.ports import Health, Instance, Progress
from wizard.text import Text, say

SECONDS_TO_LOAD = 300
"""Without a word of the engine, while it unpacks a layer."""
SECONDS_TO_PROBE = 1
LOOKED_AT = 200
"""Ports above the one that is taken."""
BUSY = ("address already in use", "port is already allocated")
"""How engines say, as an error 500, that a port is taken: the kernel's words, and Docker's own."""
FULL = ("no space left on device",)


class DockerBackend:
    """ports.Backend. `engines` says, by the slug of its node, how each engine is reached.

    `grace` in seconds is what a container has to end by itself. What only other backends need is in `others`.
    """

    def __init__(
        self,
        *,
        engines: Mapping[str, Engine],
        clock: Callable[[], datetime],
        grace: int = template.SECONDS_TO_STOP,
        **others: object,
    ) -> None:
        self._engines = engines
        self._grace = grace
        self._channels: dict[str, Channel] = {}
        self._clock = clock

    def health(self, node: Node) -> Health:
        try:
            with self._open(node) as engine:
                version = engine.version()
        except BackendError as error:
            return Health(node=node.slug, well=False, detail=error.problem.happened, seen_at=self._clock())
        words = say("Ready: %(engine)s %(version)s.", engine=_kind(version), version=str(version.get("Version", "")))
        return Health(node=node.slug, well=True, detail=words, seen_at=self._clock())

    def preflight(self, node: Node, port: int, name: str, now: datetime) -> PortCheck:
        with self._open(node) as engine:
            published = _published(engine, besides=name)
            own = _found(engine, node, name) if name else None
        is_own = own is not None and own["State"]["Running"] and _port(own) == port
        holder = None if is_own else _holder(node, port, published)
        return PortCheck(
            port=port,
            free=holder is None,
            holder=holder or "",
            next_free=_next_free(node, port, published) if holder else None,
            checked_at=now,
        )

    def load(self, node: Node, image: Image, archive: Path, progress: Progress) -> None:
        with self._open(node, SECONDS_TO_LOAD) as engine:
            if not _has(engine, image):
                progress(0, image.size)
                words = _send(engine, image, archive, progress)
                if not _has(engine, image):
                    raise _not_loaded(node, image, words)
            repository, _, tag = template.tag_of(image).partition(":")
            engine.tag(f"sha256:{image.image_id}", repository, tag)
        progress(image.size, image.size)

    def start(self, node: Node, image: Image, port: int, name: str) -> None:
        with self._open(node) as engine:
            found = _found(engine, node, name)
            if found is None:
                self._make(engine, node, image, port, name)
            elif found["State"]["Running"]:
                return
            self._run(engine, node, name, port, is_new=found is None)

    def inspect(self, node: Node, name: str) -> Instance | None:
        with self._open(node) as engine:
            found = _found(engine, node, name)
        if found is None:
            return None
        state = found["State"]
        running = bool(state["Running"]) and not state.get("Restarting", False)
        exit_code = None if running or state["Status"] == "created" else int(state["ExitCode"])
        return Instance(name=name, running=running, port=_port(found), exit_code=exit_code)

    def stop(self, node: Node, name: str) -> None:
        with self._open(node, self._grace + SECONDS_TO_ANSWER) as engine:
            if _found(engine, node, name) is not None:
                engine.stop(name, timeout=self._grace)

    def start_again(self, node: Node, name: str) -> None:
        with self._open(node) as engine:
            found = _found(engine, node, name)
            if found is None:
                raise no_container(node, name)
            if not found["State"]["Running"]:
                self._run(engine, node, name, _port(found), is_new=False)

    def remove(self, node: Node, name: str) -> None:
        self.stop(node, name)
        with self._open(node) as engine:
            if _found(engine, node, name) is not None:
                engine.remove_container(name, v=False, force=True)

    def unload(self, node: Node, image: Image) -> None:
        with self._open(node) as engine:
            if _has(engine, image) and not _is_used(engine, image):
                engine.remove_image(f"sha256:{image.image_id}", force=True)

    def logs(self, node: Node, name: str, lines: int = 200) -> str:
        with self._open(node) as engine:
            if _found(engine, node, name) is None:
                return ""
            return reading.defused(engine.logs(name, tail=lines))

    def read_config(self, node: Node, name: str, filename: str) -> bytes | None:
        with self._open(node) as engine:
            if _found(engine, node, name) is None:
                return None
            try:
                archive, _ = engine.get_archive(name, f"{template.CONFIG}/{filename}")
            except NotFound:
                return None
            return reading.file_of(archive)

    def _open(self, node: Node, seconds: float = SECONDS_TO_ANSWER) -> AbstractContextManager[APIClient]:
        if node.slug not in self._engines:
            raise refusals.no_engine(node)
        channel = self._channels.setdefault(node.slug, Channel(node, self._engines[node.slug]))
        return channel.open(seconds)

    def _make(self, engine: APIClient, node: Node, image: Image, port: int, name: str) -> None:
        """The container, not yet running, and its volume, if it is the first on it."""
        if not _has(engine, image):
            raise not_loaded(node, image)
        for other in engine.containers(all=True, filters={"label": f"{template.OURS}={image.licence}"}):
            if other["State"] == "running" and _name(other) != name:
                raise volume_in_use(node, _name(other))
        engine.create_volume(template.volume_of(image.licence), labels={template.OURS: image.licence})
        engine.create_container_from_config(template.container(node, image, port), template.checked(name))

    def _run(self, engine: APIClient, node: Node, name: str, port: int, *, is_new: bool) -> None:
        """Start it. A busy port shows only now; a container that never ran is then taken away again."""
        try:
            engine.start(name)
        except APIError as error:
            words = str(error.explanation)
            if is_new:
                engine.remove_container(name, v=False, force=True)
            if any(busy in words for busy in BUSY):
                holder = _holder(node, port, _published(engine, besides=name))
                raise port_in_use(node, port, holder, words) from error
            raise


def _send(engine: APIClient, image: Image, archive: Path, progress: Progress) -> str:
    """Load the archive; the words of the error that it ended with, or nothing."""
    with archive.open("rb") as file:
        pieces = reading.Telling(file, image.size, progress)
        try:
            return reading.error_of(engine.load_image(pieces))
        except APIError as error:  # Podman says so with a status
            return str(error.explanation)
        except (RequestException, HTTPError):
            if pieces.stopped is not None:
                raise pieces.stopped from None
            raise


def _has(engine: APIClient, image: Image) -> bool:
    try:
        engine.inspect_image(f"sha256:{image.image_id}")
    except ImageNotFound:
        return False
    return True


def _is_used(engine: APIClient, image: Image) -> bool:
    """Asked of each container: Podman finds none by an image's id, and takes containers away with their image."""
    return any(image.image_id in container["ImageID"] for container in engine.containers(all=True))


def _found(engine: APIClient, node: Node, name: str) -> dict[str, Any] | None:
    """Our container of that name, as the engine describes it. BackendError when it is somebody else's."""
    try:
        found: dict[str, Any] = engine.inspect_container(template.checked(name))
    except NotFound:
        return None
    if template.OURS not in (found["Config"]["Labels"] or {}):
        raise refusals.name_taken(node, name)
    return found


def _published(engine: APIClient, besides: str) -> Mapping[int, Text]:
    """Who has which port of the host, of the containers that run."""
    return {
        port["PublicPort"]: _words(container)
        for container in engine.containers()
        if _name(container) != besides
        for port in container["Ports"] or ()
        if port.get("PublicPort")
    }


def _words(container: Mapping[str, Any]) -> Text:
    is_ours = template.OURS in (container["Labels"] or {})
    return (one_of_ours if is_ours else refusals.a_container)(_name(container))


def _name(container: Mapping[str, Any]) -> str:
    return str(container["Names"][0]).removeprefix("/")


def _port(container: Mapping[str, Any]) -> int:
    return int(container["Config"]["Labels"][template.PORT_LABEL])


def _holder(node: Node, port: int, published: Mapping[int, Text]) -> Text | None:
    """Who has that port of the node; None when it is free, as far as can be seen from here."""
    if port in published:
        return published[port]
    return say("another program") if _answers(node.address, port) else None


def _next_free(node: Node, port: int, published: Mapping[int, Text]) -> int | None:
    above = range(port + 1, min(port + 1 + LOOKED_AT, 1 << 16))
    return next((other for other in above if _holder(node, other, published) is None), None)


def _answers(address: str, port: int) -> bool:
    """Whether somebody takes a connection there. Who takes none at all may still be there, behind a firewall."""
    try:
        with socket.create_connection((address, port), SECONDS_TO_PROBE):
            return True
    except OSError:
        return False


def _not_loaded(node: Node, image: Image, words: str) -> BackendError:
    if any(full in words for full in FULL):
        return refusals.no_room(node, words)
    return not_loaded(node, image, words)


def _kind(version: Mapping[str, Any]) -> str:
    """What it calls itself: the first of its components, such as Engine or Podman Engine."""
    components = version.get("Components") or [{}]
    return str(components[0].get("Name", "")).replace("Engine", "").strip() or "Docker"
