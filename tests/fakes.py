"""Stand-ins for the ports. They remember what was asked of them (`calls`), and do as they are told (`fail`).

The stores and the backend pass the same contract suites as the real ones (tests/contracts/).
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from tests.factories import NOW, a_challenge, a_slot, a_status, an_image, an_operation
from tests.memory_store import MemoryAccounts, MemoryStore
from wizard.backends import checks
from wizard.domain import engine
from wizard.domain.deployment import (
    Challenge,
    Endpoint,
    Judgement,
    ServerState,
    ServerStatus,
    Verdict,
)
from wizard.domain.image import Image
from wizard.domain.instance import Health, Instance
from wizard.domain.operation import Operation
from wizard.domain.preflight import Check, Plan, PortCheck, Preflight, Request
from wizard.domain.project import Node, Project
from wizard.domain.registration import Registration
from wizard.errors import BackendError, InvalidInput, WizardError
from wizard.ports import Progress, Store
from wizard.text import say

__all__ = [
    "FakeApplications",
    "FakeBackend",
    "FakeClock",
    "FakeInventory",
    "FakeJobs",
    "FakeLicenseServer",
    "FakeSpool",
    "MemoryAccounts",
    "MemoryStore",
    "broken",
]


class FakeClock:
    """A clock that stands until it is told to go on. `sleep` goes on, and remembers for how long."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        """As timedelta: seconds=, minutes=, hours= and so on."""
        self.now += timedelta(**time)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds=seconds)


class Programmable:
    """Counts calls by the name of the verb, and raises what was put in store for the next call of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self._errors: dict[str, deque[WizardError]] = defaultdict(deque)

    def fail(self, verb: str, error: WizardError, times: int = 1) -> None:
        self._errors[verb].extend([error] * times)

    def count(self, verb: str) -> int:
        return sum(call[0] == verb for call in self.calls)

    def _called(self, verb: str, *given: object) -> None:
        self.calls.append((verb, *given))
        if self._errors[verb]:
            raise self._errors[verb].popleft()


def broken(words: str = "it broke", *, permanent: bool = True) -> BackendError:
    """An engine's refusal, with its own words."""
    return BackendError(say("The engine did not do it."), permanent=permanent, raw=words)


@dataclass
class Container:
    """What the fake engine keeps of one; `name` is where it lies in the dict."""

    image: Image
    port: int
    running: bool = True
    paused: bool = False

    def seen(self, name: str) -> Instance:
        return Instance(
            name=name,
            running=self.running,
            port=self.port,
            exit_code=None if self.running else 0,
            paused=self.paused,
            licence=self.image.licence,
        )


@dataclass
class Engine:
    """One node's engine."""

    images: set[str] = field(default_factory=set)
    containers: dict[str, Container] = field(default_factory=dict)
    volumes: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By licence: the files of its config volume."""
    others: dict[int, str] = field(default_factory=dict)
    """Ports that something else holds, and what."""
    well: bool = True
    room: int = 1 << 40
    """Free bytes of its disk."""
    checks: list[Check] = field(default_factory=list)
    """What a preflight finds beside the usual."""

    def holder(self, port: int, besides: str) -> str | None:
        if port in self.others:
            return self.others[port]
        running = (name for name, it in self.containers.items() if it.running and it.port == port)
        return next((name for name in running if name != besides), None)


class FakeBackend(Programmable):
    """ports.Backend in memory. `engines[node.slug]` is there to be looked at and changed."""

    def __init__(self) -> None:
        super().__init__()
        self.engines: dict[str, Engine] = defaultdict(Engine)

    def health(self, node: Node) -> Health:
        self._called("health", node.slug)
        well = self.engines[node.slug].well
        return Health(node=node.slug, well=well, detail=say("Ready.") if well else say("No answer."), seen_at=NOW)

    def preflight(self, node: Node, image: Image, port: int, name: str, now: datetime) -> Preflight:
        self._called("preflight", node.slug, port, name)
        engine = self.engines[node.slug]
        if not engine.well:
            raise broken("no answer", permanent=False)
        holder = engine.holder(port, name)
        following = (other for other in range(port + 1, port + 100) if engine.holder(other, name) is None)
        check = PortCheck(
            port=port,
            free=holder is None,
            holder=holder or "",
            next_free=next(following) if holder else None,
            checked_at=now,
        )
        return Preflight(port=check, checks=(*self._checks(node, image, check, name), *engine.checks))

    def plan(self, node: Node, image: Image, port: int, name: str) -> Plan:
        return Plan(
            requests=(Request(method="POST", path="/images/load", body="the image"),),
            manual=f"run {name} at {node.address}:{port}",
        )

    def containers(self, node: Node) -> Sequence[Instance]:
        self._called("containers", node.slug)
        return [container.seen(name) for name, container in self.engines[node.slug].containers.items()]

    def load(self, node: Node, image: Image, archive: Path, progress: Progress) -> None:
        self._called("load", node.slug, image.digest)
        progress(0, image.size)
        self.engines[node.slug].images.add(image.digest)
        progress(image.size, image.size)

    def start(self, node: Node, image: Image, port: int, name: str) -> None:
        self._called("start", node.slug, name, port)
        engine = self.engines[node.slug]
        if name in engine.containers and engine.containers[name].running:
            return
        if image.digest not in engine.images:
            raise broken("no such image")
        self._refuse_conflicts(engine, Container(image, port), name)
        engine.containers[name] = Container(image, port)
        engine.volumes.setdefault(image.licence, {})

    def inspect(self, node: Node, name: str) -> Instance | None:
        self._called("inspect", node.slug, name)
        container = self.engines[node.slug].containers.get(name)
        return container.seen(name) if container else None

    def stop(self, node: Node, name: str) -> None:
        self._called("stop", node.slug, name)
        container = self.engines[node.slug].containers.get(name)
        if container:
            container.running = False

    def start_again(self, node: Node, name: str) -> None:
        self._called("start_again", node.slug, name)
        engine = self.engines[node.slug]
        if name not in engine.containers:
            raise broken("no such container")
        self._refuse_conflicts(engine, engine.containers[name], name)
        engine.containers[name].running = True

    def remove(self, node: Node, name: str) -> None:
        self._called("remove", node.slug, name)
        self.engines[node.slug].containers.pop(name, None)

    def unload(self, node: Node, image: Image) -> None:
        self._called("unload", node.slug, image.digest)
        engine = self.engines[node.slug]
        if not any(container.image.digest == image.digest for container in engine.containers.values()):
            engine.images.discard(image.digest)

    def logs(self, node: Node, name: str, lines: int = 200) -> str:
        self._called("logs", node.slug, name)
        return "started\n" if name in self.engines[node.slug].containers else ""

    def read_config(self, node: Node, name: str, filename: str) -> bytes | None:
        self._called("read_config", node.slug, name, filename)
        engine = self.engines[node.slug]
        container = engine.containers.get(name)
        return engine.volumes[container.image.licence].get(filename) if container else None

    def _checks(self, node: Node, image: Image, found: PortCheck, name: str) -> Sequence[Check]:
        engine = self.engines[node.slug]
        others = {other: it for other, it in engine.containers.items() if it.image.licence == image.licence}
        others.pop(name, None)
        return (
            checks.engine(say("A fake.")),
            checks.disk(image.size, engine.room),
            checks.port(found),
            checks.leftovers(
                node,
                running=next((other for other, it in others.items() if it.running), ""),
                stopped=next((other for other, it in others.items() if not it.running), ""),
                has_volume=image.licence in engine.volumes,
            ),
        )

    def _refuse_conflicts(self, engine: Engine, wanted: Container, name: str) -> None:
        if (holder := engine.holder(wanted.port, name)) is not None:
            raise broken(f"port is already allocated: {holder}")
        for other, container in engine.containers.items():
            if other != name and container.running and container.image.licence == wanted.image.licence:
                raise broken(f"the volume is in use by {other}")


class FakeLicenseServer(Programmable):
    """ports.LicenseServer: one authorization application, which counts wrong codes as R6 says. `code` is right."""

    def __init__(self, code: str = "123456") -> None:
        super().__init__()
        self.code = code
        self.now_says: ServerStatus = a_status()
        """What it says of itself, but for the time of asking; set it, or let the verbs change it."""
        self.open: Challenge | None = None

    def status(self, endpoint: Endpoint, now: datetime) -> ServerStatus:
        self._called("status", endpoint)
        return replace(self.now_says, seen_at=now)

    def is_open(self, endpoint: Endpoint) -> bool:
        self._called("is_open", endpoint)
        return True

    def is_there(self, endpoint: Endpoint) -> bool:
        self._called("is_there", endpoint)
        return True

    def challenge(self, endpoint: Endpoint, now: datetime) -> Challenge:
        self._called("challenge", endpoint)
        if self._is_locked(now):
            raise InvalidInput(say("The entry of codes is locked."))
        number = self.count("challenge")
        self.open = a_challenge(id=f"challenge-{number}", created_at=now, expires_at=now + timedelta(minutes=5))
        self.now_says = replace(self.now_says, challenge=self.open.id)
        return self.open

    def submit(self, endpoint: Endpoint, challenge: str, code: str, now: datetime) -> Verdict:
        self._called("submit", endpoint, challenge, code)
        return Verdict(judgement=self._judge(challenge, code, now), status=replace(self.now_says, seen_at=now))

    def hears_from(self, project: str, node: str, now: datetime) -> None:
        """The first request of a node that has registered."""
        slot = a_slot(project=project, node=node, registered_at=now, last_request_at=now)
        self.now_says = replace(self.now_says, state=ServerState.ACTIVE, slots=(*self.now_says.slots, slot))

    def restarts(self) -> None:
        """What was verified, and not registered, is forgotten (R7)."""
        self.open = None
        self.now_says = replace(self.now_says, state=ServerState.UNAUTHENTICATED, challenge=None)

    def _judge(self, challenge: str, code: str, now: datetime) -> Judgement:
        if self._is_locked(now):
            return Judgement.LOCKED
        if len(code) != 6 or not code.isascii() or not code.isdigit():
            return Judgement.MALFORMED
        if self.open is None or self.open.id != challenge:
            return Judgement.SUPERSEDED
        if now > self.open.expires_at:
            return Judgement.EXPIRED
        return self._right() if code == self.code else self._wrong(now)

    def _right(self) -> Judgement:
        self.open = None
        self.now_says = replace(self.now_says, state=ServerState.VERIFIED, challenge=None, tries_left=6)
        return Judgement.ACCEPTED

    def _wrong(self, now: datetime) -> Judgement:
        left = self.now_says.tries_left - 1
        self.now_says = replace(self.now_says, tries_left=left)
        if left > 0:
            return Judgement.WRONG
        self.open = None
        locked_until = now + timedelta(minutes=15)
        self.now_says = replace(self.now_says, tries_left=6, locked_until=locked_until, challenge=None)
        return Judgement.LOCKED

    def _is_locked(self, now: datetime) -> bool:
        return self.now_says.locked_until is not None and now < self.now_says.locked_until


class FakeApplications(Programmable):
    """ports.Applications: registers whatever it is asked to."""

    def register(self, project: Project, endpoint: Endpoint) -> None:
        self._called("register", project.slug, endpoint)


class FakeInventory:
    """ports.Inventory over given projects."""

    def __init__(self, *projects: Project) -> None:
        self._projects = projects
        self.engines: Mapping[str, engine.Engine] = {}

    def projects(self) -> Sequence[Project]:
        return self._projects

    def project(self, slug: str) -> Project:
        for project in self._projects:
            if project.slug == slug:
                return project
        raise InvalidInput(say("There is no such project."), field="project")


class FakeSpool(Programmable):
    """ports.Spool over a folder: every file is taken for a licence image, unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def receive(self, source: BinaryIO, size: int | None, filename: str) -> Image:
        self._called("receive", size, filename)
        content = source.read()
        image = an_image(digest=hashlib.sha256(content).hexdigest(), size=len(content), filename=filename)
        (self.folder / image.digest).write_bytes(content)
        return image

    def path(self, image: Image) -> Path:
        self._called("path", image.digest)
        path = self.folder / image.digest
        if not path.exists():
            raise broken("the file is gone")
        return path


class FakeJobs(Programmable):
    """ports.Jobs that writes operations down in the given store, and wakes nobody."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def start(self, registration: Registration, kind: str, now: datetime, by: str = "") -> Operation:
        self._called("start", registration.id, kind)
        return self._store.queue(
            an_operation(
                id=f"op{self.count('start')}",
                registration_id=registration.id,
                kind=kind,
                version=registration.version,
                created_at=now,
                asked_by=by,
            )
        )

    def abort(self, operation: Operation) -> None:
        self._called("abort", operation.id)
        self._store.ask_to_abort(operation.id)
