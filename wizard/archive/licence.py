"""Whether an image is a licence of the vendor's: its claims, their signature, and what they were issued for."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import PurePosixPath

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wizard.archive.blobs import Blob, unpacked
from wizard.archive.layout import Layout
from wizard.archive.limits import SMALL
from wizard.archive.tar import Kind, Source, Tar
from wizard.archive.verdicts import Refused
from wizard.licensing.protocol.claims import (
    CLAIMS_LABEL,
    CLAIMS_PATH,
    Claims,
    ClaimsError,
    layers_digest,
    read_claims,
    settings_digest,
)

VERDICT_OF = {
    "malformed": "claims-malformed",
    "wrong-type": "claims-malformed",
    "unknown-vendor-key": "claims-unknown-key",
    "bad-signature": "claims-forged",
}
CLAIMS_FOLDERS = {str(folder) for folder in PurePosixPath(CLAIMS_PATH).parents}


def has_claims(layout: Layout) -> bool:
    """Whether it says that it is a licence; whether that is so has still to be checked."""
    return CLAIMS_LABEL in layout.config.labels


def read_licence(layout: Layout, vendor_keys: Mapping[str, Ed25519PublicKey]) -> tuple[Claims, bytes]:
    """The claims, and the signed envelope that they came in. Refused unless they are the vendor's, for this image."""
    if not has_claims(layout):
        raise Refused("claims-missing")
    envelope = layout.config.labels[CLAIMS_LABEL].encode()
    try:
        claims = read_claims(envelope, vendor_keys)
    except ClaimsError as error:
        raise Refused(VERDICT_OF[error.code]) from None
    if claims.architecture != layout.config.architecture:
        raise Refused("claims-architecture")
    if claims.layers != layers_digest(layout.config.rootfs.diff_ids[:-1]):
        raise Refused("claims-layers")
    if claims.settings != _settings(layout):
        raise Refused("claims-settings")
    if _only_claims(layout.layers[-1]) != envelope:
        raise Refused("top-layer")
    return claims, envelope


def _settings(layout: Layout) -> str:
    """The digest of how the image runs. All of it counts, so the configuration is read without a shape here."""
    try:
        return settings_digest(json.loads(layout.configuration)["config"])
    except (ValueError, RecursionError):
        raise Refused("claims-settings") from None


def _only_claims(layer: Blob) -> bytes:
    """The content of the claims file, when the layer holds that file and its folders alone."""
    if layer.content is None:
        raise Refused("top-layer")
    found = b""
    try:
        tar = Tar(Source(BytesIO(unpacked(layer.content, SMALL))))
        for member in tar.members():
            if member.kind is Kind.FILE and member.name == CLAIMS_PATH:
                if member.mode & 0o7022:  # set-id and sticky bits, or writable by others
                    raise Refused("top-layer")
                found = b"".join(tar.content())
            elif member.kind is not Kind.FOLDER or member.name not in CLAIMS_FOLDERS:
                raise Refused("top-layer")
    except Refused:
        raise Refused("top-layer") from None
    return found
