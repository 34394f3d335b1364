"""How an authorization application is told where things are. The defaults are the container's folders."""

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wizard.licensing.protocol.api import DEFAULT_PORT
from wizard.licensing.protocol.claims import CLAIMS_PATH, VENDOR_KEYS_PATH


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Folders are made when they are missing. `address` is the published IP; `listen` the one of this machine."""

    claims: Path
    vendor_keys: Path
    config: Path
    log: Path
    tls: Path
    address: str
    port: int
    listen: str
    time_machine: Path | None
    """The file that says by how many milliseconds the clocks are ahead; None wherever a licence counts."""


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """The settings of a command line; it exits with the usage when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m wizard.licensing.server", description=__doc__)
    parser.add_argument("--claims", type=Path, default=Path("/", CLAIMS_PATH), help="the vendor's signed claims")
    parser.add_argument(
        "--vendor-keys", type=Path, default=Path("/", VENDOR_KEYS_PATH), help="the vendor's public keys"
    )
    parser.add_argument(
        "--config", type=Path, default=Path("/app/config"), help="the volume that outlives the container"
    )
    parser.add_argument("--log", type=Path, default=Path("/app/log"))
    parser.add_argument("--tls", type=Path, default=Path("/app/tls"), help="server.crt and server.key, when mapped")
    parser.add_argument("--address", type=_ip, required=True, help="the IP at which projects reach it")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="the port at which projects reach it")
    parser.add_argument("--listen", type=_ip, help="the IP to listen at, when it is another one, as in a container")
    parser.add_argument(
        "--time-machine", type=Path, help="for a kiosk only: a file with the milliseconds by which the clocks are ahead"
    )
    given = parser.parse_args(arguments)
    return Settings(**{**vars(given), "listen": given.listen or given.address})


def _ip(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError
    return port
