"""ssh from a socket of this machine to the socket of a node's engine, kept open while it lives."""

import atexit
import errno
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from wizard.backends.engine.reading import defused
from wizard.backends.engine.shared import Shared
from wizard.domain.engine import Engine, Place

SECONDS_TO_OPEN = 10
"""To connect, and to be let in."""
SECONDS_TO_END = 2
SECONDS_FOR_WORDS = 0.2
"""ssh ends a connection first, and says why a moment later."""
KEPT_LINES = 20
LONGEST_LINE = 500
FOLDERS = "wizard-ssh-"
PROGRAMS = ("setpriv", "ssh")
OPTIONS = {
    "BatchMode": "yes",
    "PreferredAuthentications": "publickey",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "StrictHostKeyChecking": "yes",
    "UserKnownHostsFile": "known_hosts",
    "GlobalKnownHostsFile": "/dev/null",
    "UpdateHostKeys": "no",
    "ControlPath": "none",
    "ExitOnForwardFailure": "yes",
    "StreamLocalBindMask": "0177",
    "ConnectTimeout": "5",
    "ServerAliveInterval": "3",
    "ServerAliveCountMax": "3",
    "LogLevel": "INFO",
}
"""Nothing of the user's or the machine's settings, nobody is asked, and a node that is cut off is noticed in 12 s."""
_WITH_PARENT = 'test "$PPID" = "$0" && exec "$@"'
"""The kernel ends ssh with its parent (prctl(2), PR_SET_PDEATHSIG), if that lives when it is asked for."""


class NoTunnel(Exception):
    """ssh does not come through; its own words."""


class NoProgram(Exception):
    """What is needed for a tunnel is not installed."""

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.program = program


class Tunnel:
    """The way to one engine of ssh://. It is opened when it is wanted, and anew when it has ended.

    Its socket is in a folder that only the wizard's user can enter, for whoever reaches it is root on the node.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._opening = Shared()
        self._ssh: _Ssh | None = None

    def passage(self) -> "Passage":
        """The way through it. NoTunnel when the node does not let it through, NoProgram."""
        return Passage(self._opening.get(self._open_one, self._another))

    def close(self) -> None:
        """End it, if there is one."""
        if self._ssh is not None:
            self._ssh.close()

    def _open_one(self) -> "_Ssh | None":
        return self._ssh if self._ssh is not None and self._ssh.is_open else None

    def _another(self) -> "_Ssh":
        self.close()
        self._ssh = _Ssh(self._engine)
        self._ssh.wait()
        return self._ssh


class Passage:
    """The way through an open tunnel, for one piece of work.

    What ssh said before is not of this work: the greeting of a node (sshd_config(5), Banner) says anything.
    """

    def __init__(self, ssh: "_Ssh") -> None:
        self._ssh = ssh
        self._began = ssh.count

    @property
    def socket(self) -> Path:
        """Where the engine answers on this machine."""
        return self._ssh.socket

    @property
    def has_ended(self) -> bool:
        """Whether ssh has; asked when the work failed, since it ends its connections first."""
        return self._ssh.ended.wait(SECONDS_FOR_WORDS)

    def words(self) -> list[str]:
        """What ssh has said since."""
        if self._ssh.count == self._began:
            self._ssh.ended.wait(SECONDS_FOR_WORDS)
        return self._ssh.last(self._ssh.count - self._began)


class _Ssh:
    """One run of ssh, in a folder of its own.

    A thread starts it and stays with it: the kernel takes the thread that has started a process for its parent.
    """

    def __init__(self, engine: Engine) -> None:
        for program in PROGRAMS:
            if shutil.which(program) is None:
                raise NoProgram(program)
        _sweep()
        self.socket = _folder() / "engine.sock"
        self.ended = threading.Event()
        self.count = 0
        """How many lines it has said, by which to tell old words from new."""
        self._engine = engine
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_silent = False
        atexit.register(self.close)
        threading.Thread(target=self._keep, name="ssh", daemon=True).start()

    @property
    def is_open(self) -> bool:
        """One that was killed is noticed here, before the thread that stays with it has seen to that.

        In this order: `poll` knows nothing while that thread buries it.
        """
        is_alive = self._process is not None and self._process.poll() is None
        return is_alive and not self._is_silent and self.socket.exists()

    def last(self, count: int) -> list[str]:
        """So many of its lines, as far as they are kept."""
        return list(self._said)[-count:] if count else []

    def wait(self) -> None:
        """Until it is open: it listens as soon as it has been let in. NoTunnel when it never does."""
        deadline = time.monotonic() + SECONDS_TO_OPEN
        while not self.socket.exists():
            if self.ended.wait(0.01):
                raise NoTunnel("\n".join(self._said) or "ssh has ended without a word.")
            if time.monotonic() > deadline:
                self.close()
                raise NoTunnel("\n".join([*self._said, f"Not let in within {SECONDS_TO_OPEN} s."]))

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
        self.ended.wait(SECONDS_TO_END)

    def _keep(self) -> None:
        try:
            with subprocess.Popen(
                _command(self._engine.place, self.socket),
                cwd=self._engine.ssh,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as process:
                self._process = process
                while process.stderr and (line := process.stderr.readline(LONGEST_LINE)):
                    self._note(defused(line).strip())
                self._is_silent = True
        except OSError as error:  # its folder is gone
            self._note(str(error))
        finally:
            shutil.rmtree(self.socket.parent, ignore_errors=True)
            atexit.unregister(self.close)
            self.ended.set()

    def _note(self, line: str) -> None:
        if line:
            self._said.append(line)
            self.count += 1


def _folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=FOLDERS))
    except OSError as error:  # the disk is full, or TMPDIR is none
        raise NoTunnel(str(error)) from error


def _command(place: Place, local: Path) -> list[str]:
    """It runs in the folder of its key: so no character of that folder's name means anything to ssh."""
    options = [word for name, value in OPTIONS.items() for word in ("-o", f"{name}={value}")]
    return [
        *("setpriv", "--pdeathsig", "KILL", "sh", "-c", _WITH_PARENT, str(os.getpid())),
        *("ssh", "-F", "none", "-N", "-T", "-a", "-x", "-i", "key", *options, "-p", str(place.port), "-l", place.user),
        *("-L", f"{local}:{place.path}", "--", place.host),
    ]


def _sweep() -> None:
    """Remove what a worker that was killed left: folders of ours with a socket at which nobody listens."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        with suppress(OSError):  # it is gone meanwhile
            if folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink():
                _remove_dead(folder)


def _remove_dead(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(folder / "engine.sock")) == errno.ECONNREFUSED:
            shutil.rmtree(folder, ignore_errors=True)
