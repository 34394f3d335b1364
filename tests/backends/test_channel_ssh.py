"""An engine behind ssh: a tunnel that is private, that comes back, and that ends with whoever opened it."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon
from tests.engines.hosts import hosts
from tests.engines.ssh import NEEDS_SSH, SshServer, knows, let_in, make_key, ssh_server
from tests.factories import a_node
from tests.fakes import FakeClock
from tests.figures import tell
from tests.instance import ROOT
from tests.waiting import until
from wizard.backends.docker import DockerBackend
from wizard.backends.engine.channel import Channel
from wizard.backends.engine.tunnel import FOLDERS
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.errors import BackendError

pytestmark = [
    pytest.mark.engine,
    NEEDS_ENGINES,
    NEEDS_SSH,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

PORT = 18081


@pytest.fixture(scope="module")
def premises() -> Iterator[tuple[Daemon, SshServer]]:
    with hosts(1) as (host,), docker_daemon(host) as daemon, ssh_server(host) as server:
        yield daemon, server


@pytest.fixture
def channel(premises: tuple[Daemon, SshServer]) -> Iterator[Channel]:
    channel = Channel(a_node(), behind(*premises))
    yield channel
    channel.close()


def behind(daemon: Daemon, server: SshServer) -> Engine:
    return Engine(url=f"ssh://root@{server.host.address}{daemon.url.removeprefix('unix://')}", ssh=server.folder)


def ping(channel: Channel, seconds: float = 3) -> bool:
    with channel.open(seconds) as engine:
        return bool(engine.ping())


def refusal_of(channel: Channel) -> BackendError:
    with pytest.raises(BackendError) as refusal:
        ping(channel)
    return refusal.value


def pings(channel: Channel) -> bool:
    try:
        return ping(channel)
    except BackendError:
        return False


def folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"))


def tunnels() -> set[int]:
    """The ssh of this process."""
    return {child.pid for child in psutil.Process().children() if child.name() == "ssh"}


def quietly(done: int, total: int) -> None:
    """A progress that nobody watches."""


def test_a_container_is_loaded_run_and_looked_at_through_ssh(
    premises: tuple[Daemon, SshServer], issued: tuple[Image, Path]
) -> None:
    image, archive = issued
    node = a_node(address=premises[0].host.address)
    seconds = {}
    for name, engine in (("ssh", behind(*premises)), ("socket", Engine(url=premises[0].url))):
        backend = DockerBackend(engines={node.slug: engine}, clock=FakeClock(), grace=2)
        began = time.monotonic()
        assert backend.health(node).well
        opened = time.monotonic()
        backend.load(node, image, archive, quietly)
        seconds[name] = (opened - began, time.monotonic() - opened)
        backend.start(node, image, PORT, "one")
        instance = backend.inspect(node, "one")
        assert instance is not None
        assert instance.running
        until(partial(backend.read_config, node, "one", "tls.pin"), "a file of its volume can be read")
        backend.remove(node, "one")
        backend.unload(node, image)
    tell("ssh.open_seconds", seconds["ssh"][0], "<=", 2, digits=2)
    tell("ssh.load_ratio", seconds["ssh"][1] / seconds["socket"][1], "<=", 4, digits=2)


def test_the_socket_of_a_tunnel_is_for_its_user_alone(channel: Channel) -> None:
    before = folders()
    assert ping(channel)
    [folder] = folders() - before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "engine.sock").stat().st_mode) == 0o600
    channel.close()
    assert folders() == before


def test_a_tunnel_outlives_the_thread_that_opened_it(channel: Channel) -> None:
    """The kernel takes the thread that has started a process for its parent."""
    before = tunnels()
    opening = threading.Thread(target=ping, args=(channel,))
    opening.start()
    opening.join()
    opened = tunnels() - before
    assert ping(channel)
    assert tunnels() - before == opened != set()


def test_another_host_key_is_not_spoken_to(channel: Channel, premises: tuple[Daemon, SshServer]) -> None:
    server = premises[1]
    knows(server, server.folder / "key.pub")
    refusal = refusal_of(channel)
    assert "host key" in str(refusal.problem.happened)
    assert "Host key verification failed." in refusal.problem.raw
    knows(server, server.host.folder / "host.pub")
    assert ping(channel)


def test_a_key_that_is_not_let_in_is_said_to_be(
    channel: Channel, premises: tuple[Daemon, SshServer], tmp_path: Path
) -> None:
    server = premises[1]
    make_key(tmp_path / "another")
    let_in(server, tmp_path / "another.pub")
    refusal = refusal_of(channel)
    assert "does not let the user in" in str(refusal.problem.happened)
    assert "Permission denied (publickey" in refusal.problem.raw
    let_in(server, server.folder / "key.pub")
    assert ping(channel)


@pytest.mark.parametrize(
    ("options", "words"), [("restrict,port-forwarding", ""), ("restrict", "does not reach the engine's socket")]
)
def test_a_key_needs_leave_to_forward_and_no_other(
    channel: Channel, premises: tuple[Daemon, SshServer], options: str, words: str
) -> None:
    server = premises[1]
    let_in(server, server.folder / "key.pub", options)
    assert ping(channel) if not words else words in str(refusal_of(channel).problem.happened)
    let_in(server, server.folder / "key.pub")


def test_a_key_that_others_can_read_is_said_to_be(channel: Channel, premises: tuple[Daemon, SshServer]) -> None:
    key = premises[1].folder / "key"
    key.chmod(0o644)
    assert "The key in the folder ssh" in str(refusal_of(channel).problem.happened)
    key.chmod(0o600)
    assert ping(channel)


def test_a_socket_that_is_not_there_is_said_to_be(premises: tuple[Daemon, SshServer]) -> None:
    server = premises[1]
    channel = Channel(a_node(), Engine(url=f"ssh://root@{server.host.address}/run/nothing.sock", ssh=server.folder))
    refusal = refusal_of(channel)
    assert "the user does not reach the engine's socket" in str(refusal.problem.happened)
    assert "open failed" in refusal.problem.raw
    channel.close()


def test_a_node_that_is_cut_off_is_said_to_be_and_found_again(
    channel: Channel, premises: tuple[Daemon, SshServer]
) -> None:
    assert ping(channel)
    premises[1].host.cut()
    began = time.monotonic()
    assert not refusal_of(channel).permanent
    assert time.monotonic() - began < 8
    premises[1].host.mend()
    until(lambda: pings(channel), "the tunnel is there again")


def test_nobody_waits_long_for_a_node_that_is_off(channel: Channel, premises: tuple[Daemon, SshServer]) -> None:
    premises[1].host.cut()
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: pings(channel), range(8)))
    assert time.monotonic() - began < 12
    premises[1].host.mend()
    until(lambda: pings(channel), "the tunnel is there")


def test_an_ssh_server_that_is_killed_and_started_again_is_found_again(
    channel: Channel, premises: tuple[Daemon, SshServer]
) -> None:
    server = premises[1]
    before = tunnels()
    assert ping(channel)
    opened = tunnels() - before
    server.kill()
    until(lambda: not opened & tunnels(), "ssh has noticed")
    refusal = refusal_of(channel)
    assert not refusal.permanent
    assert "Connection refused" in refusal.problem.raw
    server.start()
    assert ping(channel)


def test_an_engine_that_is_killed_and_started_again_is_found_through_the_same_tunnel(
    channel: Channel, premises: tuple[Daemon, SshServer]
) -> None:
    daemon, _ = premises
    assert ping(channel)
    before = tunnels()
    daemon.kill()
    assert not pings(channel)
    daemon.start()
    assert ping(channel)
    assert tunnels() == before


HOLD = """
import sys
from pathlib import Path
from tests.factories import a_node
from wizard.backends.engine.channel import Channel
from wizard.domain.engine import Engine
channel = Channel(a_node(), Engine(url=sys.argv[1], ssh=Path(sys.argv[2])))
with channel.open() as engine:
    engine.ping()
print("open", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, None], ids=["killed", "ended"])
def test_ssh_ends_with_the_process_that_opened_it(
    premises: tuple[Daemon, SshServer], channel: Channel, how: signal.Signals | None
) -> None:
    before = folders()
    engine = behind(*premises)
    words = [sys.executable, "-c", HOLD, engine.url, str(engine.ssh)]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        [ssh] = psutil.Process(process.pid).children()
        assert ssh.name() == "ssh"
        if how is not None:
            os.kill(process.pid, how)
    ssh.wait(timeout=5)
    assert ping(channel)
    channel.close()
    assert folders() == before, "the folder of the one that was killed is removed by the next"
