"""The embedded engine: a container is a process of this machine, a volume is a folder, a node is a loopback address."""

import logging
import os
import shlex
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psutil

from wizard.backends import checks
from wizard.backends.embedded import processes, refusals, sockets, supervision
from wizard.backends.embedded.folders import Container, NodeFolder, Process, Wanted, safe
from wizard.backends.refusals import no_container, not_loaded, one_of_ours, port_in_use, volume_in_use
from wizard.domain.image import Image
from wizard.domain.instance import Health, Instance
from wizard.domain.preflight import Plan, PortCheck, Preflight
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.ports import Progress
from wizard.text import Text, say

logger = logging.getLogger(__name__)

GRACE = 10.0
"""Seconds that a container has to end by itself, as with `docker stop`."""
LOOKS, BETWEEN_LOOKS = 60, 0.05
"""A started container is looked at so often, with so many seconds between: does it listen, or has it ended?"""
TAIL = 64 << 10
"""Bytes at the end of a log that are looked at for its last lines."""


class EmbeddedBackend:
    """ports.Backend, and ports.Supervising.

    `claims_of` takes the signed claims out of an archive; `vendor_keys` is the file that a server checks them with.
    `command` is what stands for the image's entry point. What only other backends need is in `others`.
    """

    def __init__(
        self,
        *,
        data: Path,
        vendor_keys: Path,
        claims_of: Callable[[Path], bytes],
        clock: Callable[[], datetime],
        command: Sequence[str] = processes.SERVER,
        grace: float = GRACE,
        **others: object,
    ) -> None:
        self._data = data.absolute() / "nodes"
        self._vendor_keys = vendor_keys.absolute()
        self._claims_of = claims_of
        self._entry_point = tuple(command)
        self._grace = grace
        self._clock = clock

    def health(self, node: Node) -> Health:
        trouble = self._trouble(node)
        return Health(node=node.slug, well=trouble is None, detail=trouble or say("Ready."), seen_at=self._clock())

    def preflight(self, node: Node, image: Image, port: int, name: str, now: datetime) -> Preflight:
        if (trouble := self._trouble(node)) is not None:
            raise refusals.no_node(node, trouble)
        found = self._port_check(node, port, name, now)
        others = [it for it in self._folder(node).containers() if it.licence == image.licence and it.name != name]
        running = next((it.name for it in others if self._is_up(self._folder(node), it)), "")
        stopped = next((it.name for it in others if it.name != running), "")
        has_volume = self._folder(node).volume(image.licence).exists()
        lines = (
            checks.engine(say("This machine itself: a container is a process of its own.")),
            checks.disk(image.size, shutil.disk_usage(self._data).free),
            checks.port(found),
            checks.leftovers(node, running=running, stopped=stopped, has_volume=has_volume),
        )
        return Preflight(port=found, checks=lines)

    def plan(self, node: Node, image: Image, port: int, name: str) -> Plan:
        """No engine is asked: the program that stands for the image's is started, as by hand."""
        container = Container(
            name=name,
            digest=image.digest,
            licence=image.licence,
            address=node.address,
            port=port,
            wanted=Wanted.RUNNING,
        )
        return Plan(manual=shlex.join(self._command(self._folder(node), container)))

    def containers(self, node: Node) -> Sequence[Instance]:
        return [self._seen(self._folder(node), container) for container in self._folder(node).containers()]

    def _port_check(self, node: Node, port: int, name: str, now: datetime) -> PortCheck:
        folder = self._folder(node)
        own = folder.container(name) if name else None
        if own is not None and own.port == port and self._process(folder, own) is not None:
            holder: Text | None = None
        else:
            holder = self._holder(node, port, name)
        return PortCheck(
            port=port,
            free=holder is None,
            holder=holder or "",
            next_free=self._next_free(node, port) if holder else None,
            checked_at=now,
        )

    def load(self, node: Node, image: Image, archive: Path, progress: Progress) -> None:
        folder = self._folder(node)
        if not image.is_licence:
            raise refusals.unknown_image(image)
        if not folder.has_image(image.digest):
            progress(0, image.size)
            claims = self._claims_of(archive)
            with folder.locked():
                folder.keep_image(image, claims)
        progress(image.size, image.size)

    def start(self, node: Node, image: Image, port: int, name: str) -> None:
        folder = self._folder(node)
        container = Container(
            name=name,
            digest=image.digest,
            licence=image.licence,
            address=node.address,
            port=port,
            wanted=Wanted.RUNNING,
        )
        with folder.locked():
            if self._process(folder, container) is not None:
                return
            if not folder.has_image(image.digest):
                raise not_loaded(node, image)
            self._ensure_free(node, folder, container)
            folder.keep(container)
            self._begin(folder, container)
        self._see_it_start(folder, container)

    def inspect(self, node: Node, name: str) -> Instance | None:
        folder = self._folder(node)
        container = folder.container(name)
        return self._seen(folder, container) if container else None

    def stop(self, node: Node, name: str) -> None:
        folder = self._folder(node)
        with folder.locked():
            container = folder.container(name)
            if container is None:
                return
            folder.keep(replace(container, wanted=Wanted.STOPPED))
            self._end(folder, container)

    def start_again(self, node: Node, name: str) -> None:
        folder = self._folder(node)
        with folder.locked():
            container = folder.container(name)
            if container is None:
                raise no_container(node, name)
            container = replace(container, wanted=Wanted.RUNNING, quick_deaths=0)
            is_running = self._process(folder, container) is not None
            if not is_running:
                self._ensure_free(node, folder, container)
            folder.keep(container)
            if not is_running:
                self._begin(folder, container)
        self._see_it_start(folder, container)

    def remove(self, node: Node, name: str) -> None:
        self.stop(node, name)
        folder = self._folder(node)
        with folder.locked():
            shutil.rmtree(folder.folder(name), ignore_errors=True)
        if folder.folder(name).exists():
            raise refusals.not_removed(node, name)

    def unload(self, node: Node, image: Image) -> None:
        folder = self._folder(node)
        with folder.locked():
            in_use = any(container.digest == image.digest for container in folder.containers())
            if not in_use and folder.has_image(image.digest):
                shutil.rmtree(folder.image(image.digest))

    def logs(self, node: Node, name: str, lines: int = 200) -> str:
        return _last_lines(self._folder(node).log(name), lines)

    def read_config(self, node: Node, name: str, filename: str) -> bytes | None:
        folder = self._folder(node)
        container = folder.container(name)
        file = folder.volume(container.licence) / safe(filename) if container else None
        return file.read_bytes() if file and file.is_file() else None

    def keep_running(self) -> None:
        """Begin again what should run and has ended; give up what ends again and again soon after its start."""
        for folder in NodeFolder.all(self._data):
            for container in folder.containers():
                try:
                    self._look_after(folder, container.name)
                except BackendError as error:
                    logger.error("%s %s", error, error.problem.raw)

    def pause(self) -> None:
        """Stop what runs, without giving it up: the whole installation is being stopped. All end at the same time."""
        found = [(folder, it) for folder in NodeFolder.all(self._data) for it in folder.containers()]
        running = [(folder, it, process) for folder, it in found if (process := self._process(folder, it))]
        for _, _, process in running:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for folder, container, process in running:
            with folder.locked():
                self._end_process(folder, container, process)

    def _seen(self, folder: NodeFolder, container: Container) -> Instance:
        running = self._process(folder, container) is not None
        return Instance(
            name=container.name,
            running=running,
            port=container.port,
            exit_code=None if running else _exit_code(folder.process(container.name)),
            restarts=container.quick_deaths,
            licence=container.licence,
        )

    def _look_after(self, folder: NodeFolder, name: str) -> None:
        with folder.locked():
            container = folder.container(name)
            if container is None or container.wanted is not Wanted.RUNNING or self._process(folder, container):
                return
            last = folder.process(name)
            if last is not None and last.ended_at is None:
                last = replace(last, ended_at=self._clock(), exit_code=processes.exit_code(last.process.pid))
                folder.keep_process(name, last)
                container = supervision.after_death(container, last)
                folder.keep(container)
            if container.wanted is Wanted.GIVEN_UP:
                self._say_it_stays_down(folder, container)
            elif supervision.may_begin(container, last, self._clock()):
                logger.warning("%s has ended; it is started again.", name)
                self._begin(folder, container)

    def _say_it_stays_down(self, folder: NodeFolder, container: Container) -> None:
        log = folder.log(container.name)
        logger.error("%s ended again and again, and stays down:\n%s", container.name, _last_lines(log, 20))
        with log.open("a") as output:
            output.write(f"Ended {container.quick_deaths} times soon after its start: it is not started again.\n")

    def _begin(self, folder: NodeFolder, container: Container) -> None:
        """The record is written already; it says what to do should this process die right here."""
        folder.volume(container.licence).mkdir(parents=True, exist_ok=True)
        (folder.folder(container.name) / "tls").mkdir(exist_ok=True)
        log = folder.log(container.name)
        try:
            name = processes.begin(self._command(folder, container), folder.folder(container.name), log)
        except OSError as error:
            raise refusals.not_started(container, str(error)) from error
        folder.keep_process(container.name, Process(process=name, begun_at=self._clock()))

    def _see_it_start(self, folder: NodeFolder, container: Container) -> None:
        """Wait until it listens; BackendError when it ends instead. One that takes longer is left to the caller."""
        for _ in range(LOOKS):
            process = self._process(folder, container)
            if process is None:
                with folder.locked():
                    folder.keep(replace(container, wanted=Wanted.STOPPED))
                raise refusals.ended_at_once(container, _last_lines(folder.log(container.name), 40))
            if sockets.listens(process, container.port):
                return
            time.sleep(BETWEEN_LOOKS)

    def _end(self, folder: NodeFolder, container: Container) -> None:
        if (process := self._process(folder, container)) is not None:
            self._end_process(folder, container, process)

    def _end_process(self, folder: NodeFolder, container: Container, process: psutil.Process) -> None:
        code = processes.end(process, self._grace)
        if (begun := folder.process(container.name)) is not None:
            folder.keep_process(container.name, replace(begun, ended_at=self._clock(), exit_code=code))

    def _process(self, folder: NodeFolder, container: Container) -> psutil.Process | None:
        begun = folder.process(container.name)
        if begun is None and not folder.folder(container.name).exists():
            return None
        return processes.find(self._command(folder, container), begun.process if begun else None)

    def _command(self, folder: NodeFolder, container: Container) -> tuple[str, ...]:
        home = folder.folder(container.name)
        options = {
            "--claims": folder.image(container.digest) / "claims.json",
            "--vendor-keys": self._vendor_keys,
            "--config": folder.volume(container.licence),
            "--log": home / "log",
            "--tls": home / "tls",
            "--address": container.address,
            "--port": container.port,
        }
        return (*self._entry_point, *(str(word) for option in options.items() for word in option))

    def _ensure_free(self, node: Node, folder: NodeFolder, container: Container) -> None:
        """Neither the volume nor the port is another's. A volume that two servers write is a broken instance."""
        for other in folder.containers():
            if other.name != container.name and other.licence == container.licence and self._is_up(folder, other):
                raise volume_in_use(node, other.name)
        if (words := sockets.problem(container.address, container.port)) != "":
            raise port_in_use(node, container.port, self._holder(node, container.port, container.name), words)

    def _holder(self, node: Node, port: int, besides: str) -> Text | None:
        """Who has the port, in words; None when it is free. One of ours that is about to be restarted has it too."""
        for container in self._folder(node).containers():
            if container.port == port and container.name != besides and container.wanted is Wanted.RUNNING:
                return one_of_ours(container.name)
        if sockets.is_free(node.address, port):
            return None
        found = sockets.listener(node.address, port)
        if found is None:
            return say("another program")
        ours = self._container_of(found.pid)
        return one_of_ours(ours) if ours else refusals.a_process(found)

    def _container_of(self, pid: int) -> str | None:
        """The name of the container, on any node, that the process stands for."""
        for folder in NodeFolder.all(self._data):
            for container in folder.containers():
                begun = folder.process(container.name)
                if begun is not None and begun.process.pid == pid and begun.process.process() is not None:
                    return container.name
        return None

    def _next_free(self, node: Node, port: int) -> int | None:
        taken = {container.port for container in self._folder(node).containers()}
        return sockets.next_free(node.address, port, besides=taken)

    def _is_up(self, folder: NodeFolder, container: Container) -> bool:
        return container.wanted is Wanted.RUNNING or self._process(folder, container) is not None

    def _trouble(self, node: Node) -> Text | None:
        try:
            if not sockets.is_of_this_machine(node.address):
                return say("%(address)s is no address of this machine.", address=node.address)
            self._data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return say("It cannot run anything: %(words)s.", words=error.strerror or str(error))
        if not os.access(self._data, os.W_OK):
            return say("Its folder cannot be written to.")
        return None

    def _folder(self, node: Node) -> NodeFolder:
        return NodeFolder(self._data, node.slug)


def _last_lines(log: Path, lines: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        text = file.read(TAIL).decode(errors="replace")
    return "".join(text.splitlines(keepends=True)[-lines:])


def _exit_code(begun: Process | None) -> int | None:
    if begun is None:
        return None
    return begun.exit_code if begun.exit_code is not None else processes.exit_code(begun.process.pid)
