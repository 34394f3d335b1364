"""How cases are made: each is an archive, the code of its verdict, and the image that an accepted one must be."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.archive.apart import OK
from tests.archive.broken import ID, Make, with_files, with_first
from tests.archive.build import GOOD, Files, Recipe, descriptor, digest, modern, tar, to_json
from tests.archive.corpus.forms import (
    BY_CONTAINERD,
    MANIFEST,
    Configured,
    blobs,
    containerds,
    index,
    manifest,
    member,
    upon,
)

MEBIBYTE = 1 << 20


class Case(NamedTuple):
    """`code` is a key of VERDICTS, or OK."""

    code: str
    make: Make
    image_of: Callable[[], Recipe] = lambda: GOOD

    @property
    def image(self) -> Recipe:
        return self.image_of()

    @property
    def image_id(self) -> str:
        return digest(self.image.config)


def good(
    image: Recipe = GOOD, form: Callable[[Recipe], Files] = modern, around: Callable[[bytes], bytes] = bytes
) -> Case:
    return Case(OK, lambda: around(tar(form(image))), lambda: image)


def of(recipe: Recipe, form: Callable[[Recipe], Files] = modern) -> Make:
    return lambda: tar(form(recipe))


def whole(change: Callable[[bytes], bytes]) -> Make:
    """A good archive, changed as a whole."""
    return lambda: change(tar(modern()))


def layered(*members: bytes) -> Make:
    """An image upon a base of one layer with such members."""
    return of(upon(*members))


def upon_layers(*layers: bytes) -> Make:
    """An image upon such layers, which need be none."""
    return of(GOOD.but(base=layers))


def configured(**runs: object) -> Make:
    """An image whose configuration has such settings for what runs."""
    return of(Configured(runs=runs))


def saying(**says: object) -> Make:
    """An image whose configuration has such fields."""
    return of(Configured(says=says))


def rewritten(change: Callable[[bytes], bytes]) -> Make:
    """An image whose configuration is another text, all digests put right."""
    return of(Configured(rewritten=change))


def put(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replaces the first such text; there must be one."""

    def change(text: bytes) -> bytes:
        assert old in text
        return text.replace(old, new, 1)

    return change


def text_of(name: str, change: Callable[[bytes], bytes]) -> Make:
    """A good archive, one of its files another text."""
    return with_files(lambda files: files.update({name: change(files[name])}))


def beside(*contents: bytes) -> Make:
    """A good archive with more blobs."""
    return with_files(lambda files: files.update(blobs(*contents)))


def without(names: Sequence[str], form: Callable[[], Files] = modern) -> bytes:
    """An archive, some of its files left out."""
    return tar({name: content for name, content in form().items() if name not in names})


def with_oci_manifest(**changes: Any) -> Make:
    """An archive whose OCI manifest says otherwise, all digests put right."""

    def make() -> bytes:
        files = containerds()
        del files[f"blobs/sha256/{digest(manifest(GOOD))}"]
        changed = manifest(GOOD, **changes)
        outer = index(descriptor(changed, mediaType=MANIFEST, annotations=BY_CONTAINERD))
        return tar(files | blobs(changed) | {"index.json": outer})

    return make


def aliased(name: str) -> Make:
    """The manifest a second time, under another spelling."""
    return with_first(member(name, b"[]"))


def manifest_with(*headers: bytes, name: str = "manifest.json") -> Make:
    """The manifest behind such headers."""

    def make() -> bytes:
        files = modern()
        return b"".join(headers) + member(name, files.pop("manifest.json")) + tar(files)

    return make


def linked(*headers: bytes) -> Make:
    """A link, as Podman writes them, behind such headers; and a good archive."""
    return with_first(*headers, member(f"{ID}/layer.tar", b"", b"2", link=f"../{ID}.tar"))


def renamed(files: Files) -> Files:
    """An older archive whose configuration is named after another digest."""
    entries = json.loads(files["manifest.json"])
    own, entries[0]["Config"] = entries[0]["Config"], f"{ID}.json"
    moved = {f"{ID}.json" if name == own else name: content for name, content in files.items()}
    return moved | {"manifest.json": to_json(entries)}
