"""What is looked for in a layer. The corpus has more, in whole archives."""

import io
import tracemalloc
from collections.abc import Iterator
from itertools import chain

import pytest

from tests.archive.build import CLAIMS_FILES, END, GOOD, VENDOR_KEYS, modern, tar
from tests.archive.corpus.forms import member, pax, record
from tests.figures import tell
from wizard.archive.blobs import Pieces, collect
from wizard.archive.layer import Inside, Looks, ensure_apart
from wizard.archive.limits import MOST_LAYER_LINKS, MOST_LAYER_MEMBERS, MOST_LAYER_NAMES, MOST_LINKS_KEPT
from wizard.archive.reader import read_image
from wizard.archive.tar import Source
from wizard.archive.verdicts import Refused

FOLDER, LINK, HARD_LINK = b"5", b"2", b"1"


def looked_into(*members: bytes) -> Inside:
    return Looks()(io.BytesIO(b"".join(members) + END), "one")


def fault(*members: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        looked_into(*members)
    assert refusal.value.params["member"] == "one"
    return refusal.value.code


def folder(name: str) -> bytes:
    return member(name, kind=FOLDER)


def link(name: str, to: str) -> bytes:
    return member(name, kind=LINK, link=to)


def hard_link(name: str, to: str) -> bytes:
    return member(name, kind=HARD_LINK, link=to)


def test_links_and_folders_that_are_only_gone_through_are_remembered() -> None:
    inside = looked_into(
        folder("./"), folder("usr/"), link("lib", "usr/lib"), member("usr/share/doc/x"), folder("usr/share/")
    )
    assert inside == Inside(links=frozenset({b"lib"}), implied=frozenset({b"usr/share/doc"}))


def test_a_link_may_lead_anywhere_while_nothing_goes_through_it() -> None:
    assert looked_into(link("etc", "/"), link("up", "../../..")).links == {b"etc", b"up"}


@pytest.mark.parametrize(
    "members",
    [
        (link("etc", "/"), member("etc/passwd")),
        (link("a", "/"), member("a/b/c")),
        (member("a"), member("a/b")),
        (hard_link("a", "none"),),
        (folder("b"), hard_link("a", "b")),
        (link("etc", "/"), hard_link("a", "etc/shadow")),
        (link("etc", "/"), hard_link("same", "etc"), member("same/passwd")),
    ],
)
def test_nothing_is_written_through_a_link_or_a_file(members: tuple[bytes, ...]) -> None:
    assert fault(*members) == "layer-link"


def test_what_another_name_of_a_link_is_counts_for_the_layers_above() -> None:
    below = looked_into(link("etc", "/"), hard_link("same", "etc"))
    above = looked_into(member("same/passwd"))
    with pytest.raises(Refused) as refusal:
        ensure_apart([("below", below), ("above", above)])
    assert (refusal.value.code, refusal.value.params) == ("layer-link", {"member": "above"})
    ensure_apart([("above", above), ("below", below)])
    ensure_apart([("below", below), ("above", looked_into(folder("same"), member("same/passwd")))])


@pytest.mark.parametrize(
    "members",
    [
        (member("etc/x"), member(".wh.etc")),
        (member(".wh.etc"), member("etc/x")),
        (member(".wh.etc"), folder("etc")),
        (member(".wh.x"), member(".wh.x")),
        (member("etc/.wh..wh..opq"), member("etc/.wh..wh..opq")),
        (member("etc/.wh.x/y"),),
        (member(".wh..wh..opq/y"),),
        (member("app/.wh..wh..opq"),),
        (member("app/license/.wh..wh..opq"),),
        (member(".wh.app"),),
    ],
)
def test_a_whiteout_removes_what_is_beneath_and_nothing_that_is_needed(members: tuple[bytes, ...]) -> None:
    assert fault(*members) == "layer-whiteout"


def test_a_folder_may_be_emptied_and_filled_anew() -> None:
    assert looked_into(folder("etc"), member("etc/.wh..wh..opq"), member("etc/x"), member("app/.wh.old")).links == set()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "a/.."])
def test_no_path_leads_out(name: str) -> None:
    assert fault(member(name)) == fault(hard_link("x", name)) == "layer-escaping"


@pytest.mark.parametrize("name", ["a//b", "a/./b", "a/", ".", "./", "", "./.", "x" * 99 + "/"])
def test_a_path_is_spelled_in_one_way(name: str) -> None:
    assert fault(member(name)) == "layer-tar"


def test_a_link_to_nothing_at_all_is_none() -> None:
    assert fault(link("a", "")) == "layer-tar"


def test_that_the_layer_cannot_be_read_is_no_fault_of_what_is_in_it() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise Refused("packed-damaged")

    with pytest.raises(Refused) as refusal:
        Looks()(Broken(), "one")
    assert refusal.value.code == "packed-damaged"


def many(count: int, name: str) -> Iterator[bytes]:
    return (member(name % number) for number in range(count))


def test_a_layer_of_too_many_members_is_refused() -> None:
    members = chain(many(MOST_LAYER_MEMBERS + 1, "%d"), (END,))
    with pytest.raises(Refused) as refusal:
        Looks()(Pieces(members), "one")
    assert refusal.value.code == "layer-members"


@pytest.mark.parametrize(
    ("name", "count"),
    [("x" * 4000, MOST_LAYER_NAMES // 4000), ("a/" * 2000 + "x", 2 + MOST_LAYER_NAMES // (2000 * 2000))],
    ids=["files", "folders that are only gone through"],
)
def test_a_layer_of_too_long_names_is_refused(name: str, count: int) -> None:
    named = (pax(record("path", f"{number:05}{name}")) + member("x") for number in range(count))
    with pytest.raises(Refused) as refusal:
        Looks()(Pieces(chain(named, (END,))), "one")
    assert refusal.value.code == "layer-members"


def test_a_layer_of_too_many_links_is_refused() -> None:
    links = (link(f"{number}", "x") for number in range(MOST_LAYER_LINKS + 1))
    with pytest.raises(Refused) as refusal:
        Looks()(Pieces(chain(links, (END,))), "one")
    assert refusal.value.code == "layer-members"


def test_over_all_layers_no_more_links_are_kept_than_fit() -> None:
    looks, name = Looks(), "x" * 90
    layer = b"".join(link(f"{name}{number:05}", "x") for number in range(1000)) + END
    for _ in range(MOST_LINKS_KEPT // 95_000):
        looks(io.BytesIO(layer), "one")
    with pytest.raises(Refused) as refusal:
        looks(io.BytesIO(layer), "one")
    assert refusal.value.code == "layer-members"


def test_of_layers_with_a_fault_nothing_is_held_on_to() -> None:
    """Each is as large as may be, and has its fault at its end."""
    names = b"".join(many(20_000, "x" * 80 + "%05d"))
    base = tuple(names + member(f"dev{number}", kind=b"3") + END for number in range(6))
    archive = io.BytesIO(tar(modern(GOOD.but(base=base))))
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as refusal:
            read_image(archive, VENDOR_KEYS)
        peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    finally:
        tracemalloc.stop()
    assert refusal.value.code == "layer-device"
    assert tell("layer.faults_memory_mib", peak, "<=", 20, digits=1)


def test_a_fault_matters_only_in_what_is_used_as_a_layer() -> None:
    """The descriptions are looked into like all else."""
    blobs = collect(Source(io.BytesIO(tar(modern()))))
    assert {name for name, blob in blobs.items() if blob.fault} >= {"index.json", "manifest.json", "oci-layout"}
    assert read_image(io.BytesIO(tar(modern())), VENDOR_KEYS).image_id


def test_the_claims_own_layer_is_looked_into_as_well() -> None:
    top = tar(CLAIMS_FILES)[: -len(END)] + member("app/license/pipe", kind=b"6") + END
    with pytest.raises(Refused) as refusal:
        read_image(io.BytesIO(tar(modern(GOOD.but(top=top)))), VENDOR_KEYS)
    assert refusal.value.code == "layer-device"
