"""One launcher for each data folder: the kernel's lock says whether one runs, the file which."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


class AlreadyRunning(Exception):
    """Another launcher holds the lock: the process `pid`, serving at `url`."""

    def __init__(self, pid: int, url: str) -> None:
        super().__init__(f"process {pid} at {url}")
        self.pid = pid
        self.url = url


@contextmanager
def alone(path: Path, ready_url: str) -> Iterator[bool]:
    """Hold the lock; yields whether the last holder was killed, and so may have left something behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _holder(path) from None
        was_killed = path.stat().st_size > 0
        _write(file.fileno(), {"pid": os.getpid(), "url": _root(ready_url)})
        try:
            yield was_killed
        finally:
            os.ftruncate(file.fileno(), 0)


def _holder(path: Path) -> AlreadyRunning:
    try:
        record = json.loads(path.read_text())
        return AlreadyRunning(int(record["pid"]), str(record["url"]))
    except (ValueError, KeyError, TypeError):  # it has only just taken the lock, or just let go
        return AlreadyRunning(0, "an address not yet known")


def _write(handle: int, record: object) -> None:
    os.ftruncate(handle, 0)
    os.write(handle, json.dumps(record).encode())
    os.fsync(handle)


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
