"""Whole deployments to real engines on which something goes wrong: it is said, nothing of ours is left, and once the
fault is mended the same registration is deployed, up to the first answer over the pinned key.

A fault of the engine is made at an exact moment of an exact request (tests.jobs.interposer). The pauses between two
tries of a failing deployment pass on a clock of the tests; those of the try that is to succeed are real.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.deploying import PORT, THEIRS, Premises, Site, Told, counted, expect_deployed, expect_told, tell
from tests.engines.hosts import hosts
from tests.engines.small import ENDS, IS_FOREIGN, IS_SILENT, LAST_WORDS, NEEDS_MEMORY, STATUS
from tests.jobs.interposer import Interposer, Moment, Trigger
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.operation import Operation, OperationState

pytestmark = [
    pytest.mark.engine,
    pytest.mark.long,
    NEEDS_ENGINES,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

RUNS: dict[str, Callable[..., AbstractContextManager[Daemon]]] = {"docker": docker_daemon, "podman": podman_service}
LOADED = ("POST", "/images/load")
CREATED = ("POST", "/containers/create")
SHORT = 0.1
"""Seconds in which a pause of the worker's is over here."""
LEFT_FREE = 40 << 20
"""Bytes of a disk that is about to be full: less than any licence image has."""

Happens = Callable[[Site, Operation], AbstractContextManager[object]]


@dataclass(frozen=True, kw_only=True)
class Fault(Told):
    """What happens to a deployment, and what is told. `image` makes the one that is deployed, when that is at fault."""

    happens: Happens = lambda site, operation: nullcontext()
    image: Callable[[Site], Image] = lambda site: site.image


def port_taken_by_a_program(site: Site, operation: Operation) -> AbstractContextManager[None]:
    return site.daemon.host.listening(PORT)


def port_taken_by_a_container(site: Site, operation: Operation) -> AbstractContextManager[None]:
    return site.somebodys_container(THEIRS, PortBindings={f"{PORT}/tcp": [{"HostIp": "", "HostPort": str(PORT)}]})


def name_taken(site: Site, operation: Operation) -> AbstractContextManager[None]:
    return site.somebodys_container(site.name(operation))


@contextmanager
def disk_full(site: Site, operation: Operation) -> Iterator[None]:
    """The disk of the engine, but for a little."""
    fill(site, LEFT_FREE)
    try:
        yield
    finally:
        make_room(site)


@contextmanager
def disk_full_once_loaded(site: Site, operation: Operation) -> Iterator[None]:
    """Somebody else takes the rest of it, down to the last byte, just before the container is made."""
    at(site, CREATED, Moment.ASKED, partial(fill, site, 0), severs=False)
    try:
        yield
    finally:
        make_room(site)


def fill(site: Site, left: int) -> None:
    data = f"{site.daemon.host.folder}/data"
    free = int(site.daemon.host.run("df", "--output=avail", "-B1", data).split()[-1])
    site.daemon.host.run("fallocate", "-l", str(free - left or 1), f"{data}/ballast")


def make_room(site: Site) -> None:
    site.daemon.host.run("rm", "-f", f"{site.daemon.host.folder}/data/ballast")


@contextmanager
def damaged(site: Site, operation: Operation) -> Iterator[None]:
    """One bit of what the engine is sent, in the middle."""
    archive = site.desk.spool.folder / site.image.digest
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    good = archive.rename(archive.with_suffix(".good"))
    archive.write_bytes(content)
    try:
        yield
    finally:
        good.rename(archive)


@contextmanager
def killed(site: Site, operation: Operation, request: tuple[str, str], moment: Moment) -> Iterator[None]:
    """It stays dead until a person starts it again; the worker then finds what could not be taken back."""
    at(site, request, moment, site.daemon.kill)
    try:
        yield
    finally:
        site.daemon.start()
    site.reconcile()


def at(site: Site, request: tuple[str, str], moment: Moment, act: Callable[[], None], *, severs: bool = True) -> None:
    assert site.interposer is not None
    site.connect(Engine(url=site.interposer.url))
    site.interposer.triggers.append(Trigger(*request, moment, act, severs=severs))


FAULTS = {
    "port-taken-by-a-program": Fault(
        happens=port_taken_by_a_program,
        told=(f"Port {PORT} was taken", "another program"),
        todo=("another port", "free this one"),
        raw=("address already in use",),
    ),
    "port-taken-by-a-container": Fault(
        happens=port_taken_by_a_container,
        told=(f"Port {PORT} was taken", "the container theirs"),
        todo=("another port", "free this one"),
        raw=("already",),
    ),
    "disk-full": Fault(
        happens=disk_full,
        told=("disk", "full"),
        todo=("Make room",),
        raw=("no space left on device",),
    ),
    "disk-full-once-loaded": Fault(
        happens=disk_full_once_loaded,
        told=("disk", "full"),
        todo=("Make room",),
        raw=("no space left on device",),
    ),
    "killed-during-load": Fault(
        happens=partial(killed, request=LOADED, moment=Moment.HALF),
        told=("does not answer", "asked at unix://"),
        todo=("engine run",),
    ),
    "killed-during-create": Fault(
        happens=partial(killed, request=CREATED, moment=Moment.DONE),
        told=("does not answer", "asked at unix://"),
        todo=("engine run",),
    ),
    "name-taken": Fault(
        happens=name_taken,
        told=("another container named", "not made by the wizard"),
        todo=("Rename or remove it",),
    ),
    "damaged-on-the-way": Fault(
        happens=damaged,
        told=("fanruan_license_server", "has not loaded it"),
        todo=("Deploy again",),
    ),
    "another-architecture": Fault(
        image=lambda site: site.small(IS_FOREIGN, "arm64"),
        told=("another kind of processor",),
        todo=("vendor",),
        raw=("exec format error",),
    ),
    "ends-at-once": Fault(
        image=lambda site: site.small(ENDS),
        told=("stopped by itself", f"exit status {STATUS}"),
        todo=("Read what it printed",),
        raw=(LAST_WORDS.strip(),),
    ),
    "never-answers": Fault(
        image=lambda site: site.small(IS_SILENT),
        told=("does not answer", "60 seconds"),
        todo=("Read what it printed",),
        within=60,
    ),
    "out-of-memory": Fault(
        image=lambda site: site.small(NEEDS_MEMORY),
        told=("memory", "256 MB"),
        todo=("vendor",),
    ),
}


@pytest.fixture(scope="module", params=sorted(RUNS))
def premises(request: pytest.FixtureRequest, issued: tuple[Image, Path]) -> Iterator[Premises]:
    """Reached by its socket, or through an interposer, which does not know an answer before all is sent."""
    image, _ = issued
    with hosts(1) as (host,), RUNS[request.param](host) as daemon:
        between = Interposer(host.folder / "between.sock", Path(daemon.url.removeprefix("unix://")), image.size)
        with between.running():
            yield Premises(daemon, Engine(url=daemon.url), between)


@pytest.fixture
def site(premises: Premises, issued: tuple[Image, Path], tmp_path: Path) -> Iterator[Site]:
    site = Site(premises, tmp_path, issued)
    yield site
    site.clear()


@pytest.fixture(scope="module")
def tally() -> Iterator[list[bool]]:
    """Which faults ended as they should, told in the end."""
    tally: list[bool] = []
    yield tally
    tell("faults", tally)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_said_leaves_nothing_and_the_retry_succeeds(site: Site, fault: Fault, tally: list[bool]) -> None:
    with counted(tally):
        operation = site.queue(fault.image(site))
        nothing = site.left()
        with fault.happens(site, operation):
            expect_told(fault, site.quickly)
        assert site.left() == nothing
        expect_deployed(site, operation)


@pytest.mark.parametrize("moment", [Moment.ASKED, Moment.DONE])
def test_an_engine_that_is_back_in_a_moment_is_asked_again_and_nobody_is_troubled(site: Site, moment: Moment) -> None:
    """Killed during create; the container may be made, or not. The next try finds out."""
    operation = site.queue(site.image)
    at(site, CREATED, moment, site.daemon.kill)

    def pause(seconds: float) -> None:
        if site.daemon.nsenter is None:
            site.daemon.start()
        time.sleep(min(seconds, SHORT))

    ended = site.perform(pause)
    assert ended.state is OperationState.DONE, ended.problem
    assert site.left()[0] == [f"{site.name(operation)} running"]
