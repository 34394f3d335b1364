"""What Docker, Podman, Buildah and Skopeo save is the image that it was, or is refused with the one reason for it.

An image made by hand in all their ways, as it is and packed as a whole; and of a real licence what each tool saves.
"""

import gzip
import lzma
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from pathlib import Path

import pytest
from backports import zstd

from tests.archive.apart import OK
from tests.archive.build import BASE, VENDOR_KEYS, modern, tar
from tests.archive.corpus.forms import Configured
from tests.archive.fuzzing.mutants import LAYER, RUNS
from tests.engines import NEEDS_ENGINES
from tests.engines.images import a_mailed_archive
from tests.engines.tools import NEEDS_TOOLS, TOOLS, Save, Tool
from wizard.archive.spool import FileSpool
from wizard.archive.verdicts import Refused
from wizard.domain.image import Image
from wizard.licensing.protocol.claims import dump_vendor_keys

pytestmark = [pytest.mark.engine, NEEDS_ENGINES, NEEDS_TOOLS]

AS_A_WHOLE: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": partial(gzip.compress, compresslevel=1),
    "xz": partial(lzma.compress, preset=1),
    "zstd": zstd.compress,
}
BY_HAND = Configured(
    base=(*BASE, LAYER),
    runs=RUNS,
    says={"created": "2026-11-24T05:00:00Z", "history": [{"created_by": it} for it in "abcd"]},
)
"""With links, a hard link, a whiteout and a long name in it, and settings."""
WAYS = [(tool, way) for tool, (_, ways) in TOOLS.items() for way in ways]
USUAL = (
    ("docker", "save"),
    ("podman", "save"),
    ("podman", "save as oci-archive"),
    ("buildah", "push to oci-archive"),
    ("skopeo", "copy to oci-archive"),
)
Saved = Callable[[str], Mapping[str, bytes]]


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> FileSpool:
    folder = tmp_path_factory.mktemp("by-hand")
    (folder / "vendor.pub").write_bytes(dump_vendor_keys(VENDOR_KEYS))
    return FileSpool(folder / "spool", folder / "vendor.pub")


@pytest.fixture(scope="module")
def original(spool: FileSpool) -> Image:
    return received(spool, tar(modern(BY_HAND)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """What a tool saves of the image made by hand in each of its ways."""
    folder = tmp_path_factory.mktemp("saved")
    source = folder / "image.tar"
    source.write_bytes(tar(modern(BY_HAND)))

    @cache
    def by(tool: str) -> Mapping[str, bytes]:
        begin, ways = TOOLS[tool]
        with begin(source) as there:
            return {way: _archive(there, save, folder / f"{tool}.tar") for way, save in ways.items()}

    return by


def _archive(there: Tool, save: Save, target: Path) -> bytes:
    there.save(save, target)
    archive = target.read_bytes()
    target.unlink()
    return archive


def received(spool: FileSpool, archive: bytes) -> Image:
    return spool.receive(BytesIO(archive), len(archive), "saved.tar")


def is_the_licence(image: Image, original: Image) -> None:
    """It has the claims of the original, and with them its layers."""
    assert image.name == original.name
    assert (image.licence, image.company, image.issued) == (original.licence, original.company, original.issued)
    assert (image.image_id == original.image_id) == (image.digest == original.digest)


@pytest.mark.parametrize("whole", AS_A_WHOLE)
@pytest.mark.parametrize(("tool", "way"), WAYS)
def test_what_a_tool_saves_is_the_image_or_is_refused_for_one_reason(
    tool: str, way: str, whole: str, saved: Saved, spool: FileSpool, original: Image
) -> None:
    save, archive = TOOLS[tool][1][way], AS_A_WHOLE[whole](saved(tool)[way])
    if save.code == OK:
        image = received(spool, archive)
        is_the_licence(image, original)
        assert (image.image_id == original.image_id) == save.keeps_id
    else:
        with pytest.raises(Refused) as refusal:
            received(spool, archive)
        assert refusal.value.code == save.code


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A licence that a vendor has issued, upon a real base."""
    return a_mailed_archive(tmp_path_factory.mktemp("mailed"))


@pytest.mark.parametrize(("tool", "way"), USUAL)
def test_a_real_licence_that_a_tool_has_saved_is_the_same_licence(
    tool: str, way: str, mailed: Path, tmp_path: Path
) -> None:
    spool = FileSpool(tmp_path / "spool", mailed.parent / "vendor" / "vendor.pub")
    begin, ways = TOOLS[tool]
    with begin(mailed) as there:
        there.save(ways[way], tmp_path / "saved.tar")
    images = []
    for path in (mailed, tmp_path / "saved.tar"):
        with path.open("rb") as file:
            images.append(spool.receive(file, path.stat().st_size, path.name))
    is_the_licence(*images)
