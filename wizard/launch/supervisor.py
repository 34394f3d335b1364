"""Keeps a handful of processes running until it is told to stop."""

import ctypes
import http.client
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wizard.settings import ROOT

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent has died."""
LOOK = 0.1
"""Seconds between two looks at the children."""
LAST_LINES = 15
"""Of its log, shown for a child that cannot start."""

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process to keep running, in the folder of app.py. `environment` is all of its environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    """The file to which its output goes."""
    listens: tuple[str, int] | None = None
    """The host and port that it will take."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for what, in seconds."""

    first_retry: float = 0.2
    longest_retry: float = 2
    steady: float = 10
    """A child that ran for so long had started well: its next retry is a first one."""
    starts: int = 3
    """A child that ended so often before the page answered cannot start."""
    ready: float = 60
    grace: float = 8
    """From the request to stop to the kill."""
    leftovers: float = 5
    """For what a killed launcher left behind to let go of its ports."""


class CannotStart(Exception):
    """It did not come up. The message says which child, and what that one said."""


@dataclass
class _Run:
    """A child, its present process, and when to start the next."""

    child: Child
    retry: float
    process: subprocess.Popen[bytes] | None = None
    started: float = 0
    due: float = 0
    ends: int = 0

    def start(self) -> None:
        self.child.log.parent.mkdir(parents=True, exist_ok=True)
        launcher = os.getpid()
        with self.child.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.child.command,
                cwd=ROOT,
                env=self.child.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=lambda: _die_with(launcher),  # the launcher has one thread only
            )
        self.started = time.monotonic()

    def has_ended(self) -> bool:
        """Whether the process is over. It is not waited for yet, so its number still names its group."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return self.process is not None and os.waitid(os.P_PID, self.process.pid, flags) is not None

    def signal(self, number: signal.Signals) -> None:
        """Send it to the whole group of the process."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def clear(self) -> int:
        """End what is left of the group; the exit status of the process, negative for a signal."""
        self.signal(signal.SIGKILL)
        status = self.process.wait() if self.process else 0
        self.process = None
        return status


class Supervisor:
    """Starts the children, starts again which of them ends, and stops them all."""

    def __init__(self, children: Sequence[Child], patience: Patience, tell: Tell) -> None:
        self._runs = [_Run(child, patience.first_retry) for child in children]
        self._patience = patience
        self._tell = tell
        self._stopping = threading.Event()
        self._hurry = threading.Event()

    def run(self, ready_url: str, announce: Callable[[], str]) -> int:
        """Until a signal asks to stop: 0; or 1 when the page never answers."""
        with self._signals():
            try:
                self._await_page(ready_url)
                if not self._stopping.is_set():
                    self._tell(announce())
                while not self._stopping.wait(LOOK):
                    self._tend()
            except CannotStart as failure:
                self._tell(str(failure))
                return 1
            finally:
                self._tell("Stopping.")
                self._stop()
        return 0

    def _await_page(self, url: str) -> None:
        deadline = time.monotonic() + self._patience.ready
        while not self._stopping.is_set():
            self._tend()
            for run in self._runs:
                if run.ends >= self._patience.starts:
                    raise CannotStart(f"The {run.child.name} process does not start.\n{_last_words(run.child.log)}")
            if answers(url):
                return
            if time.monotonic() > deadline:
                logs = ", ".join(str(run.child.log) for run in self._runs)
                raise CannotStart(f"{url} does not answer after {self._patience.ready:g} s. What was said: {logs}")
            self._stopping.wait(LOOK)

    def _tend(self) -> None:
        """Start what is due, and note what has ended."""
        for run in self._runs:
            if run.has_ended():
                self._note_end(run)
            if run.process is None and time.monotonic() >= run.due:
                run.start()

    def _note_end(self, run: _Run) -> None:
        ran = time.monotonic() - run.started
        status = run.clear()
        run.ends += 1
        wait = self._patience.first_retry if ran > self._patience.steady else run.retry
        run.due = time.monotonic() + wait
        run.retry = min(2 * wait, self._patience.longest_retry)
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self._tell(
            f"The {run.child.name} process {how}, and is started again in {wait:.1f} s. Its log: {run.child.log}"
        )

    def _stop(self) -> None:
        """Ask all to stop; end those that do not within the grace, or at once when asked a second time."""
        for run in self._runs:
            run.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._patience.grace
        while any(run.process and not run.has_ended() for run in self._runs) and time.monotonic() < deadline:
            if self._hurry.wait(LOOK / 2):
                break
        for run in self._runs:
            run.clear()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and the closing of the terminal ask to stop; once more, to hurry."""

        def ask(number: int, frame: object) -> None:
            if self._stopping.is_set():
                self._hurry.set()
            self._stopping.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def answers(url: str) -> bool:
    """Whether a GET of that plain http URL gives 200. No proxy is asked."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _die_with(launcher: int) -> None:
    """Run in the new process before its program: when the launcher is killed, it must not linger."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:
        os._exit(1)


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join([f"The end of its log, {log}:", *(f"  {line}" for line in lines)])
