"""The launcher, with small processes that stand in for the real ones."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import psutil
import pytest

from wizard.launch import gunicorn_command
from wizard.launch.supervisor import answers
from wizard.settings import ROOT

LIMIT = 20
"""Seconds after which a test gives up waiting."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def get(url: str) -> str:
    with build_opener(ProxyHandler({})).open(url, timeout=LIMIT) as response:
        return str(response.read().decode())


class Launched:
    """A running launcher of stand-ins."""

    def __init__(self, folder: Path, port: int, *kinds: str) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.output = folder / f"output-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "tests.stand_in", "launcher", str(folder), str(port), *kinds]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, start_new_session=True)

    @property
    def said(self) -> str:
        return self.output.read_text()

    def ready(self) -> "Launched":
        until(lambda: "Open " in self.said)
        return self

    def ended(self) -> int:
        return self.process.wait(LIMIT)

    def pid_of(self, kind: str) -> int:
        """The process of that kind; the web process says its own number."""
        if kind == "web":
            return int(get(self.url))
        path = self.folder / f"{kind}.pid"
        until(lambda: path.exists() and path.read_text() != "")
        return int(path.read_text())


Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts launchers of stand-ins; whatever they left is ended after the test."""
    launched: list[Launched] = []

    def start(*kinds: str, port: int | None = None) -> Launched:
        launched.append(Launched(tmp_path, port or free_port(), *kinds))
        return launched[-1]

    yield start
    for launcher in launched:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(launcher.process.pid).children(recursive=True):
                child.kill()
        launcher.process.kill()
        launcher.process.wait()


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_announces_the_address_once_the_page_answers(launch: Launch) -> None:
    launcher = launch("web", "idle").ready()
    assert launcher.said == f"Open {launcher.url}/healthz\n"
    assert answers(launcher.url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_stop_stops_all_of_it(launch: Launch, number: signal.Signals) -> None:
    launcher = launch("web", "idle").ready()
    pids = [launcher.pid_of("web"), launcher.pid_of("idle")]
    launcher.process.send_signal(number)
    assert launcher.ended() == 0
    assert all(is_gone(pid) for pid in pids)


def test_who_does_not_stop_when_asked_is_ended(launch: Launch) -> None:
    launcher = launch("web", "stubborn").ready()
    pid = launcher.pid_of("stubborn")
    launcher.process.terminate()
    assert launcher.ended() == 0
    assert is_gone(pid)


@pytest.mark.parametrize("kind", ["web", "idle"])
def test_a_killed_process_is_started_again_and_that_is_told_in_one_line(launch: Launch, kind: str) -> None:
    launcher = launch("web", "idle").ready()
    pid = launcher.pid_of(kind)
    (launcher.folder / "idle.pid").unlink(missing_ok=True)
    os.kill(pid, signal.SIGKILL)
    until(lambda: is_gone(pid) and answers(launcher.url))
    if kind == "idle":
        assert launcher.pid_of("idle") != pid
    log = launcher.folder / "log" / f"{kind}.log"
    assert launcher.said.splitlines()[1:] == [
        f"The {kind} process was ended by SIGKILL, and is started again in 0.1 s. Its log: {log}"
    ]


def test_started_twice_it_says_where_it_is_already_running(launch: Launch) -> None:
    first = launch("web").ready()
    second = launch("web", port=first.port)
    assert second.ended() == 0
    assert second.said == f"It is already running at {first.url} (process {first.process.pid}).\n"
    assert answers(first.url)


def test_a_port_that_is_taken_is_told_with_its_holder_and_a_way_out(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        launcher = launch("web", port=holder.getsockname()[1])
        assert launcher.ended() == 1
        said = launcher.said
    assert f"Port {launcher.port} is taken by " in said
    assert f"(process {os.getpid()})" in said
    assert re.search(r"Choose others: PORT=\d+ make run$", said)


def test_a_process_that_cannot_start_is_told_with_its_last_words(launch: Launch) -> None:
    launcher = launch("broken")
    assert launcher.ended() == 1
    assert "The broken process does not start." in launcher.said
    assert "  the database is of a later version" in launcher.said


def test_when_the_launcher_is_killed_its_processes_do_not_linger(launch: Launch) -> None:
    launcher = launch("web", "stubborn").ready()
    pids = [launcher.pid_of("web"), launcher.pid_of("stubborn")]
    launcher.process.kill()
    until(lambda: all(is_gone(pid) for pid in pids))


def test_after_the_launcher_was_killed_it_starts_anew(launch: Launch) -> None:
    first = launch("web", "idle").ready()
    first.process.kill()
    second = launch("web", "idle", port=first.port).ready()
    assert answers(second.url)


def test_the_web_server_does_not_tell_what_it_is(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "plain.py").write_text("def app(environ, start):\n    start('200 OK', [])\n    return [b'well']\n")
    command = gunicorn_command("plain:app", "127.0.0.1", port)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/"))
            with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/", timeout=LIMIT) as response:
                assert response.headers["Server"] == "wizard"
        finally:
            process.terminate()
