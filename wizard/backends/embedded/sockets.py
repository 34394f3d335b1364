"""Which ports of this machine are free, and who holds the others."""

import errno
import ipaddress
import socket
from collections.abc import Container
from dataclasses import dataclass

import psutil

TRIED = 100
"""So many ports above the one asked for are looked at for a free one."""
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Listener:
    """A process that listens on a port. `name` is its program's."""

    pid: int
    name: str


def problem(address: str, port: int) -> str:
    """Nothing when the port can really be taken, by taking it; else the system's own words."""
    try:
        with socket.socket(family(address), socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that lingers holds no port
            probe.bind((address, port))
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def is_free(address: str, port: int) -> bool:
    return not problem(address, port)


def is_of_this_machine(address: str) -> bool:
    """Whether a server can listen on the address here."""
    try:
        with socket.socket(family(address), socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return False
        raise
    return True


def next_free(address: str, port: int, besides: Container[int]) -> int | None:
    """The first free port above, `besides` not counted; None when there is none near."""
    candidates = range(port + 1, min(port + TRIED, HIGHEST_PORT) + 1)
    return next((number for number in candidates if number not in besides and is_free(address, number)), None)


def listener(address: str, port: int) -> Listener | None:
    """Who listens there, as far as this user may know."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    everywhere = (address, "0.0.0.0", "::", f"::ffff:{address}")  # noqa: S104 - who listens on all has this one too
    pids = (
        connection.pid
        for connection in connections
        if connection.status == psutil.CONN_LISTEN and connection.laddr
        if connection.laddr.port == port and connection.laddr.ip in everywhere
    )
    pid = next((pid for pid in pids if pid is not None), None)
    return Listener(pid, _program(pid)) if pid is not None else None


def listens(process: psutil.Process, port: int) -> bool:
    """Whether the process, or a child of it, has begun to listen on the port."""
    try:
        family_of_it = [process, *process.children(recursive=True)]
        connections = [connection for member in family_of_it for connection in member.net_connections(kind="tcp")]
    except psutil.Error:
        return False
    return any(connection.status == psutil.CONN_LISTEN and connection.laddr[1] == port for connection in connections)


def family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET


def _program(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return ""
