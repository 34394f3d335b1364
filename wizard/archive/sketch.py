"""The passport of an image while its archive arrives: told when something becomes known, in all a handful of times.

What is told was not compared with the rest of the archive yet. But of the claims nothing is told before their signature
was verified, and whatever else is told is fit to be shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wizard.archive.blobs import Blob
from wizard.archive.layout import Layout
from wizard.archive.verdicts import shown
from wizard.domain.upload import Passport
from wizard.licensing.protocol.claims import CLAIMS_LABEL, ClaimsError, read_claims

Seen = Callable[[Passport], None]


class _RootFs(msgspec.Struct):
    diff_ids: tuple[str, ...]


class _Container(msgspec.Struct):
    labels: dict[str, str] | None = msgspec.field(name="Labels", default=None)


class _Configuration(msgspec.Struct):
    architecture: str
    os: str
    rootfs: _RootFs
    config: _Container | None = None


class _Image(msgspec.Struct):
    tags: tuple[str, ...] = msgspec.field(name="RepoTags")


class Sketch:
    """Tells `seen` what is known, whenever it is more."""

    def __init__(self, vendor_keys: Mapping[str, Ed25519PublicKey], seen: Seen) -> None:
        self._vendor_keys = vendor_keys
        self._seen = seen
        self._passport = Passport()

    def begins(self, form: str) -> None:
        self._tell(replace(self._passport, form=form))

    def meets(self, blob: Blob) -> None:
        """A file of the archive. Only the first configuration counts, and manifest.json."""
        if blob.content is None:
            return
        if blob.name == "manifest.json":
            images = _decoded(blob.content, tuple[_Image, ...])
            if images and images[0].tags:
                self._tell(replace(self._passport, name=_text(images[0].tags[0])))
        elif not self._passport.architecture:
            configuration = _decoded(blob.content, _Configuration)
            if configuration is not None and configuration.architecture not in ("", "unknown"):
                self._describe(configuration)

    def ends(self, layout: Layout) -> None:
        """The description of the image, every digest of it verified."""
        unpacked = sum(layer.unpacked_size for layer in layout.layers)
        name = f"{layout.repository}:{layout.tag}"
        known = replace(self._passport, name=name, architecture=layout.config.architecture, unpacked=unpacked)
        self._tell(replace(known, layers=len(layout.layers)))

    def is_complete(self) -> None:
        self._tell(replace(self._passport, is_complete=True))

    def _describe(self, configuration: _Configuration) -> None:
        labels = (configuration.config and configuration.config.labels) or {}
        known = replace(
            self._passport,
            architecture=_text(configuration.architecture),
            layers=len(configuration.rootfs.diff_ids),
            is_signed=False,
        )
        try:
            claims = read_claims(labels.get(CLAIMS_LABEL, "").encode(), self._vendor_keys)
        except (ClaimsError, UnicodeEncodeError):
            self._tell(known)
        else:
            signed = replace(known, is_signed=True, company=claims.company)
            self._tell(replace(signed, project=claims.project, licence=claims.licence))

    def _tell(self, passport: Passport) -> None:
        if passport != self._passport:
            self._passport = passport
            self._seen(passport)


def _text(value: str) -> str:
    return str(shown(value))


Shape = TypeVar("Shape")


def _decoded(content: bytes, shape: type[Shape]) -> Shape | None:
    """None of what is something else."""
    try:
        return msgspec.json.decode(content, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
