"""Reads a licence image archive: `docker save` of 25 and later, or of 20.10, or Podman's, as it comes by mail.

One pass over a stream that cannot be rewound, in constant memory; every file in it is hashed, and everything that could
be understood in two ways is refused (verdicts.py says why).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wizard.archive.blobs import collect
from wizard.archive.layout import Layout, read_layout
from wizard.archive.licence import has_claims, read_licence
from wizard.archive.packed import opened
from wizard.archive.sketch import Seen, Sketch
from wizard.archive.tar import Readable, Source
from wizard.domain.image import REPOSITORY_ON_NODES
from wizard.domain.upload import Passport
from wizard.licensing.protocol.claims import REPOSITORY, Claims


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a checked archive holds. Digests are SHA-256 in lower-case hex, sizes in bytes."""

    repository: str
    tag: str
    architecture: str
    image_id: str
    """The digest of the image's configuration."""
    diff_ids: tuple[str, ...]
    """`sha256:…` of each unpacked layer, the base first, the claims' own last."""
    size: int
    """Of the plain archive."""
    claims: Claims | None
    """None of an image that does not say that it is a licence."""
    claims_envelope: bytes
    """The claims as they were signed."""
    layout: Layout = field(repr=False, compare=False)
    """Where all of it lies in the plain archive."""


Through = Callable[[Readable, str], Readable]
"""What the plain archive is read through; it is told how that was packed (packed.opened), too."""


def unchanged(archive: Readable, form: str) -> Readable:
    return archive


def ignored(passport: Passport) -> None:
    """What becomes known on the way is of no interest."""


def read_image(
    stream: Readable,
    vendor_keys: Mapping[str, Ed25519PublicKey],
    repository: str = REPOSITORY,
    *,
    takes_unknown: bool = False,
    seen: Seen = ignored,
    through: Through = unchanged,
) -> Contents:
    """Read the stream to its end and check it. Refused (an InvalidInput) when it is no licence image.

    With `takes_unknown` one that does not even say that it is a licence is taken for what it is. What becomes known on
    the way is told to `seen`. The plain archive is read through what `through` makes of it.
    """
    sketch = Sketch(vendor_keys, seen)
    archive, form = opened(stream)
    sketch.begins(form)
    source = Source(through(archive, form))
    layout = read_layout(collect(source, meets=sketch.meets), repository)
    sketch.ends(layout)
    claims: Claims | None = None
    envelope = b""
    if has_claims(layout) or not takes_unknown:
        claims, envelope = read_licence(layout, vendor_keys)
    sketch.is_complete()
    return Contents(
        repository=layout.repository,
        tag=layout.tag,
        architecture=layout.config.architecture,
        image_id=layout.image_id,
        diff_ids=layout.config.rootfs.diff_ids,
        size=source.position,
        claims=claims,
        claims_envelope=envelope,
        layout=layout,
    )


def claims_of(path: Path, vendor_keys: Mapping[str, Ed25519PublicKey]) -> bytes:
    """The signed envelope of our own archive in that file, which is checked again for it."""
    with path.open("rb") as archive:
        return read_image(archive, vendor_keys, REPOSITORY_ON_NODES).claims_envelope
