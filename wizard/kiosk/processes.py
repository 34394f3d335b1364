"""A world as processes of this machine: begun, asked whether it is ready, and removed with all that it has left."""

import ctypes
import http.client
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SECRET_HEADER = "X-Kiosk-World"  # noqa: S105  # the name of a header
HOST = "127.0.0.1"
GRACE = 8.0
"""Seconds to end in good order; the licence server of a world is stopped in that time."""
LAST_WORDS = 4000
"""Bytes of the log of a world that ended by itself."""
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent has died."""


@dataclass
class World:
    """One visitor's own folder, and the process that holds their wizard, vendor and project."""

    slot: int
    port: int
    folder: Path
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "world.log"

    def begin(self, command: Sequence[str], cwd: Path, told: Mapping[str, str]) -> None:
        """Start its process, in a session of its own. It inherits nothing of ours but where programs are."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",
            "WIZARD_DATA": str(self.folder),
            "PORT": str(self.port),
            "WIZARD_DEMONSTRATION": "1",
            "KIOSK_SECRET": self.secret,
            **told,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def is_ready(self) -> bool:
        """Whether it answers."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", "/healthz", headers={SECRET_HEADER: self.secret})
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def last_words(self) -> str:
        with suppress(OSError):
            return self.log.read_bytes()[-LAST_WORDS:].decode(errors="replace")
        return ""

    def remove(self) -> None:
        """End it, and whatever else runs for its folder; then the folder goes."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        clear(self.folder)


def clear(folder: Path) -> None:
    """End every process that was begun for that folder, and remove it."""
    for process in _of(folder):
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(_of(folder), GRACE)
    shutil.rmtree(folder, ignore_errors=True)


def clear_all(worlds: Path) -> None:
    """The same for all worlds in a folder: what a kiosk that was killed has left."""
    for folder in sorted(worlds.glob("*")):
        clear(folder)


def _of(folder: Path) -> Iterator[psutil.Process]:
    """A licence server has the folder on its command line; a world has it in its environment."""
    marks = (f"{folder}/", f"WIZARD_DATA={folder}")
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = [*process.cmdline(), *(f"{name}={value}" for name, value in process.environ().items())]
            if process.pid != os.getpid() and any(word.startswith(marks) for word in words):
                yield process


def die_with_parent() -> None:
    """Have this process asked to end when the thread that started it is gone, so that no world outlives its kiosk."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        sys.exit("The kiosk is gone.")
