"""A file on its way to the wizard: in pieces, over as many connections as it takes; and what is known of it so far."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LIFE = timedelta(hours=24)
"""So long an upload waits for its next byte, and a whole one to be used."""
MOST_AT_ONCE = 2
"""Unfinished uploads of one account."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file of one account. Sizes in bytes."""

    id: str
    """32 hex digits, which nobody can guess."""
    owner: str
    """The name of the account that it belongs to: nobody else can read it or add to it."""
    filename: str
    """Fit to be shown. It names nothing on the disk."""
    length: int
    offset: int
    """What has arrived, and is on the disk."""
    mark: str
    """What its sender recognises the file by when it is chosen again; nothing when it said nothing."""
    expires_at: datetime

    @property
    def is_whole(self) -> bool:
        return self.offset == self.length


@dataclass(frozen=True, kw_only=True)
class Passport:
    """What is known of an image, as it becomes known while its archive arrives; what is not yet known is empty.

    Nothing in it is to be relied on before the whole archive was checked.
    """

    form: str = ""
    """`tar`, or the compression around it."""
    name: str = ""
    """Repository and tag."""
    architecture: str = ""
    layers: int = 0
    unpacked: int = 0
    """Bytes of all layers."""
    company: str = ""
    project: str = ""
    licence: str = ""
    is_signed: bool | None = None
    """Whether the claims are the vendor's; None while they were not seen."""
    is_complete: bool = False
    """Whether all of the file was looked at: it is a licence image, or it is refused."""
