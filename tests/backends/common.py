"""What the tests of backends on real engines do alike."""

import io
import tarfile
from collections.abc import Callable

import pytest

from tests.contracts.backend import Bench
from tests.engines.daemons import Daemon
from wizard.backends.engine import template
from wizard.errors import BackendError


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


def refusal_of(action: Callable[[], object]) -> BackendError:
    """What is raised; it says what happened and what to do."""
    with pytest.raises(BackendError) as refusal:
        action()
    problem = refusal.value.problem
    assert str(problem.happened)
    assert problem.todo is not None
    return refusal.value
