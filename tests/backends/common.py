"""What the tests of backends on real engines do alike."""

import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contracts.backend import Bench
from tests.engines.daemons import Daemon
from tests.waiting import until
from wizard.backends.engine import template
from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.ports import Backend

PORT = 18081
SAYS = "UNAUTHENTICATED"
"""What the reference authorization application prints first."""


@contextmanager
def bench_on(daemon: Daemon, backend: Backend, node: Node, issued: tuple[Image, Path]) -> Iterator[Bench]:
    """A bench of the contract suite on that engine, which is as new afterwards."""
    image, archive = issued

    @contextmanager
    def occupied(port: int) -> Iterator[None]:
        with daemon.host.listening(port):
            yield

    def put_config(name: str, content: bytes) -> None:
        """Once the program has written its own files, for otherwise it would write over this one."""
        until(lambda: SAYS in backend.logs(node, "one"), "the program has started")
        put(daemon, name, content)

    bench = Bench(
        backend=backend,
        node=node,
        image=image,
        archive=archive,
        port=PORT,
        occupied=occupied,
        says=SAYS,
        put_config=put_config,
    )
    with bench.cleaned():
        yield bench
    forget(daemon, bench)


def put(daemon: Daemon, name: str, content: bytes) -> None:
    """Write a file into the config volume, through the only container that runs on that engine."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with daemon.client() as engine:
        [container] = engine.containers()
        engine.put_archive(container["Id"], template.CONFIG, packed.getvalue())


def forget(daemon: Daemon, bench: Bench) -> None:
    """The image and the volumes too: the next test finds an engine on which nothing was ever deployed."""
    bench.backend.unload(bench.node, bench.image)
    with daemon.client() as engine:
        for volume in engine.volumes()["Volumes"] or ():
            engine.remove_volume(volume["Name"], force=True)


def expect_one_at_most(bench: Bench, rounds: int = 3) -> None:
    """Of two on the volume of one licence that are started at the same moment, new ones and then stopped ones.

    Who is refused is told by whom, and does not run; who is not refused runs.
    """
    ports = {"one": bench.port, "two": bench.port + 1}
    for _ in range(rounds):
        _see_who_is_refused(bench, lambda name: bench.start(name, ports[name]))
        for name in ports:
            bench.backend.remove(bench.node, name)
    for name, port in ports.items():
        bench.start(name, port)
        bench.backend.stop(bench.node, name)
    for _ in range(rounds):
        _see_who_is_refused(bench, lambda name: bench.backend.start_again(bench.node, name))
        for name in ports:
            bench.backend.stop(bench.node, name)


def _see_who_is_refused(bench: Bench, start: Callable[[str], None]) -> None:
    together = threading.Barrier(2)

    def refusal_or_none(name: str) -> BackendError | None:
        together.wait()
        try:
            start(name)
        except BackendError as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(2) as threads:
        refused = dict(zip(("one", "two"), threads.map(refusal_or_none, ("one", "two")), strict=True))
    assert any(refused.values()), "they never share the volume"
    for name, refusal in refused.items():
        assert bench.is_running(name) == (refusal is None)
        if refusal is not None:
            [other] = refused.keys() - {name}
            assert other in str(refusal.problem.why)
            assert refusal.problem.todo is not None


def refusal_of(action: Callable[[], object]) -> BackendError:
    """What is raised; it says what happened and what to do."""
    with pytest.raises(BackendError) as refusal:
        action()
    problem = refusal.value.problem
    assert str(problem.happened)
    assert problem.todo is not None
    return refusal.value
