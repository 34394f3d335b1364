"""A base that an engine built: read from whatever its `save` writes, kept, and personalized."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.licensing.vendor import saved
from tests.licensing.vendor.instances import NOW, ORDER
from tests.licensing.vendor.saved import Image, save
from wizard.archive.layer import Looks
from wizard.archive.reader import read_image
from wizard.archive.verdicts import Refused
from wizard.licensing.protocol.claims import layers_digest
from wizard.licensing.vendor import context
from wizard.licensing.vendor.base import open_base, use_built, use_own
from wizard.licensing.vendor.building import NoEngineError, find_engine
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.office import open_office

BY_ENGINE = pytest.mark.parametrize("write", saved.ENGINES, ids=lambda write: write.__name__)


@BY_ENGINE
def test_what_any_engine_saved_becomes_a_licence_image_that_the_wizard_accepts(
    write: Callable[[Image], bytes], tmp_path: Path
) -> None:
    use_built(tmp_path, save(tmp_path, write(Image())))
    office = open_office(tmp_path)
    issued = office.issue(ORDER, NOW)
    office.close()
    contents = read_image(io.BytesIO(b"".join(issued.archive.pieces())), office.keys.public)
    assert contents.diff_ids[:4] == tuple(f"sha256:{digest}" for digest in Image().digests)
    assert len(contents.diff_ids) == 6
    assert contents.claims
    assert contents.claims.layers == layers_digest(contents.diff_ids[:-1])


def test_every_engines_archive_of_one_image_becomes_the_same_base(tmp_path: Path) -> None:
    bases = [use_built(tmp_path / it.__name__, save(tmp_path, it(Image()))) for it in saved.ENGINES]
    assert all(
        [layer.diff_id for layer in base.layers] == [layer.diff_id for layer in bases[0].layers] for base in bases
    )
    assert all(base.config == bases[0].config for base in bases)


def test_of_its_configuration_only_what_runs_it_is_taken_over(tmp_path: Path) -> None:
    base = use_built(tmp_path, save(tmp_path, saved.docker_25(Image())))
    assert set(base.config) == {"User", "Entrypoint", "Env"}


def test_images_are_issued_upon_it_until_another_is_chosen(tmp_path: Path) -> None:
    first = use_built(tmp_path, save(tmp_path, saved.podman(Image())))
    assert open_base(tmp_path, b"keys").layers[:-1] == first.layers
    second = use_built(tmp_path, save(tmp_path, saved.podman(Image(layers=saved.LAYERS[:1]))))
    assert open_base(tmp_path, b"keys").layers[:-1] == second.layers
    assert [layer.path for layer in first.layers if layer.path and layer.path.exists()] == []
    own = use_own(tmp_path)
    assert open_base(tmp_path, b"keys").layers[:-1] == own.layers
    assert len(list((tmp_path / "base").glob("*/base.json"))) == 1


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (Image(diff_ids=("sha256:" + "0" * 64,) * 4), "is not the one that its configuration names"),
        (Image(diff_ids=("sha256:" + "0" * 64,)), "cannot be read"),
        (Image(system="windows"), "made for windows"),
        (Image(config={**saved.CONFIG, "User": "root"}), "other than root"),
        (Image(config={**saved.CONFIG, "User": "0:0"}), "other than root"),
        (Image(config={**saved.CONFIG, "User": "somebody"}), "by number"),
        (Image(config={**saved.CONFIG, "User": ""}), "other than root"),
        (Image(config={**saved.CONFIG, "Entrypoint": None}), "what to start"),
    ],
)
@BY_ENGINE
def test_an_image_that_must_not_be_handed_out_is_refused_and_the_kept_one_stays(
    write: Callable[[Image], bytes], image: Image, why: str, tmp_path: Path
) -> None:
    kept = use_built(tmp_path, save(tmp_path, write(Image())))
    with pytest.raises(VendorError, match=why):
        use_built(tmp_path, save(tmp_path, write(image)))
    assert open_base(tmp_path, b"keys").layers[:-1] == kept.layers


def a_layer_of(*members: tuple[str, bytes]) -> bytes:
    """Each with its name and its kind, as tarfile has them; a link leads to `etc/passwd`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for name, kind in members:
            header = tarfile.TarInfo(name)
            header.type = kind
            header.linkname = "etc/passwd" if header.islnk() or header.issym() else ""
            layer.addfile(header)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("members", "what", "todo"),
    [
        ([("dev/null", tarfile.CHRTYPE)], "dev/null", "--skip=output/dev"),
        ([("dev/sda", tarfile.BLKTYPE)], "dev/sda", "--skip=output/dev"),
        ([("run/initctl", tarfile.FIFOTYPE)], "run/initctl", "--skip=output/dev"),
        ([("var/log/lastlog", tarfile.GNUTYPE_SPARSE)], "var/log/lastlog", "--skip=output/dev"),
        ([("/etc/passwd", tarfile.REGTYPE)], "/etc/passwd, which leads out", "within"),
        ([("../etc/passwd", tarfile.REGTYPE)], "../etc/passwd, which leads out", "within"),
        ([("etc", tarfile.DIRTYPE), ("./etc", tarfile.DIRTYPE)], "etc twice", "once"),
    ],
)
def test_what_the_wizard_would_refuse_in_every_image_is_refused_in_the_base(
    members: list[tuple[str, bytes]], what: str, todo: str, tmp_path: Path
) -> None:
    layer = a_layer_of(("etc/passwd", tarfile.REGTYPE), ("sbin/init", tarfile.REGTYPE), *members)
    with pytest.raises(Refused):
        Looks()(io.BytesIO(layer), "the base")
    kept = use_built(tmp_path, save(tmp_path, saved.docker_25(Image())))
    with pytest.raises(VendorError) as refused:
        use_built(tmp_path, save(tmp_path, saved.docker_25(Image(layers=(*saved.LAYERS, layer)))))
    assert what in refused.value.what
    assert "The wizard refuses" in refused.value.what
    assert todo in refused.value.todo
    assert open_base(tmp_path, b"keys").layers[:-1] == kept.layers


def test_folders_and_links_of_a_base_and_what_it_removes_of_lower_layers_are_taken(tmp_path: Path) -> None:
    layer = a_layer_of(
        ("./", tarfile.DIRTYPE),
        ("./etc/", tarfile.DIRTYPE),
        ("./etc/passwd", tarfile.REGTYPE),
        ("./etc/shadow", tarfile.LNKTYPE),
        ("./etc/.wh.group", tarfile.REGTYPE),
        ("./users", tarfile.SYMTYPE),
    )
    Looks()(io.BytesIO(layer), "the base")
    assert len(use_built(tmp_path, save(tmp_path, saved.docker_25(Image(layers=(layer,))))).layers) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no tar at all" * 100,
        saved.a_tar({}),
        saved.a_tar({"manifest.json": b"{"}),
        saved.a_tar({"manifest.json": b"[]"}),
        saved.a_tar({"manifest.json": b"[{}, {}]"}),
        saved.a_tar({"manifest.json": b"[{}]"}),
        saved.a_tar({"manifest.json": json.dumps([{"Config": "gone", "Layers": []}]).encode()}),
        saved.docker_25(Image(), pack=lambda layer: b"\x1f\x8b" + layer),
        saved.docker_25(Image())[:-12_000],
    ],
)
def test_what_is_no_saved_image_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(VendorError, match="No licence image can be made upon this one") as refused:
        use_built(tmp_path, save(tmp_path, content))
    assert "docker save" in refused.value.todo


def test_the_context_names_each_package_by_its_hashes_and_none_that_the_wizard_alone_needs() -> None:
    text = context.requirements()
    names = {line.partition("==")[0] for line in text.splitlines() if line[:1].isalpha()}
    assert {"flask", "cryptography", "gunicorn", "sqlalchemy", "babel"} <= names
    assert not {"docker", "huey", "alembic", "psutil"} & names
    assert text.count("--hash=sha256:") >= len(names)


def test_an_engine_that_was_asked_for_and_does_not_answer_is_an_error() -> None:
    with pytest.raises(VendorError, match="no-such-engine --at-all does not answer") as refused:
        find_engine("no-such-engine --at-all")
    assert not isinstance(refused.value, NoEngineError)
