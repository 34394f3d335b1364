"""Hosts for the tests: each has a network, mounts and processes of its own, and ends with whoever made it.

A host is a process (tini) in new namespaces; what runs on it is started with `nsenter`. The hosts hang on a switch: a
bridge in one more network namespace, which this machine hangs on by one interface. So no rule, route, bridge or mount
of this machine is touched; and when the first process of a host is killed, by the kernel when the tests are, all of it
is gone. Needs root, and Debian's packages iproute2, util-linux and tini.
"""

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.waiting import until

_numbers = itertools.count()
"""Of the switches of this process: each has addresses of its own."""
CGROUPS = Path("/sys/fs/cgroup")
_SWITCH = "ip link add switch type bridge && ip link set switch up && echo ready && exec sleep infinity"
_HOST = """
ip link set lo up
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/tmp
echo ready
exec tini -g -- sleep infinity
"""
_KINDS = ("--net", "--uts", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child")


class HostError(Exception):
    """A command for a host failed; its own words."""


@dataclass(frozen=True)
class Host:
    """`address` is reached by this machine and by the other hosts. The pids are of first processes, as seen here.

    `folder` is of this machine's disk, seen from both; its name is short, for the name of a socket has 107 bytes.
    """

    name: str
    address: str
    folder: Path
    pid: int
    switch: int

    @property
    def cgroup(self) -> str:
        """Below it the engine of this host keeps its containers'."""
        return f"/tests-{self.pid}"

    def run(self, *words: str) -> str:
        """What a command prints there."""
        return _run(*self._inside(), *words)

    def spawn(
        self, words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program there. What is returned is the nsenter that waits for it: see `program`."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [*self._inside(), *words], stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment
            )

    @contextmanager
    def listening(self, port: int) -> Iterator[None]:
        """Have a program listen on that port there meanwhile."""
        words = (*self._inside(), sys.executable, "-m", "http.server", "--bind", self.address, str(port))
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                until(lambda: _answers(self.address, port), f"somebody listens on port {port}")
                yield
            finally:
                for child in psutil.Process(process.pid).children():
                    child.kill()
                process.kill()

    def cut(self) -> None:
        """Pull its cable out: nobody is told, and nothing arrives any more."""
        _run(*_in_network(self.switch), "ip", "link", "set", self.name, "down")

    def mend(self) -> None:
        """Put the cable back."""
        _run(*_in_network(self.switch), "ip", "link", "set", self.name, "up")

    def switch_off(self) -> None:
        """As a power cut does: its processes end at once, and its network and mounts are gone."""
        psutil.Process(self.pid).kill()

    def over_ipv6(self) -> str:
        """Another address, at which this machine reaches it, too."""
        network, number = self.address.rsplit(".", 1)
        prefix = f"fd00:{network.replace('.', ':')}:"
        for run, cable, last in ((_run, _at(f"{network}.1"), "1"), (self.run, "eth0", number)):
            run("ip", "address", "add", f"{prefix}:{last}/64", "dev", cable, "nodad")
        return f"{prefix}:{number}"

    def _inside(self) -> tuple[str, ...]:
        return ("nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--uts", "--")


def program(nsenter: subprocess.Popen[bytes]) -> psutil.Process:
    """The program itself, to be watched and killed from this machine."""
    return _child(nsenter.pid)


@contextmanager
def hosts(count: int = 1) -> Iterator[tuple[Host, ...]]:
    """So many hosts that reach each other and this machine."""
    number = next(_numbers)
    subnet = f"10.201.{(os.getpid() + number) % 250}"
    with ExitStack() as stack:
        switch = stack.enter_context(_switch(f"{subnet}.1", number))
        hosts = (_host(switch, f"host{it}", f"{subnet}.{it + 1}") for it in range(1, count + 1))
        yield tuple(stack.enter_context(host) for host in hosts)


@contextmanager
def _switch(address: str, number: int) -> Iterator[int]:
    """The process that holds the switch. This machine has that address on it."""
    with _first_process(("--net",), _SWITCH) as pid:
        _plug(pid, "machine", os.getpid(), f"t{os.getpid()}.{number}", address)
        try:
            yield pid
        finally:  # at once; the kernel takes a moment for what is left to it
            _run(*_in_network(pid), "ip", "link", "delete", "machine")


@contextmanager
def _host(switch: int, name: str, address: str) -> Iterator[Host]:
    with (
        TemporaryDirectory(prefix=f"{name}-", dir="/tmp") as folder,
        _first_process(_KINDS, f"hostname {name} && {_HOST}") as unshare,
    ):
        first = _child(unshare)
        host = Host(name, address, Path(folder), first.pid, switch)
        try:
            _plug(switch, name, first.pid, "eth0", address)
            yield host
        finally:
            with suppress(psutil.NoSuchProcess):
                first.kill()
                first.wait()
            _forget_cgroups(host.cgroup)


@contextmanager
def _first_process(kinds: Sequence[str], script: str) -> Iterator[int]:
    """A process in new namespaces, which ends with this one."""
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", *kinds, "sh", "-c", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            if said != "ready\n":
                raise HostError(f"No host can be made here (root, iproute2, util-linux, tini): {said}")
            yield process.pid
        finally:
            process.kill()


def _plug(switch: int, port: str, pid: int, interface: str, address: str) -> None:
    """A cable from the switch to the network of that process."""
    inside, there = _in_network(switch), _in_network(pid)
    _run(*inside, "ip", "link", "add", port, "type", "veth", "peer", "name", interface, "netns", str(pid))
    _run(*inside, "ip", "link", "set", port, "master", "switch", "up")
    _run(*there, "ip", "address", "add", f"{address}/24", "dev", interface)
    _run(*there, "ip", "link", "set", interface, "up")


def _answers(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


def _at(address: str) -> str:
    """The interface of this machine that has that address."""
    interfaces = psutil.net_if_addrs().items()
    return next(name for name, entries in interfaces if any(entry.address == address for entry in entries))


def _in_network(pid: int) -> tuple[str, ...]:
    return ("nsenter", f"--target={pid}", "--net", "--")


def _child(pid: int) -> psutil.Process:
    parent = psutil.Process(pid)
    return until(parent.children, f"process {pid} has started its program")[0]


def _forget_cgroups(name: str) -> None:
    """They are empty, and all that outlives a host; there is one in each hierarchy where cgroups are of version 1."""
    ours = [*CGROUPS.glob(name[1:]), *CGROUPS.glob(f"*{name}")]
    for top in ours:
        for folder in sorted([top, *(path for path in top.rglob("*") if path.is_dir())], reverse=True):
            with suppress(OSError):
                folder.rmdir()


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
