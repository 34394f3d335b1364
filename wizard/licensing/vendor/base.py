"""The common base of all licence images: one that an engine built, or one made of this machine's own Python.

Personalizing an image puts one small layer on top (image.py); so the base is made once, and kept in the data folder.
It knows no vendor. The layer with the public keys is put upon it here, so the claims speak of that layer as well.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from wizard.licensing.files import replacing
from wizard.licensing.protocol.claims import VENDOR_KEYS_PATH
from wizard.licensing.vendor import built, own
from wizard.licensing.vendor.layers import Base, Layer, one_file

_BUILT = "built-"
_OWN = "own-"
_SAYS = "base.json"


def open_base(data: Path, vendor_keys: bytes) -> Base:
    """The base for that `vendor.pub`: the one that is kept, or one made now, which takes a few seconds."""
    with _alone(data / "base") as folder:
        base = _kept(next(folder.glob(f"{_BUILT}*/{_SAYS}"), folder).parent) or _own(folder)
    return replace(base, layers=(*base.layers, one_file(VENDOR_KEYS_PATH, vendor_keys)))


def use_built(data: Path, archive: Path) -> Base:
    """Issue images upon the one in that archive from now on. VendorError when it is not fit for that."""
    with _alone(data / "base") as folder, built.opened(archive) as image:
        into = folder / f"{_BUILT}{image.digest[:16]}"
        return _kept(into) or _keep(into, image.unpack(_emptied(into)))


def use_own(data: Path) -> Base:
    """Issue images upon this machine's own Python from now on."""
    with _alone(data / "base") as folder:
        base = _own(folder)
        _forget_others(folder / f"{_OWN}{own.fingerprint()}")
        return base


def _own(folder: Path) -> Base:
    into = folder / f"{_OWN}{own.fingerprint()}"
    return _kept(into) or _keep(into, own.make(_emptied(into)))


def _kept(folder: Path) -> Base | None:
    says = folder / _SAYS
    if not says.exists():
        return None
    said = json.loads(says.read_bytes())
    layers = [
        Layer(**layer, path=folder / f"{layer['diff_id'].removeprefix('sha256:')}.tar") for layer in said["layers"]
    ]
    return Base(**(said | {"layers": tuple(layers)}))


def _keep(folder: Path, base: Base) -> Base:
    """What it consists of is written last, so a base is whole or not there."""
    said = {
        "layers": [{"diff_id": layer.diff_id, "size": layer.size} for layer in base.layers],
        "architecture": base.architecture,
        "config": base.config,
        "origin": base.origin,
    }
    with replacing(folder / _SAYS) as file:
        file.write(json.dumps(said).encode())
    _forget_others(folder)
    return base


def _emptied(folder: Path) -> Path:
    """What was left half made is no use."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _forget_others(kept: Path) -> None:
    """Other bases are never needed again: each image is issued upon the present one."""
    for other in kept.parent.iterdir():
        if other.is_dir() and other != kept:
            shutil.rmtree(other)


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Whoever comes second waits, in this process or another, and finds the first one's work."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
