"""Whole deployments to engines that cannot be reached as they should be: a wrong certificate, a cable that was pulled
out, an engine that hangs. It is said, nothing of ours is left, and once it is mended the same registration is deployed.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.certificates import Authority, Pair
from tests.engines.daemons import TLS_PORT, Daemon, docker_daemon
from tests.engines.deploying import Premises, Site, Told, counted, expect_deployed, expect_told, tell
from tests.engines.hosts import hosts
from tests.engines.swarm import CLIENT_FILES
from wizard.domain.engine import Engine
from wizard.domain.image import Image

pytestmark = [
    pytest.mark.engine,
    pytest.mark.long,
    NEEDS_ENGINES,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

SILENT = Told(told=("does not answer", "asked at tcp://"), todo=("node and its engine run",), within=100)


@dataclass(frozen=True)
class Secured:
    """An engine that is reached by mutual TLS. The files are in the folder of the authority of both sides."""

    premises: Premises
    authority: Authority
    folder: Path

    @property
    def of_client(self) -> Sequence[Path]:
        return [self.folder / name for name in CLIENT_FILES]

    @property
    def of_engine(self) -> Sequence[Path]:
        host = self.premises.daemon.host
        return [self.folder / f"{host.name}.{suffix}" for suffix in ("pem", "key")]

    @property
    def another(self) -> Authority:
        """One that neither side knows."""
        return Authority(self.folder / "another", "another")

    def restart(self) -> None:
        """An engine reads its certificate when it starts."""
        self.premises.daemon.stop()
        self.premises.daemon.start()


@contextmanager
def put_back(files: Sequence[Path]) -> Iterator[None]:
    """In the end they are as they were."""
    contents = [file.read_bytes() for file in files]
    try:
        yield
    finally:
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)


@contextmanager
def clients_certificate_of_another(secured: Secured) -> Iterator[None]:
    with put_back(secured.of_client):
        replace_by(secured.of_client, secured.another.client("stranger"))
        yield


@contextmanager
def engines_certificate_of_another(secured: Secured) -> Iterator[None]:
    host = secured.premises.daemon.host
    with put_back(secured.of_engine):
        replace_by(secured.of_engine, secured.another.server("stranger", host.address))
        secured.restart()
        yield
    secured.restart()


@contextmanager
def engines_certificate_expired(secured: Secured) -> Iterator[None]:
    host = secured.premises.daemon.host
    with put_back(secured.of_engine):
        secured.authority.server(host.name, host.address, -timedelta(hours=1))
        secured.restart()
        yield
    secured.restart()


def replace_by(files: Sequence[Path], pair: Pair) -> None:
    for file, new in zip(files, (pair.certificate, pair.key), strict=True):
        file.write_bytes(new.read_bytes())


@dataclass(frozen=True, kw_only=True)
class Fault(Told):
    """What is wrong with which certificate, and what is told."""

    happens: Callable[[Secured], AbstractContextManager[None]]


FAULTS = {
    "clients-of-another": Fault(
        happens=clients_certificate_of_another,
        told=("does not accept the certificate", "cert.pem"),
        todo=("engine's own authority has signed",),
        raw=("bad certificate",),
    ),
    "engines-of-another": Fault(
        happens=engines_certificate_of_another,
        told=("does not vouch for", "ca.pem"),
        todo=("Make sure that it is the engine",),
        raw=("certificate verify failed",),
    ),
    "engines-expired": Fault(
        happens=engines_certificate_expired,
        told=("expired",),
        todo=("Renew it",),
        raw=("certificate has expired",),
    ),
}


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with hosts(1) as (host,):
        folder = host.folder / "tls"
        authority = Authority(folder)
        with docker_daemon(host, authority=authority) as daemon:
            yield Secured(over_tls(daemon, authority, folder), authority, folder)


@pytest.fixture(scope="module")
def silent() -> Iterator[Premises]:
    """One more of the kind."""
    with hosts(1) as (host,):
        folder = host.folder / "tls"
        authority = Authority(folder)
        with docker_daemon(host, authority=authority) as daemon:
            yield over_tls(daemon, authority, folder)


def over_tls(daemon: Daemon, authority: Authority, folder: Path) -> Premises:
    """With the files of a client, as Docker's own client names them."""
    replace_by([folder / name for name in CLIENT_FILES], authority.client("wizard"))
    return Premises(daemon, Engine(url=f"tcp://{daemon.host.address}:{TLS_PORT}", tls=folder))


@pytest.fixture(scope="module")
def tally() -> Iterator[list[bool]]:
    """Which faults ended as they should, told in the end."""
    tally: list[bool] = []
    yield tally
    tell("way_faults", tally)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_wrong_certificate_is_said_and_the_retry_with_the_right_one_succeeds(
    secured: Secured, fault: Fault, issued: tuple[Image, Path], tmp_path: Path, tally: list[bool]
) -> None:
    with counted(tally):
        site = Site(secured.premises, tmp_path, issued)
        operation = site.queue(site.image)
        with fault.happens(secured):
            expect_told(fault, site.quickly)
            assert site.left() == ([], [])
        expect_deployed(site, operation)
        site.clear()


def test_nodes_that_fall_silent_are_said_within_their_time_and_found_again(
    secured: Secured, silent: Premises, issued: tuple[Image, Path], tmp_path: Path, tally: list[bool]
) -> None:
    """The cable of one is pulled out while it is sent the image; the engine of the other hangs then, so that its
    connection stays, half-open. Both at once, for each takes its time.
    """
    sites = []
    for premises, name in ((secured.premises, "cut"), (silent, "hangs")):
        (tmp_path / name).mkdir()
        sites.append(Site(premises, tmp_path / name, issued))
    cut, hangs = sites
    cut.backend.when_half_sent, hangs.backend.when_half_sent = cut.daemon.host.cut, hangs.daemon.suspend
    before = [site.queue(site.image) for site in sites]
    with ThreadPoolExecutor() as threads:
        told = [threads.submit(expect_told, SILENT, site.quickly) for site in sites]
    cut.daemon.host.mend()
    hangs.daemon.resume()
    for site, operation, result in zip(sites, before, told, strict=True):
        with counted(tally):
            result.result()
            site.reconcile()
            assert site.left() == ([], [])
            expect_deployed(site, operation)
