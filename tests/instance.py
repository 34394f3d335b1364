"""A whole installation of one's own, as `make run` starts it: real processes, real ports, a folder of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

ROOT = Path(__file__).resolve().parent.parent
SECONDS_TO_START = 60
FLASK = [sys.executable, "-m", "flask", "--app", "app"]


@dataclass(frozen=True)
class Instance:
    """A running installation. `link` lets one person in once."""

    url: str
    link: str
    data: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]

    def command(self, *words: str) -> str:
        """What `flask --app app …` prints for it."""
        run = subprocess.run(
            [*FLASK, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True, timeout=60
        )
        return run.stdout

    def processes(self, word: str) -> list[psutil.Process]:
        """The launcher's children, and theirs, that have the word on their command line."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                found += [child] if word in child.cmdline() else []
        return found


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nothing holds."""
    for first in range(20000 + os.getpid() % 20000, 64000, count):
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise RuntimeError("no ports are free")


@contextmanager
def running(**settings: str) -> Iterator[Instance]:
    """Start one, and stop all of it afterwards."""
    with TemporaryDirectory(prefix="wizard-") as folder:
        instance = start(Path(folder), **settings)
        try:
            yield instance
        finally:
            stop(instance)


def start(data: Path, **settings: str) -> Instance:
    settings = {"WIZARD_DATA": str(data), "PORT": str(free_ports(3))} | settings
    environment = os.environ | settings
    process = subprocess.Popen([*FLASK, "up"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    printed = ""
    end = time.monotonic() + SECONDS_TO_START
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        if link := re.search(r"(http://\S+)/sign-in/\S+", printed):
            return Instance(link[1], link[0], data, environment, process)
        if time.monotonic() > end:
            break
    process.kill()
    raise RuntimeError(f"it did not start: {printed}")


def stop(instance: Instance) -> None:
    """As Ctrl-C does."""
    instance.process.send_signal(signal.SIGINT)
    instance.process.wait(timeout=30)
    if instance.process.stdout:
        instance.process.stdout.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
