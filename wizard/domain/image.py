"""The licence image: what a checked archive turned out to hold."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Image:
    """A licence image that was received whole and checked. Sizes in bytes, digests in lower-case hex (SHA-256)."""

    digest: str
    """Of the archive file as received; it names the file in the spool, and nothing else is ever loaded."""
    image_id: str
    """Of the image's configuration: what an engine calls the image id."""
    repository: str
    tag: str
    architecture: str
    size: int
    filename: str
    company: str
    project: str
    licence: str
    """The licence number of the signed claims, 16 hex digits."""
    registrations: int
    """Maximum number of registrations (R1): live nodes at a time."""
    issued: datetime

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"
