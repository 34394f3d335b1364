"""How a node's container engine is reached."""

import re
from dataclasses import dataclass
from pathlib import Path

HIGHEST_PORT = 65535
SSH_PORT = 22
SOCKET = "/run/docker.sock"
"""Where Docker listens on its own host, unless an address of ssh:// says otherwise."""

_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))"
_HOST = r"(?:\[(?P<v6>[^][/@\s]+)\]|(?P<v4>[^][/@:\s]+))"
_FORMS = (
    r"(?P<scheme>unix)://(?P<path>/\S+)",
    rf"(?P<scheme>tcp)://{_HOST}{_PORT}",
    rf"(?P<scheme>ssh)://(?P<user>[A-Za-z_][A-Za-z0-9_.-]{{0,31}})@{_HOST}{_PORT}?(?P<path>/[A-Za-z0-9_./-]+)?",
)
"""No part of an address of ssh:// can be taken for an option, or for a second part, by the program ssh."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The parts of an engine's URL; `host` and `port` only where there is a network in between."""

    scheme: str
    user: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> "Place":
        """ValueError for what is neither unix:///path, tcp://host:port nor ssh://user@host[:port][/path]."""
        found = next((match for form in _FORMS if (match := re.fullmatch(form, url, re.ASCII))), None)
        parts = found.groupdict() if found else {}
        port = int(parts.get("port") or SSH_PORT)
        if found is None or port > HIGHEST_PORT:
            raise ValueError(url)
        return cls(
            scheme=parts["scheme"],
            user=parts.get("user") or "",
            host=parts.get("v6") or parts.get("v4") or "",
            port=port,
            path=parts.get("path") or SOCKET,
        )


@dataclass(frozen=True, kw_only=True)
class Engine:
    """`url` begins with unix://, tcp:// or ssh://. Whoever reaches it is root on that node."""

    url: str
    tls: Path | None = None
    """A folder with ca.pem, cert.pem and key.pem, for tcp://: both sides prove who they are."""
    ssh: Path | None = None
    """A folder with key and known_hosts, for ssh://: both sides prove who they are."""

    @property
    def place(self) -> Place:
        """ValueError when the URL is none."""
        return Place.parse(self.url)
