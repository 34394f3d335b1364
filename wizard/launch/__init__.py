"""The launcher behind `flask --app app up`: starts the processes, keeps them running, and stops them together."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from wizard.launch.lock import AlreadyRunning, alone
from wizard.launch.ports import taken_port
from wizard.launch.supervisor import Child, Patience, Supervisor, Tell

__all__ = ["Child", "Patience", "gunicorn_command", "up"]


def up(
    children: Sequence[Child],
    *,
    lock: Path,
    ready_url: str,
    announce: Callable[[], str],
    afterwards: Callable[[], None] = lambda: None,
    patience: Patience | None = None,
    tell: Tell | None = None,
) -> int:
    """Run the children until Ctrl-C or SIGTERM, and return the exit status.

    `announce` is called once `ready_url` answers 200; what it returns is told. `afterwards` is called when all children
    have stopped. The file `lock` is held meanwhile: where
    another launcher holds it, that is told, and the status is 0, as what was asked for is there. It is 1 when a port is
    taken or a child cannot start; each is told in words.
    """
    patience, tell = patience or Patience(), tell or partial(print, flush=True)
    try:
        with alone(lock, ready_url) as was_killed:
            addresses = [child.listens for child in children if child.listens]
            taken = taken_port(addresses, patience.leftovers if was_killed else 0)
            if taken is not None:
                tell(taken)
                return 1
            status = Supervisor(children, patience, tell).run(ready_url, announce)
            afterwards()
            return status
    except AlreadyRunning as other:
        tell(f"It is already running at {other.url} (process {other.pid}).")
        return 0


def gunicorn_command(app: str, host: str, port: int) -> list[str]:
    """The command of a web process; `app` as gunicorn names it, such as `wsgi:app`."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [sys.executable, "-m", "gunicorn", "--config", "python:wizard.serving", "--bind", address, app]
