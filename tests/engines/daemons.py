"""Docker and Podman for the tests: private ones, each on a host of its own (hosts.py), with a storage of its own."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil
import requests
from docker.errors import DockerException

from tests.engines.certificates import Authority
from tests.engines.clients import api_client
from tests.engines.hosts import Host, program
from tests.waiting import until

DOCKERD = "/usr/sbin/dockerd"
PODMAN = "/usr/bin/podman"
ROOM = "2g"
"""Of the storage, which is memory: faster than the disk here, and gone with its host."""
TLS_PORT = 2376


@dataclass
class Daemon:
    """An engine that answers at `url`. It can be stopped, killed and started again."""

    host: Host
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    nsenter: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.host.folder}/engine.sock"

    @property
    def log(self) -> Path:
        return self.host.folder / "engine.log"

    @property
    def pid(self) -> int:
        """Of the engine itself, as this machine sees it."""
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.nsenter = self.host.spawn(self.command, self.log, self.environment)
        until(self._answers, f"the engine answers; its words are in {self.log}")

    def stop(self) -> None:
        """Stop it in good order. Docker stops its containers; Podman's go on, for they are not its children."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As kill -9, or the kernel without memory, does: containers go on without it."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """As one that hangs: connections are taken, and nothing is answered."""
        self._process.suspend()

    def resume(self) -> None:
        """Let it go on. The nsenter that waits for it has stopped itself with it."""
        self._process.resume()
        if self.nsenter is not None:
            self.nsenter.send_signal(signal.SIGCONT)

    def also_at(self, path: str) -> str:
        """Have its socket at that path of its host, too, as long as it runs."""
        self.host.run("mkdir", "-p", str(Path(path).parent))
        self.host.run("touch", path)
        self.host.run("mount", "--bind", self.url.removeprefix("unix://"), path)
        return path

    def client(self, timeout: int = 30) -> docker.APIClient:
        """`timeout` in seconds, for each read."""
        return api_client(self.url, timeout=timeout)

    @property
    def _process(self) -> psutil.Process:
        if self.nsenter is None:
            raise RuntimeError("The engine does not run.")
        return program(self.nsenter)

    def _end(self, how: signal.Signals) -> None:
        if self.nsenter is None:
            return
        if self.nsenter.poll() is None:
            with suppress(psutil.NoSuchProcess):
                self._process.send_signal(how)
        self.nsenter.wait(timeout=30)
        self.nsenter = None

    def _answers(self) -> bool:
        if self.nsenter is not None and self.nsenter.poll() is not None:
            raise RuntimeError(f"The engine has ended:\n{self.log.read_text()[-2000:]}")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(self.url.removeprefix("unix://")) != 0:  # docker-py would leave its socket open then
                return False
        try:
            with self.client(timeout=2) as client:
                return bool(client.ping())
        except (DockerException, requests.RequestException):
            return False


@contextmanager
def docker_daemon(host: Host, *, authority: Authority | None = None, room: str = ROOM) -> Iterator[Daemon]:
    """A Docker engine on that host. With an authority it listens on port 2376, too, for who has its certificates."""
    words = {
        "--host": f"unix://{host.folder}/engine.sock",
        "--data-root": f"{host.folder}/data",
        "--exec-root": "/run/docker",
        "--pidfile": "/run/docker.pid",
        "--cgroup-parent": host.cgroup,
    }
    command = [DOCKERD, *(word for pair in words.items() for word in pair), *_mutual_tls(host, authority)]
    with _running(Daemon(host, command), room) as daemon:
        yield daemon


def _mutual_tls(host: Host, authority: Authority | None) -> Sequence[str]:
    if authority is None:
        return ()
    pair = authority.server(host.name, host.address)
    files = ("--tlscacert", str(pair.authority), "--tlscert", str(pair.certificate), "--tlskey", str(pair.key))
    return ("--host", f"tcp://{host.address}:{TLS_PORT}", "--tlsverify", *files)


_PODMAN_SETTINGS = """
[containers]
cgroupns = "private"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "/run/libpod"
[network]
network_backend = "netavark"
network_config_dir = "/run/networks"
"""
"""No systemd; and crun refuses this machine's cgroups, which are of both versions."""


@contextmanager
def podman_service(host: Host, *, room: str = ROOM) -> Iterator[Daemon]:
    """Podman on that host, by its service that speaks Docker's API."""
    settings = host.folder / "containers.conf"
    settings.write_text(_PODMAN_SETTINGS)
    roots = ("--root", f"{host.folder}/data", "--runroot", "/run/containers/storage")
    command = [PODMAN, *roots, "system", "service", "--time", "0", f"unix://{host.folder}/engine.sock"]
    environment = {"PATH": os.environ["PATH"], "CONTAINERS_CONF": str(settings), "TMPDIR": f"{host.folder}/data"}
    with _running(Daemon(host, command, environment), room) as daemon:
        yield daemon


@contextmanager
def _running(daemon: Daemon, room: str) -> Iterator[Daemon]:
    """Its host is switched off afterwards, which takes no time: nobody waits for containers that end in good order."""
    data = daemon.host.folder / "data"
    data.mkdir()
    daemon.host.run("mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(data))
    daemon.start()
    try:
        yield daemon
    finally:
        with suppress(psutil.NoSuchProcess):
            daemon.host.switch_off()
        if daemon.nsenter is not None:  # where its program was suspended it has stopped itself, and would bury nobody
            daemon.nsenter.send_signal(signal.SIGCONT)
            daemon.nsenter.wait()
