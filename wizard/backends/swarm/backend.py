"""ports.Backend on a swarm: the node's own engine has image, volume and files, a manager of the swarm the service."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import NotFound

from wizard.backends.engine import holders, images, probe, refusals, service, template, volumes
from wizard.backends.engine.channel import SECONDS_TO_ANSWER, Channel
from wizard.backends.engine.preflight import checklist, ready, refused
from wizard.backends.refusals import no_container, not_loaded, port_in_use, volume_in_use
from wizard.backends.swarm import cluster as clusters
from wizard.backends.swarm import lines, plans, tasks
from wizard.backends.swarm import refusals as swarm_refusals
from wizard.backends.swarm.cluster import Cluster, replicas
from wizard.backends.swarm.tasks import Fate, Start
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.instance import Health, Instance
from wizard.domain.preflight import Plan, Preflight
from wizard.domain.project import Node, Role
from wizard.errors import BackendError
from wizard.ports import Progress

logger = logging.getLogger(__name__)

SECONDS_TO_START = 20
"""For a manager to place a task and for a node to start its container. It takes half a second."""
SECONDS_TO_SWEEP = 15
"""For a node to take away containers whose service is gone; beyond what they have to end by themselves."""
PATIENCE_WITH_THE_DEAD = 3
"""Seconds in which Swarm takes a dead container away; one that is left after them we take away ourselves."""
BETWEEN_LOOKS = 0.1


class SwarmBackend:
    """ports.Backend. `engines` says, by the slug of its node, how each engine is reached; some of them are managers.

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
        self._clock = clock
        self._channels: dict[str, Channel] = {}
        self._as_managers: dict[str, Channel] = {}
        self._managers: dict[str, str] = {}
        """The slug of the one that was asked last, by the slug of the node that it was asked for."""
        self._node_ids: dict[str, str] = {}
        """What each node is called in its swarm, as far as they were asked."""

    def health(self, node: Node) -> Health:
        try:
            with self._open(node) as engine:
                version = engine.version()
            trouble = self._cluster(node).trouble()
        except BackendError as error:
            return Health(node=node.slug, well=False, detail=error.problem.happened, seen_at=self._clock())
        return Health(node=node.slug, well=trouble is None, detail=trouble or ready(version), seen_at=self._clock())

    def preflight(self, node: Node, image: Image, port: int, name: str, now: datetime) -> Preflight:
        with ExitStack() as stack:
            try:
                engine = stack.enter_context(self._open(node))
            except BackendError as refusal:
                if not refusal.permanent:
                    raise
                return refused(refusal, port, now)
            found, listed = checklist(engine, node, image, port, "", now), tasks.listed_by_service(engine)
            spoken = str(engine.api_version)
        try:
            cluster = self._cluster(node)
            published = dict(cluster.published(besides=name)) | dict(holders.ports_of(listed, besides=name))
            is_own = any(tasks.holds(container, name, port) for container in listed)
            checked = lines.port(node, found.port, published, is_own=is_own)
            same = self._of_licence(cluster, node, image.licence)
            versions = (spoken, cluster.api_version())
            trouble = cluster.trouble()
        except BackendError as error:
            return replace(found, checks=(*found.checks, lines.no_swarm(error)))
        earlier = lines.leftovers(node, same, name)
        checks = lines.checklist(found.checks, node, checked, earlier, trouble, versions, image)
        return Preflight(port=checked, checks=checks)

    def plan(self, node: Node, image: Image, port: int, name: str) -> Plan:
        return plans.plan(self._node_ids.get(node.slug, ""), node, image, port, name, self._grace)

    def containers(self, node: Node) -> Sequence[Instance]:
        with self._open(node) as engine:  # asked each minute: what a killed wizard's probe has left goes as well
            probe.sweep(engine, self._clock())
        return self._instances(self._cluster(node), node)

    def load(self, node: Node, image: Image, archive: Path, progress: Progress) -> None:
        with self._open(node, images.SECONDS_TO_LOAD) as engine:
            images.load(engine, node, image, archive, progress)

    def start(self, node: Node, image: Image, port: int, name: str) -> None:
        cluster = self._cluster(node)
        found = cluster.service(name)
        if found is None:
            self._make(cluster, node, image, port, name)
            undo: Callable[[], None] = partial(self.remove, node, name)
        else:
            self._wake(cluster, node, found, name)
            undo = partial(cluster.scale, name, 0)
        self._see_it_start(cluster, node, port, name, undo)

    def inspect(self, node: Node, name: str) -> Instance | None:
        """One that runs is known by its node alone: no manager need answer."""
        with self._open(node) as engine:
            found = tasks.described(engine, name)
        if any(tasks.is_running(container) for container in found):
            return tasks.instance(name, found[0]["Config"]["Labels"], found)
        made = self._cluster(node).service(name)
        return tasks.instance(name, made["Spec"]["Labels"], found) if made else None

    def stop(self, node: Node, name: str) -> None:
        cluster = self._cluster(node)
        found = cluster.service(name)
        if found is None:
            return
        with self._open(node) as engine:
            running = [it["Id"] for it in tasks.described(engine, name) if tasks.is_running(it)]
        if replicas(found):
            cluster.scale(name, 0)
        codes = [self._exit_code(node, container) for container in running]
        self._wait(lambda: not self._is_running(node, name), swarm_refusals.not_ended(node, name))
        if codes and codes[0] is not None:
            cluster.note_exit(name, codes[0])

    def start_again(self, node: Node, name: str) -> None:
        cluster = self._cluster(node)
        found = cluster.service(name)
        if found is None:
            raise no_container(node, name)
        was_stopped = self._wake(cluster, node, found, name)
        undo = partial(cluster.scale, name, 0) if was_stopped else _leave  # what its swarm has to heal is left to it
        self._see_it_start(cluster, node, tasks.port_of(found["Spec"]["Labels"]), name, undo)

    def remove(self, node: Node, name: str) -> None:
        self._cluster(node).remove(name)
        began = time.monotonic()

        def is_swept() -> bool:
            with self._open(node) as engine:
                return tasks.swept(engine, name, by_force=time.monotonic() - began > PATIENCE_WITH_THE_DEAD)

        self._wait(is_swept, swarm_refusals.not_ended(node, name))

    def unload(self, node: Node, image: Image) -> None:
        """A service that is stopped has no container, and needs its image all the same."""
        ids = template.ids_of(image)
        services = self._cluster(node).services()
        if not any(it["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] in ids for it in services):
            with self._open(node) as engine:
                images.unload(engine, image)

    def logs(self, node: Node, name: str, lines: int = 200) -> str:
        """Of the newest container that has run. One that was stopped is gone, and its output with it."""
        with self._open(node) as engine:
            return tasks.logs(engine, name, lines)

    def read_config(self, node: Node, name: str, filename: str) -> bytes | None:
        with self._open(node) as engine:
            found = tasks.read_from_running(engine, name, filename)
        if found.is_known:
            return found.content
        made = self._cluster(node).service(name)
        if made is None:
            return None
        with self._open(node) as engine:
            return tasks.read_through_another(engine, made, name, filename)

    def _open(self, node: Node, seconds: float = SECONDS_TO_ANSWER) -> AbstractContextManager[APIClient]:
        if node.slug not in self._engines:
            raise refusals.no_engine(node)
        channel = self._channels.setdefault(node.slug, Channel(node, self._engines[node.slug]))
        return channel.open(seconds)

    def _cluster(self, node: Node) -> Cluster:
        """The swarm that the node is part of, by the manager that answered the last time, or by another one."""
        with self._open(node) as engine:
            info = engine.info()["Swarm"]
        if info["LocalNodeState"] != "active":
            raise swarm_refusals.not_in_swarm(node, info.get("Error", ""))
        self._node_ids[node.slug] = info["NodeID"]
        cluster, slug = clusters.found(node, info["NodeID"], self._candidates(node, info))
        self._managers[node.slug] = slug
        return cluster

    def _candidates(self, node: Node, info: Mapping[str, Any]) -> Iterable[tuple[str, Channel]]:
        """All engines, those first that are likely to manage the swarm: one that does not answer takes its time."""
        last = self._managers.get(node.slug)
        addresses = [it["Addr"].rpartition(":")[0].strip("[]") for it in info.get("RemoteManagers") or ()]

        def rank(slug: str) -> tuple[bool, bool, bool]:
            is_itself = slug == node.slug and info["ControlAvailable"]
            return (slug != last, not is_itself, self._engines[slug].place.host not in addresses)

        return ((slug, self._as_manager(slug)) for slug in sorted(self._engines, key=rank))

    def _as_manager(self, slug: str) -> Channel:
        """Of a node that may be of another project: only its engine is known here, and its slug names it."""
        named = Node(slug=slug, name=slug, role=Role.OTHER, address="")
        return self._as_managers.setdefault(slug, Channel(named, self._engines[slug]))

    def _instances(self, cluster: Cluster, node: Node) -> Sequence[Instance]:
        """By the services, and what is left of those that are gone, and what a person has made by hand."""
        services = {it["Spec"]["Name"]: it["Spec"]["Labels"] for it in cluster.services()}
        with self._open(node) as engine:
            found = {name: tasks.described(engine, name) for name in services}
            others = tasks.without_service(engine, known=services)
        made = [tasks.instance(name, labels, found[name]) for name, labels in services.items()]
        return sorted([*made, *others], key=lambda it: it.name)

    def _of_licence(self, cluster: Cluster, node: Node, licence: str) -> Mapping[str, bool]:
        """What there is of that licence, and whether it runs, or is to: one that failed is started again by Swarm."""
        wanted = {it["Spec"]["Name"] for it in cluster.services() if replicas(it)}
        return {
            it.name: it.running or it.name in wanted for it in self._instances(cluster, node) if it.licence == licence
        }

    def _make(self, cluster: Cluster, node: Node, image: Image, port: int, name: str) -> None:
        """The service, and its volume if it is the first on it."""
        if (trouble := cluster.trouble()) is not None:
            raise swarm_refusals.takes_no_work(node, trouble)
        self._ensure_alone(cluster, node, image.licence, name)
        with self._open(node) as engine:
            id = images.found(engine, image)
            if not id:
                raise not_loaded(node, image)
            volumes.ensure(engine, node, image)
        left_out = cluster.create(service.service(cluster.node_id, node, image, port, name, self._grace, id))
        try:
            self._ensure_alone(cluster, node, image.licence, name)  # another may have been made at the same moment
        except BackendError:
            self.remove(node, name)
            raise
        if left_out:
            logger.warning("The swarm of %s has left out of %s: %s.", node.name, name, ", ".join(left_out))

    def _wake(self, cluster: Cluster, node: Node, found: Mapping[str, Any], name: str) -> bool:
        """Have a service that was stopped run again; False when it is to run already."""
        if replicas(found):
            return False
        licence = found["Spec"]["Labels"][template.OURS]
        self._ensure_alone(cluster, node, licence, name)
        cluster.scale(name, 1)
        try:
            self._ensure_alone(cluster, node, licence, name)  # another may have been begun at the same moment
        except BackendError:
            cluster.scale(name, 0)
            raise
        return True

    def _ensure_alone(self, cluster: Cluster, node: Node, licence: str, name: str) -> None:
        """Two must not share a volume."""
        for other, is_in_use in self._of_licence(cluster, node, licence).items():
            if is_in_use and other != name:
                raise volume_in_use(node, other)

    def _see_it_start(self, cluster: Cluster, node: Node, port: int, name: str, undo: Callable[[], None]) -> None:
        """Wait until it has started. What has not is not left waiting: it would start when nobody expects it."""
        start = Start(Fate.WAITING)
        deadline = time.monotonic() + SECONDS_TO_START
        while start.fate is Fate.WAITING and time.monotonic() < deadline:
            start = tasks.start_of(cluster.tasks(name))
            if start.fate is Fate.STARTED:
                return
            time.sleep(BETWEEN_LOOKS)
        undo()
        raise self._refusal(cluster, node, port, name, start)

    def _refusal(self, cluster: Cluster, node: Node, port: int, name: str, start: Start) -> BackendError:
        if start.is_image_missing:
            return swarm_refusals.image_gone(node, start.words)
        if not start.is_port_taken:
            return swarm_refusals.not_started(node, start.words, permanent=start.fate is Fate.FAILED)
        with self._open(node) as engine:
            listed = tasks.listed_by_service(engine)
        published = dict(cluster.published(besides=name)) | dict(holders.ports_of(listed, besides=name))
        return port_in_use(node, port, holders.holder(node, port, published), start.words)

    def _is_running(self, node: Node, name: str) -> bool:
        with self._open(node) as engine:
            return any(tasks.is_running(it) for it in tasks.described(engine, name))

    def _exit_code(self, node: Node, container: str) -> int | None:
        """How it ends, waited for: Swarm takes it away at once."""
        seconds = self._grace + SECONDS_TO_ANSWER
        with self._open(node, seconds) as engine:
            try:
                return int(engine.wait(container, timeout=seconds)["StatusCode"])
            except NotFound:
                return None

    def _wait(self, look: Callable[[], bool], otherwise: BackendError) -> None:
        deadline = time.monotonic() + self._grace + SECONDS_TO_SWEEP
        while not look():
            if time.monotonic() > deadline:
                raise otherwise
            time.sleep(BETWEEN_LOOKS)


def _leave() -> None:
    """Nothing was done, so there is nothing to undo."""
