"""What is read from a whole archive, and what is refused."""

import gzip
import io
import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.broken import long_name, pax
from tests.archive.build import (
    BASE,
    GOOD,
    VENDOR_KEYS,
    Files,
    checked,
    descriptor,
    digest,
    entry,
    header,
    legacy,
    modern,
    padded,
    podmans,
    tar,
    to_json,
)
from wizard.archive.canonical import canonical
from wizard.archive.layout import ATTESTATION
from wizard.archive.reader import Contents, claims_of, read_image
from wizard.archive.verdicts import VERDICTS, Refused
from wizard.errors import InvalidInput

LAYOUTS: dict[str, Callable[..., Files]] = {"modern": modern, "legacy": legacy, "podman": podmans}


def read(archive: bytes) -> Contents:
    return read_image(io.BytesIO(archive), VENDOR_KEYS)


@pytest.fixture(params=list(LAYOUTS))
def files(request: pytest.FixtureRequest) -> Files:
    """A good archive in each of the layouts."""
    return LAYOUTS[request.param]()


def test_every_layout_is_read_alike(files: Files) -> None:
    contents = read(tar(files))
    assert contents.image_id == digest(GOOD.config)
    assert contents.diff_ids == tuple(f"sha256:{digest(layer)}" for layer in GOOD.layers)
    assert contents.claims_envelope == GOOD.envelope


@pytest.mark.parametrize("name", ["another/layer.tar", "ab/json", "autorun"])
def test_a_link_leads_to_a_layer_or_is_refused(name: str) -> None:
    link = entry(name.replace("a", "ab" * 32, 1) if "/" in name else name, b"", b"2", link=b"../manifest.json")
    with pytest.raises(Refused):
        read(link + tar(modern()))


def test_a_layer_that_is_a_link_to_nothing_is_missing() -> None:
    files = podmans()
    layer = next(name for name in files if name.endswith("/layer.tar@"))
    entries = json.loads(files["manifest.json"])
    entries[0]["Layers"][0] = layer[:-1]
    files |= {"manifest.json": to_json(entries), layer: f"../{'ab' * 32}.tar".encode()}
    with pytest.raises(Refused) as refusal:
        read(tar(files))
    assert refusal.value.code == "missing"


def test_the_contents_tell_whose_licence_it_is(files: Files) -> None:
    contents = read(tar(files))
    assert (contents.repository, contents.tag, contents.architecture) == ("fanruan_license_server", "1.0.0", "amd64")
    assert contents.claims
    assert (contents.claims.company, contents.claims.registrations) == ("Tiān Xià 天下 Ltd.", 3)
    assert contents.claims.issued_at == datetime(2026, 11, 24, 5, tzinfo=UTC)
    assert contents.claims_envelope == GOOD.envelope
    assert contents.size == len(tar(files))
    assert [layer.unpacked_size for layer in contents.layout.layers] == [len(layer) for layer in GOOD.layers]


def test_the_order_of_the_files_does_not_matter(files: Files) -> None:
    expected = read(tar(files))
    for seed in range(5):
        shuffled = random.Random(seed).sample(list(files.items()), len(files))
        assert read(tar(dict(shuffled))) == expected


def test_gzip_layers_are_the_same_image() -> None:
    assert read(tar(modern(GOOD.but(pack=gzip.compress)))).image_id == read(tar(modern())).image_id


def test_a_gzip_layer_that_unpacks_to_many_pieces_is_read_whole() -> None:
    base = (tar({"etc/": b"", "etc/zeros": bytes(5 << 20)}),)
    layout = read(tar(modern(GOOD.but(base=base, pack=gzip.compress)))).layout
    assert layout.layers[0].unpacked_size == len(base[0])


def test_zeros_that_fill_the_last_record_are_no_content(files: Files) -> None:
    assert read(tar(files) + bytes(10_240)).image_id == digest(GOOD.config)


@pytest.mark.parametrize("longer", [pax(b"22 path=manifest.json\n"), long_name(b"manifest.json\0")])
def test_pax_and_gnu_names_stand_for_the_name_in_the_header(longer: bytes) -> None:
    files = modern()
    named = longer + entry("shortened", files.pop("manifest.json"))
    assert read(named + tar(files)).image_id == digest(GOOD.config)


def test_a_pax_size_stands_for_the_size_in_the_header() -> None:
    files = modern()
    content = files.pop("manifest.json")
    size = b"%d" % len(content)
    record = b"%d size=%s\n" % (len(size) + 9, size)
    resized = pax(record) + header(b"manifest.json", 0) + entry("x", content)[512:]
    assert read(resized + tar(files)).image_id == digest(GOOD.config)


def test_names_split_into_prefix_and_name_are_joined() -> None:
    files = modern()
    name = next(name for name in files if name.startswith("blobs/sha256/") and len(name) > 20)
    block = bytearray(header(name.removeprefix("blobs/").encode(), len(files[name])))
    block[345:350] = b"blobs"
    from_prefix = checked(block) + padded(files.pop(name))
    assert read(from_prefix + tar(files)).image_id == digest(GOOD.config)


def test_build_attestations_beside_the_image_are_not_taken_for_images() -> None:
    files = modern()
    note = to_json({"mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {}, "layers": []})
    image = next(name for name in files if b"image.manifest" in files[name] and name != "index.json")
    nested = to_json(
        {
            "manifests": [
                descriptor(files[image]),
                descriptor(note, annotations={"vnd.docker.reference.type": ATTESTATION}),
            ]
        }
    )
    for content in (note, nested):
        files[f"blobs/sha256/{digest(content)}"] = content
    files["index.json"] = to_json(
        {"manifests": [descriptor(nested, mediaType="application/vnd.oci.image.index.v1+json")]}
    )
    assert read(tar(files)).image_id == digest(GOOD.config)


def test_a_stream_that_gives_little_at_a_time_is_read_as_well(files: Files) -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 777))

    assert read_image(Dripping(tar(files)), VENDOR_KEYS) == read(tar(files))


def test_the_claims_of_our_own_archive_are_given_as_they_were_signed(tmp_path: Path) -> None:
    path, received = tmp_path / "image.tar", io.BytesIO(tar(modern()))
    with path.open("wb") as file:
        canonical(read_image(received, VENDOR_KEYS).layout).write(received, file)
    assert claims_of(path, VENDOR_KEYS) == GOOD.envelope


def test_an_archive_that_is_not_ours_is_not_asked_for_its_claims(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(tar(modern()))
    with pytest.raises(Refused):
        claims_of(path, VENDOR_KEYS)


def test_every_verdict_has_three_parts_that_can_be_said() -> None:
    params = dict.fromkeys(re.findall(r"%\((\w+)\)s", str(VERDICTS)), "x")
    for code in VERDICTS:
        problem = Refused(code, **params).problem
        for part in (problem.happened, problem.why, problem.todo):
            assert part is not None
            assert str(part).endswith(".")
            assert "!" not in str(part)
            assert "%" not in str(part)


def test_a_name_out_of_an_archive_is_shown_without_control_characters() -> None:
    with pytest.raises(Refused) as refusal:
        read(entry("\x1b[2J" + "a" * 90, b""))
    why = str(refusal.value.problem.why)
    assert "\x1b" not in why
    assert len(why) < 160


WHOLE = {name: tar(layout(GOOD.but(base=BASE[:1]))) for name, layout in LAYOUTS.items()}


def survives(archive: bytes) -> None:
    """It is either read or refused; nothing else may happen."""
    with suppress(InvalidInput):
        read(archive)


@pytest.mark.parametrize("archive", WHOLE.values(), ids=WHOLE)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_an_archive_cut_anywhere_is_refused(archive: bytes, data: st.DataObject) -> None:
    with pytest.raises(Refused):
        read(archive[: data.draw(st.integers(0, len(archive) - 1))])


@pytest.mark.parametrize("archive", WHOLE.values(), ids=WHOLE)
@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_flipped_bits_are_read_or_refused_and_nothing_else(archive: bytes, data: st.DataObject) -> None:
    changed = bytearray(archive)
    for position in data.draw(st.lists(st.integers(0, 8 * len(archive) - 1), min_size=1, max_size=4)):
        changed[position // 8] ^= 1 << position % 8
    survives(bytes(changed))


SHAPES: list[object] = [None, 1, "x", [], {}, [{}], {"manifests": [{}]}, [[1]], {"Config": 1}, -1e308]


@given(st.lists(st.sampled_from(sorted(modern())), max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_descriptions_of_any_shape_are_read_or_refused(names: list[str], chance: random.Random) -> None:
    """JSON of another shape in the place of any file, with all digests put right or not."""
    files = modern()
    for name in names:
        if not name.endswith("/"):
            files[name] = to_json(chance.choice(SHAPES))
    survives(tar(files))


@given(st.binary(max_size=3000))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read(data)
