"""The archive that is given to engines: the same for the same image, ours in every byte, and never of a changed one."""

import gzip
import io
import json
import random
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.build import (
    BASE,
    GOOD,
    VENDOR_KEYS,
    Files,
    Recipe,
    descriptor,
    digest,
    legacy,
    modern,
    podmans,
    tar,
    to_json,
)
from wizard.archive.canonical import Canonical, canonical, digest_of, header
from wizard.archive.layout import ATTESTATION
from wizard.archive.limits import LARGEST_ARCHIVE
from wizard.archive.reader import read_image
from wizard.archive.verdicts import Refused
from wizard.domain.image import REPOSITORY_ON_NODES

IMAGE_ID = digest(GOOD.config)
MEBIBYTE = 1 << 20


def described(archive: bytes) -> Canonical:
    return canonical(read_image(io.BytesIO(archive), VENDOR_KEYS).layout)


def written(archive: bytes, *, read_again: bytes | None = None) -> bytes:
    """What is written of a received archive; `read_again` is what its file holds by then."""
    target = io.BytesIO()
    ours = described(archive)
    ours.write(io.BytesIO(archive if read_again is None else read_again), target)
    assert digest_of(io.BytesIO(target.getvalue())) == ours.digest
    return target.getvalue()


OURS = written(tar(modern()))


def test_of_an_archive_of_ours_no_byte_can_be_another() -> None:
    ours = described(tar(modern())).digest
    for position in range(0, len(OURS), 23):
        changed = bytearray(OURS)
        changed[position] ^= 1 << position % 8
        assert digest_of(io.BytesIO(changed)) != ours
    for cut in (OURS[:-1], OURS[:-512], OURS[:-1024], OURS + b"\0", OURS + bytes(512), OURS[512:], b""):
        assert digest_of(io.BytesIO(cut)) != ours


def twice(recipe: Recipe) -> Recipe:
    """An image that has a layer two times."""
    return recipe.but(base=(*BASE, BASE[0]))


def with_notes(recipe: Recipe) -> Files:
    """As BuildKit saves it, with its notes on the build, in an index within the index."""
    files, note = modern(recipe), b'{"config": {"digest": "sha256:ab"}, "layers": []}'
    [image] = json.loads(files["index.json"])["manifests"]
    notes = descriptor(note, annotations={"vnd.docker.reference.type": ATTESTATION})
    inner = to_json({"manifests": [image, notes]})
    outer = to_json({"manifests": [descriptor(inner, mediaType="application/vnd.oci.image.index.v1+json")]})
    return files | {f"blobs/sha256/{digest(it)}": it for it in (note, inner)} | {"index.json": outer}


def with_a_linked_layer(recipe: Recipe) -> Files:
    """As docker 20.10 saves an image that has a layer twice: the second is a link to the first."""
    files = legacy(recipe)
    entries = json.loads(files["manifest.json"])
    first = entries[0]["Layers"][0]
    again = f"{'ab' * 32}/layer.tar"
    entries[0]["Layers"] = [*entries[0]["Layers"][:2], again, entries[0]["Layers"][-1]]
    return files | {f"{again}@": f"../{first}".encode(), "manifest.json": to_json(entries)}


FORMS: dict[str, Callable[[Recipe], Files]] = {
    "docker 25": modern,
    "docker 20.10": legacy,
    "podman": podmans,
    "buildkit": with_notes,
    "docker 25, gzip": lambda recipe: modern(recipe.but(pack=gzip.compress)),
    "docker 20.10, gzip": lambda recipe: legacy(recipe.but(pack=gzip.compress)),
    "podman, gzip": lambda recipe: podmans(recipe.but(pack=lambda layer: gzip.compress(layer, 1))),
    "in another order": lambda recipe: dict(reversed(modern(recipe).items())),
    "with another tag": lambda recipe: modern(recipe.but(names=["fanruan_license_server:2.1"])),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_image_in_any_form_becomes_the_same_archive_byte_for_byte(form: Callable[[Recipe], Files]) -> None:
    assert written(tar(form(GOOD))) == OURS


def test_an_image_that_has_a_layer_twice_has_it_once_in_the_archive() -> None:
    ours = written(tar(modern(twice(GOOD))))
    assert written(tar(with_a_linked_layer(twice(GOOD)))) == ours
    with tarfile.open(fileobj=io.BytesIO(ours)) as archive:
        assert archive.getnames().count(f"blobs/sha256/{digest(BASE[0])}") == 1
        [image] = json.loads((archive.extractfile("manifest.json") or io.BytesIO()).read())
    assert image["Layers"].count(f"blobs/sha256/{digest(BASE[0])}") == 2


def test_what_is_written_is_known_before() -> None:
    archive = described(tar(modern()))
    assert archive.size == len(OURS)
    assert archive.manifest in {name.removeprefix("blobs/sha256/") for name in archive.members}


def test_our_archive_of_our_archive_is_the_same() -> None:
    received, target = io.BytesIO(OURS), io.BytesIO()
    canonical(read_image(received, VENDOR_KEYS, REPOSITORY_ON_NODES).layout).write(received, target)
    assert target.getvalue() == OURS


def test_it_holds_one_image_under_a_name_of_ours_and_says_so_in_each_description() -> None:
    with tarfile.open(fileobj=io.BytesIO(OURS)) as archive:
        files = {it.name: (archive.extractfile(it) or io.BytesIO()).read() for it in archive if it.isfile()}
    [image] = json.loads(files["manifest.json"])
    layers = [f"blobs/sha256/{digest(layer)}" for layer in GOOD.layers]
    assert image == {
        "Config": f"blobs/sha256/{IMAGE_ID}",
        "Layers": layers,
        "RepoTags": [f"fineops-license:{IMAGE_ID[:32]}"],
    }
    [described_image] = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(files["blobs/" + described_image["digest"].replace(":", "/")])
    assert manifest["config"]["digest"] == f"sha256:{IMAGE_ID}"
    assert [f"blobs/{it['digest'].replace(':', '/')}" for it in manifest["layers"]] == layers
    assert files[f"blobs/sha256/{IMAGE_ID}"] == GOOD.config
    assert [files[layer] for layer in layers] == list(GOOD.layers)
    assert set(files) == {
        *layers,
        f"blobs/sha256/{IMAGE_ID}",
        f"blobs/sha256/{described(tar(modern())).manifest}",
        "index.json",
        "manifest.json",
        "oci-layout",
    }


def test_its_members_are_sorted_plain_and_of_nobody() -> None:
    with tarfile.open(fileobj=io.BytesIO(OURS)) as archive:
        members = archive.getmembers()
    assert [it.name for it in members] == sorted(it.name for it in members)
    assert {(it.uid, it.gid, it.uname, it.gname, it.mtime, it.linkname) for it in members} == {(0, 0, "", "", 0, "")}
    assert {(it.type, oct(it.mode)) for it in members} == {(b"0", "0o644"), (b"5", "0o755")}
    assert {OURS[it.offset + 257 : it.offset + 265] for it in members} == {b"ustar\x0000"}


def test_a_header_has_room_for_the_largest_layer() -> None:
    name = "blobs/sha256/" + "ab" * 32
    found = tarfile.TarInfo.frombuf(header(name, LARGEST_ARCHIVE - 1), "ascii", "strict")
    assert (found.name, found.size) == (name, LARGEST_ARCHIVE - 1)


def test_what_would_be_too_large_is_refused_before_anything_is_written() -> None:
    layout = read_image(io.BytesIO(tar(modern())), VENDOR_KEYS).layout
    large = replace(layout.layers[0], unpacked_size=LARGEST_ARCHIVE)
    with pytest.raises(Refused) as refusal:
        canonical(replace(layout, layers=(large, *layout.layers[1:])))
    assert refusal.value.code == "too-large"


def offset_of(content: bytes, archive: bytes) -> int:
    position = archive.index(content[:4096])
    assert archive[position : position + len(content)] == content
    return position


@pytest.mark.parametrize("layer", [0, 1, -1])
@pytest.mark.parametrize("pack", [bytes, partial(gzip.compress, mtime=0)], ids=["plain", "gzip"])
def test_a_layer_that_was_changed_after_the_check_is_noticed(pack: Callable[[bytes], bytes], layer: int) -> None:
    archive = tar(modern(GOOD.but(pack=pack)))
    [name] = [it for it in modern(GOOD.but(pack=pack)) if digest(pack(GOOD.layers[layer])) in it]
    content = modern(GOOD.but(pack=pack))[name]
    start = offset_of(content, archive)
    for place in {0, len(content) // 2, len(content) - 1}:
        changed = bytearray(archive)
        changed[start + place] ^= 1
        with pytest.raises(Refused) as refusal:
            written(archive, read_again=bytes(changed))
        assert refusal.value.code == "changed"


def test_a_layer_that_unpacks_to_more_than_it_did_is_not_unpacked_to_its_end() -> None:
    archive = bytearray(tar(modern(GOOD.but(pack=gzip.compress))))
    good = bytes(archive)
    content = gzip.compress(BASE[1])
    start = offset_of(content, good)
    more = gzip.compress(bytes(64 * MEBIBYTE))
    room = len(content) - len(more)
    if room < 0:  # a part of a bomb is one as well
        more, room = more[: len(content)], 0
    archive[start : start + len(content)] = more + bytes(room)
    target = io.BytesIO()
    with pytest.raises(Refused) as refusal:
        described(good).write(io.BytesIO(bytes(archive)), target)
    assert refusal.value.code == "changed"
    assert len(target.getvalue()) < len(OURS)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_became_of_the_received_file_the_result_is_right_or_refused(data: st.DataObject) -> None:
    archive = tar(modern())
    changed = bytearray(archive)
    for position in data.draw(st.lists(st.integers(0, len(archive) - 1), min_size=1, max_size=3)):
        changed[position] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.sampled_from([len(archive), data.draw(st.integers(0, len(archive)))]))
    with suppress(Refused):
        assert written(archive, read_again=bytes(changed[:cut])) == OURS


@given(st.integers(0, 1 << 32), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_images_of_any_layers_become_one_archive_from_every_form(seed: int, count: int) -> None:
    chance = random.Random(seed)
    sizes = (chance.choice((0, 1, 511, 512, 70_000)) for _ in range(count))
    recipe = GOOD.but(base=tuple(tar({f"file{it}": chance.randbytes(size)}) for it, size in enumerate(sizes)))
    assert len({written(tar(form(recipe))) for form in FORMS.values()}) == 1
