"""The way through ssh to an engine: one for all at once, other ways to come in, and what is said when it breaks.

The engine is Podman, whose socket is elsewhere than Docker's, and belongs to root alone until somebody gives it away.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, podman_service
from tests.engines.hosts import hosts
from tests.engines.ssh import NEEDS_SSH, SshServer, knows, ssh_server
from tests.factories import a_node
from tests.instance import ROOT
from tests.waiting import until
from wizard.backends.engine.channel import Channel
from wizard.domain.engine import Engine
from wizard.errors import BackendError

pytestmark = [
    pytest.mark.engine,
    NEEDS_ENGINES,
    NEEDS_SSH,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

THREADS = 16
SOCKET = "/run/podman/podman.sock"
OTHER_PORT = 2222
USER = "nobody"
"""Known on every host, and let in by the ssh server, which looks at no shell for a tunnel."""


@pytest.fixture(scope="module")
def premises() -> Iterator[tuple[Daemon, SshServer]]:
    with hosts(1) as (host,), podman_service(host) as daemon, ssh_server(host) as server:
        daemon.also_at(SOCKET)
        yield daemon, server


@pytest.fixture
def server(premises: tuple[Daemon, SshServer]) -> SshServer:
    return premises[1]


@pytest.fixture
def daemon(premises: tuple[Daemon, SshServer]) -> Daemon:
    return premises[0]


@pytest.fixture
def channel(server: SshServer) -> Iterator[Channel]:
    channel = Channel(a_node(), at(server))
    yield channel
    channel.close()


def at(server: SshServer, user: str = "root", address: str = "") -> Engine:
    return Engine(url=f"ssh://{user}@{address or server.host.address}{SOCKET}", ssh=server.folder)


def ping(channel: Channel, seconds: float = 10) -> bool:
    with channel.open(seconds) as engine:
        return bool(engine.ping())


def outcome(channel: Channel, seconds: float = 10) -> BackendError | None:
    """What it is refused with; None when the engine answers."""
    try:
        assert ping(channel, seconds)
    except BackendError as refusal:
        return refusal
    return None


def refusal_of(engine: Engine) -> BackendError:
    channel = Channel(a_node(), engine)
    refusal = outcome(channel)
    channel.close()
    assert refusal is not None
    return refusal


def answers(engine: Engine) -> bool:
    channel = Channel(a_node(), engine)
    answers = ping(channel)
    channel.close()
    return answers


def at_once(channel: Channel) -> list[BackendError | None]:
    """What becomes of so many threads that ask at the same moment."""
    together = threading.Barrier(THREADS)

    def ask(_: int) -> BackendError | None:
        together.wait()
        return outcome(channel)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(ask, range(THREADS)))


def the_ssh() -> psutil.Process:
    """The only one of this process."""
    [ssh] = [child for child in psutil.Process().children() if child.name() == "ssh"]
    return ssh


def kill(ssh: psutil.Process) -> None:
    """And see that it is dead, before anybody has buried it."""
    ssh.kill()
    with suppress(psutil.NoSuchProcess):
        until(lambda: ssh.status() == psutil.STATUS_ZOMBIE, "ssh is dead")


def connections(ssh: psutil.Process) -> int:
    """How many work through it."""
    return sum("engine.sock" in str(it.laddr) for it in ssh.net_connections("unix")) - 1


def test_sixteen_threads_at_once_open_one_tunnel(channel: Channel, server: SshServer) -> None:
    before = server.admitted
    assert at_once(channel) == [None] * THREADS
    assert server.admitted - before == 1


def test_all_who_work_are_told_that_ssh_was_killed_and_then_share_a_new_one(
    channel: Channel, premises: tuple[Daemon, SshServer]
) -> None:
    daemon, server = premises
    assert ping(channel)
    before, ssh = server.admitted, the_ssh()
    with suspended(daemon), ThreadPoolExecutor(THREADS) as threads:
        working = [threads.submit(outcome, channel, 10) for _ in range(THREADS)]
        until(lambda: connections(ssh) >= THREADS, "all wait for the engine")
        kill(ssh)
        interrupted = [it.result(timeout=5) for it in working]
    for refusal in interrupted:
        assert refusal is not None
        assert str(refusal.problem.happened) == "The ssh connection to Main application server broke off."
        assert refusal.problem.todo is not None
        assert not refusal.permanent
    assert at_once(channel) == [None] * THREADS
    assert server.admitted - before == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_load_that_was_cut_in_the_middle_is_said_to_be_and_the_next_work_goes_on(
    channel: Channel, how: signal.Signals
) -> None:
    def pieces() -> Iterator[bytes]:
        yield bytes(1 << 16)
        the_ssh().send_signal(how)
        while True:
            yield bytes(1 << 16)

    with pytest.raises(BackendError) as refusal, channel.open(30) as engine:
        list(engine.load_image(pieces()))
    assert "broke off" in str(refusal.value.problem.happened)
    assert "may be done, or not" in str(refusal.value.problem.why)
    assert ping(channel)


def test_a_tunnel_that_is_dead_is_never_offered(channel: Channel) -> None:
    """Nobody has to see to the dead ssh first."""
    for _ in range(4):
        assert ping(channel)
        kill(the_ssh())
    assert ping(channel)


def test_a_user_who_may_not_use_the_socket_is_said_not_to_reach_it(daemon: Daemon, server: SshServer) -> None:
    refusal = refusal_of(at(server, USER))
    assert "the user does not reach the engine's socket" in str(refusal.problem.happened)
    assert "the user may use it" in str(refusal.problem.todo)
    assert f"connect to {SOCKET} port -2 failed: Permission denied" in server.log.read_text(), "where it says to look"
    daemon.host.run("chown", USER, SOCKET)
    assert answers(at(server, USER))


def test_a_user_whom_the_node_does_not_know_is_not_let_in(server: SshServer) -> None:
    refusal = refusal_of(at(server, "nobody-here"))
    assert "does not let the user in" in str(refusal.problem.happened)
    assert "correct the user" in str(refusal.problem.todo)


def test_an_engine_is_reached_over_ipv6_at_any_port(server: SshServer) -> None:
    address = server.host.over_ipv6()
    server.kill()
    server.start(f"ListenAddress={address}", f"ListenAddress=[{address}]:{OTHER_PORT}")
    key = server.host.folder / "host.pub"
    knows(server, key, address)
    assert answers(at(server, address=f"[{address}]"))
    knows(server, key, f"[{address}]:{OTHER_PORT}")
    assert answers(at(server, address=f"[{address}]:{OTHER_PORT}"))
    knows(server, key, f"[{address}]")
    refusal = refusal_of(at(server, address=f"[{address}]"))
    assert "does not name it" in str(refusal.problem.happened)
    assert "after the bare address" in str(refusal.problem.todo)
    lines = refusal.problem.raw.splitlines()
    assert len(lines) == len(set(lines)), "nothing is said twice"
    knows(server, key)


def test_what_a_node_greets_with_is_not_taken_for_the_trouble(
    premises: tuple[Daemon, SshServer], channel: Channel, tmp_path: Path
) -> None:
    daemon, server = premises
    banner = tmp_path / "banner"
    banner.write_text("Permission denied to all but staff: an open failed attempt is reported.\n")
    server.kill()
    server.start(f"Banner={banner}")
    with suspended(daemon):
        refusal = outcome(channel, seconds=1)
    assert refusal is not None
    assert "does not answer" in str(refusal.problem.happened)
    assert ping(channel)


@contextmanager
def suspended(daemon: Daemon) -> Iterator[None]:
    """It takes connections, and answers nothing meanwhile."""
    daemon.suspend()
    try:
        yield
    finally:
        daemon.resume()


SAYS_WHY = """
import sys
from pathlib import Path
from tests.factories import a_node
from wizard.backends.engine.channel import Channel
from wizard.domain.engine import Engine
from wizard.errors import BackendError
try:
    with Channel(a_node(), Engine(url=sys.argv[1], ssh=Path(sys.argv[2]))).open():
        print("open")
except BackendError as refusal:
    print(refusal.problem.happened, refusal.problem.todo)
"""


def test_a_folder_in_which_no_socket_can_be_made_is_said_to_be(server: SshServer, tmp_path: Path) -> None:
    """The name of a socket has 107 bytes at most (unix(7))."""
    too_long = tmp_path / ("x" * 100)
    too_long.mkdir()
    engine = at(server)
    words = [sys.executable, "-c", SAYS_WHY, engine.url, str(engine.ssh)]
    environment = os.environ | {"TMPDIR": str(too_long)}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "no socket can be made" in done.stdout
    assert "TMPDIR" in done.stdout
