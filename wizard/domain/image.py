"""The licence image: what a checked archive turned out to hold."""

import re
from dataclasses import dataclass
from datetime import datetime

REPOSITORY_ON_NODES = "fineops-license"
SIGNED, PINNED, CONFIRM = "signed", "pinned", "confirm"
POLICIES = (SIGNED, PINNED, CONFIRM)
"""Which images are taken: those that the vendor has signed; those in the list of the installation; or unknown ones as
well as signed ones, once the admin has confirmed the digest."""
PIN = re.compile("[0-9a-f]{64}")


def read_pins(text: str) -> frozenset[str]:
    """The SHA-256 that a list of pinned images has: one at the beginning of each line, as `sha256sum` writes it.

    Empty lines and what follows a # count for nothing. ValueError names the first line that is none.
    """
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    pins = [words[0].lower() for words in lines if words]
    for pin in pins:
        if not PIN.fullmatch(pin):
            raise ValueError(pin)
    return frozenset(pins)


def name_on_nodes(image_id: str) -> str:
    """What an image is called on a node: a name of ours, so that no name that others use is taken over."""
    return f"{REPOSITORY_ON_NODES}:{image_id[:32]}"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A licence image that was received whole and checked. Sizes in bytes, digests in lower-case hex (SHA-256).

    What has a default was added later, and is missing in older documents.
    """

    digest: str
    """Of the list of what is in our own archive of it; it names the file in the spool, and nothing else is ever loaded.

    A pure function of the image, in whatever form it was received.
    """
    image_id: str
    """Of the image's configuration: what an engine calls the image id."""
    manifest: str = ""
    """Of the OCI manifest in our archive: what Docker with containerd's image store calls the image id."""
    repository: str
    tag: str
    architecture: str
    size: int
    """Of our archive, whose layers are not packed: so much the image takes on a node, too."""
    filename: str
    received: str = ""
    """The digest of the file as it was received, to be compared with what `sha256sum` says of it."""
    received_size: int = 0
    company: str
    project: str
    licence: str
    """The licence number of the signed claims, 16 hex digits."""
    registrations: int
    """Maximum number of registrations (R1): live nodes at a time."""
    issued: datetime
    is_licence: bool = True
    """Whether the vendor's signed claims are in it. Without them nobody knows what it speaks, and the admin is guided;
    `licence` is then the beginning of the image id, and what the claims would say is empty."""
    is_pinned: bool = False
    """Whether it was taken because it is in the list of this installation."""

    @property
    def policy(self) -> str:
        """By which of POLICIES it was taken."""
        if self.is_pinned:
            return PINNED
        return SIGNED if self.is_licence else CONFIRM

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def name_on_nodes(self) -> str:
        return name_on_nodes(self.image_id)
