"""Whether the ports that will be needed are free, and who holds them."""

import errno
import socket
import time
from collections.abc import Sequence

import psutil

Address = tuple[str, int]
LOOK = 0.2
"""Seconds between two looks."""
STEP, HIGHEST = 100, 65000
"""Other ports are looked for in steps of so many, up to here."""


def taken_port(addresses: Sequence[Address], wait: float) -> str | None:
    """What to tell when one of the addresses cannot be taken, even after so many seconds; None when all can."""
    deadline = time.monotonic() + wait
    while (refused := _first_refused(addresses)) is not None and time.monotonic() < deadline:
        time.sleep(LOOK)
    if refused is None:
        return None
    host, port, error = refused
    return f"Port {port} {_why(host, port, error)}. {_way_out(addresses)}"


def _first_refused(addresses: Sequence[Address]) -> tuple[str, int, OSError] | None:
    for host, port in addresses:
        error = _refusal(host, port)
        if error is not None:
            return host, port, error
    return None


def _refusal(host: str, port: int) -> OSError | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"is taken by {_holder(port)}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"cannot be opened: {host} is no address of this machine"
    if error.errno == errno.EACCES:
        return "belongs to the system, and is not for this user"
    return f"cannot be opened on {host}: {error.strerror}"


def _holder(port: int) -> str:
    """The process that listens there, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return "a program of another user"
    return "another program"


def _way_out(addresses: Sequence[Address]) -> str:
    """The first ports of the same pattern that are all free; `PORT` is the lowest of them."""
    lowest = min(port for _, port in addresses)
    needed = ", ".join(str(port) for port in sorted({port for _, port in addresses}))
    for shift in range(STEP, HIGHEST - lowest, STEP):
        if _first_refused([(host, port + shift) for host, port in addresses]) is None:
            return f"It needs {needed}. Choose others: PORT={lowest + shift} make run"
    return f"It needs {needed}. Choose others by PORT, and the address by HOST."
