"""Docker, and Podman by the same API: a node is a host with an engine, and a container is a container."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime
from pathlib import Path

from docker import APIClient
from docker.errors import APIError, ImageNotFound

from wizard.backends.engine import containers, holders, images, plan, preflight, probe, refusals, template, volumes
from wizard.backends.engine.channel import SECONDS_TO_ANSWER, Channel
from wizard.backends.refusals import no_container, not_loaded, port_in_use, volume_in_use
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.instance import Health, Instance
from wizard.domain.preflight import Plan, Preflight
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.ports import Progress


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
        return Health(node=node.slug, well=True, detail=preflight.ready(version), seen_at=self._clock())

    def preflight(self, node: Node, image: Image, port: int, name: str, now: datetime) -> Preflight:
        with ExitStack() as stack:
            try:
                engine = stack.enter_context(self._open(node))
            except BackendError as refusal:
                if not refusal.permanent:
                    raise
                return preflight.refused(refusal, port, now)
            return preflight.checklist(engine, node, image, port, name, now)

    def plan(self, node: Node, image: Image, port: int, name: str) -> Plan:
        return plan.plan(node, image, port, name)

    def containers(self, node: Node) -> Sequence[Instance]:
        """This is asked each minute (jobs/reconciler.py), so what a killed wizard's probe has left goes as well."""
        with self._open(node) as engine:
            probe.sweep(engine, self._clock())
            return containers.instances(engine)

    def load(self, node: Node, image: Image, archive: Path, progress: Progress) -> None:
        with self._open(node, images.SECONDS_TO_LOAD) as engine:
            images.load(engine, node, image, archive, progress)

    def start(self, node: Node, image: Image, port: int, name: str) -> None:
        with self._open(node) as engine:
            found = containers.found(engine, node, name)
            if found is None:
                self._make(engine, node, image, port, name)
            elif found["State"]["Running"]:
                return
            self._run(engine, node, name, port, image.licence, is_new=found is None)

    def inspect(self, node: Node, name: str) -> Instance | None:
        with self._open(node) as engine:
            found = containers.found(engine, node, name)
        return containers.instance(found) if found else None

    def stop(self, node: Node, name: str) -> None:
        with self._open(node, self._grace + SECONDS_TO_ANSWER) as engine:
            if containers.found(engine, node, name) is not None:
                engine.stop(name, timeout=self._grace)

    def start_again(self, node: Node, name: str) -> None:
        with self._open(node) as engine:
            found = containers.found(engine, node, name)
            if found is None:
                raise no_container(node, name)
            if not found["State"]["Running"]:
                licence = found["Config"]["Labels"][template.OURS]
                self._run(engine, node, name, containers.port_of(found), licence, is_new=False)

    def remove(self, node: Node, name: str) -> None:
        """One that does not end in good order is removed all the same."""
        with suppress(BackendError):
            self.stop(node, name)
        with self._open(node) as engine:
            if containers.found(engine, node, name) is not None:
                engine.remove_container(name, v=False, force=True)

    def unload(self, node: Node, image: Image) -> None:
        with self._open(node) as engine:
            images.unload(engine, image)

    def logs(self, node: Node, name: str, lines: int = 200) -> str:
        with self._open(node) as engine:
            found = containers.found(engine, node, name)
            return containers.logs(engine, name, lines, has_terminal=found["Config"]["Tty"]) if found else ""

    def read_config(self, node: Node, name: str, filename: str) -> bytes | None:
        with self._open(node) as engine:
            return containers.read_config(engine, name, filename) if containers.found(engine, node, name) else None

    def _open(self, node: Node, seconds: float = SECONDS_TO_ANSWER) -> AbstractContextManager[APIClient]:
        if node.slug not in self._engines:
            raise refusals.no_engine(node)
        channel = self._channels.setdefault(node.slug, Channel(node, self._engines[node.slug]))
        return channel.open(seconds)

    def _make(self, engine: APIClient, node: Node, image: Image, port: int, name: str) -> None:
        """The container, not yet running, and its volume, if it is the first on it."""
        id = images.found(engine, image)
        if not id:
            raise not_loaded(node, image)
        _ensure_alone(engine, node, image.licence, name)
        volumes.ensure(engine, node, image)
        try:
            engine.create_container_from_config(template.container(node, image, port, id), template.checked(name))
        except ImageNotFound as error:  # another deployment that was undone has just taken it away
            raise not_loaded(node, image, str(error.explanation)) from error

    def _run(self, engine: APIClient, node: Node, name: str, port: int, licence: str, *, is_new: bool) -> None:
        """Start it, unless another one has its volume. A busy port shows only now; what never ran is taken away."""
        try:
            _ensure_alone(engine, node, licence, name)
            engine.start(name)
        except (BackendError, APIError) as error:
            if is_new:
                engine.remove_container(name, v=False, force=True)
            words = str(error.explanation) if isinstance(error, APIError) else ""
            if holders.is_busy(words):
                holder = holders.holder(node, port, holders.published(engine, besides=name))
                raise port_in_use(node, port, holder, words) from error
            raise
        if not is_new:
            self._stay_alone(engine, node, licence, name)

    def _stay_alone(self, engine: APIClient, node: Node, licence: str, name: str) -> None:
        """Nobody who looked while it was stopped has counted it, so it looks once more. Both may give way."""
        try:
            _ensure_alone(engine, node, licence, name)
        except BackendError:
            engine.stop(name, timeout=self._grace)
            raise


def _ensure_alone(engine: APIClient, node: Node, licence: str, name: str) -> None:
    """Two must not share a volume. One that was made a moment ago is about to run, so it counts: both may give way."""
    for other in containers.of_licence(engine, licence):
        if containers.name_of(other) != name and (containers.is_up(other) or other["State"] == containers.MADE):
            raise volume_in_use(node, containers.name_of(other))
