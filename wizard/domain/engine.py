"""How a node's container engine is reached."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Engine:
    """`url` begins with unix:// or tcp://. Whoever reaches it is root on that node."""

    url: str
    tls: Path | None = None
    """A folder with ca.pem, cert.pem and key.pem, for tcp://: both sides prove who they are."""
