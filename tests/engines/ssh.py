"""A real ssh server on a host of the tests, and the folder by which a client of it and the host know each other."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.engines.hosts import Host, program
from tests.waiting import until

SSHD = "/usr/sbin/sshd"
PORT = 22

NEEDS_SSH = pytest.mark.skipif(
    not Path(SSHD).is_file() or shutil.which("ssh") is None, reason="needs Debian's openssh-server and openssh-client"
)


@dataclass
class SshServer:
    """It listens on port 22 of its host, and lets in with the key in `folder`: what the inventory calls ssh."""

    host: Host
    folder: Path
    nsenter: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.host.folder / "sshd.log"

    @property
    def authorized(self) -> Path:
        return self.host.folder / "authorized_keys"

    def start(self, *options: str) -> None:
        """Start it, and wait until it listens."""
        keys = (f"HostKey={self.host.folder}/host", f"AuthorizedKeysFile={self.authorized}")
        settings = (
            *keys,
            f"ListenAddress={self.host.address}",
            "PidFile=none",
            "StrictModes=no",
            "UsePAM=no",
            *options,
        )
        words = [SSHD, "-D", "-e", "-f", "/dev/null", *(word for it in settings for word in ("-o", it))]
        self.nsenter = self.host.spawn(words, self.log)
        until(lambda: "listening on" in self._words(), f"the ssh server listens; its words are in {self.log}")

    @property
    def admitted(self) -> int:
        """How often it has let somebody in since it was started."""
        return self._words().count("accepted publickey")

    def kill(self) -> None:
        """It, and all that it has let in."""
        if self.nsenter is not None:
            server = program(self.nsenter)
            for process in (*server.children(recursive=True), server):
                with suppress(psutil.NoSuchProcess):  # a session that was ending anyway
                    process.kill()
            self.nsenter.wait()
            self.log.unlink()
            self.nsenter = None

    def _words(self) -> str:
        if self.nsenter is not None and self.nsenter.poll() is not None:
            raise RuntimeError(f"The ssh server has ended:\n{self.log.read_text()}")
        return self.log.read_text().lower() if self.log.exists() else ""


@contextmanager
def ssh_server(host: Host) -> Iterator[SshServer]:
    """One with keys of its own."""
    server = SshServer(host, host.folder / "ssh")
    host.folder.chmod(0o711)  # for users of the host who are not root
    server.folder.mkdir()
    make_key(server.folder / "key")
    make_key(host.folder / "host")
    let_in(server, server.folder / "key.pub")
    knows(server, host.folder / "host.pub")
    host.run("mkdir", "-p", "/run/sshd")
    server.start()
    try:
        yield server
    finally:
        server.kill()


def make_key(path: Path) -> None:
    """And its public half, beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def let_in(server: SshServer, key: Path, options: str = "") -> None:
    """From now on whoever has that public key, and nobody else; `options` as sshd(8) has them in authorized_keys."""
    server.authorized.write_text(f"{options} {key.read_text()}".lstrip())
    server.authorized.chmod(0o644)  # it is read as the user who wants to come in


def knows(server: SshServer, key: Path, name: str = "") -> None:
    """The client takes whoever has that public key for the host of that name, its address unless another is given."""
    (server.folder / "known_hosts").write_text(f"{name or server.host.address} {key.read_text()}")
