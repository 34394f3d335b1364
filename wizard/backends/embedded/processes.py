"""Begins, finds and ends the processes that stand for containers."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

import wizard
from wizard.processes import ProcessName, name_of

PROJECT = Path(wizard.__file__).parent.parent
ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": os.defpath, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
"""All that a server inherits: none of the worker's secrets."""
SERVER = (sys.executable, "-m", "wizard.licensing.server")

_children: dict[int, subprocess.Popen[bytes]] = {}
"""What this process has begun: a parent has to bury its dead, and is the only one to learn their exit code."""


def begin(command: Sequence[str], folder: Path, log: Path) -> ProcessName:
    """Start it in a session of its own, so that it outlives this process. OSError when it cannot be started."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return name_of(child.pid)


def find(command: Sequence[str], name: ProcessName | None) -> psutil.Process | None:
    """The living process that was begun with this command, by its name.

    Without a name, whoever began it was killed before writing it down: then it is looked for among all. The command
    holds the container's own folder, so it is unlike every other.
    """
    found = name.process() if name else None
    if found is not None and _was_begun_with(found, command):
        return found
    _bury_the_dead()
    return next((process for process in psutil.process_iter() if _was_begun_with(process, command)), None)


def end(process: psutil.Process, grace: float) -> int | None:
    """Ask it to end, and after so many seconds make it. Returns its exit code, where that can be known."""
    with suppress(psutil.NoSuchProcess):
        process.terminate()
    if not _ends_within(process, grace):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads its session: its children go with it
        _ends_within(process, grace)
    return exit_code(process.pid)


def _ends_within(process: psutil.Process, seconds: float) -> bool:
    waits = _children.get(process.pid, process)  # only the parent's own way of waiting keeps the exit code
    try:
        waits.wait(seconds)
    except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
        return False
    return True


def exit_code(pid: int) -> int | None:
    """How a child of this process ended; None when it has not, or is no child of it. Negative for a signal."""
    child = _children.get(pid)
    return child.poll() if child else None


def _bury_the_dead() -> None:
    for child in list(_children.values()):
        child.poll()


def _was_begun_with(process: psutil.Process, command: Sequence[str]) -> bool:
    try:
        return process.cmdline() == list(command) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
