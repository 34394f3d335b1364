"""The issued archive: a real `docker save` layout whose digests are right."""

import hashlib
import io
import json
import subprocess
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

import wizard.licensing.server
from tests.licensing.vendor.instances import NOW, ORDER, small_base, small_office
from wizard.licensing.protocol.claims import (
    CLAIMS_LABEL,
    layers_digest,
    load_vendor_keys,
    read_claims,
    settings_digest,
    sign_claims,
)
from wizard.licensing.vendor.base import open_base, use_own
from wizard.licensing.vendor.image import Archive, layers_of, personalize
from wizard.licensing.vendor.keys import open_keys
from wizard.licensing.vendor.layers import Base
from wizard.licensing.vendor.machine import distributions
from wizard.licensing.vendor.office import open_office

MEGABYTE = 1_000_000


def contents(archive: Archive) -> dict[str, bytes]:
    """The archive's files by name, read back from its bytes."""
    data = b"".join(archive.pieces())
    assert len(data) == archive.size
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    office = small_office(tmp_path_factory.mktemp("vendor"))
    try:
        return contents(office.issue(ORDER, NOW).archive)
    finally:
        office.close()


def config_of(files: dict[str, bytes]) -> dict[str, object]:
    [image] = json.loads(files["manifest.json"])
    config: dict[str, object] = json.loads(files[image["Config"]])
    return config


def test_it_has_the_layout_of_docker_save_since_25(files: dict[str, bytes]) -> None:
    assert {name for name in files if not name.startswith("blobs/")} == {"index.json", "manifest.json", "oci-layout"}
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    [image] = json.loads(files["manifest.json"])
    assert image["RepoTags"] == ["fanruan_license_server:1.0.0"]


def test_every_blob_is_named_after_its_digest(files: dict[str, bytes]) -> None:
    blobs = {name: content for name, content in files.items() if name.startswith("blobs/")}
    assert len(blobs) == 4
    for name, content in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def test_index_and_manifest_lead_to_the_same_image(files: dict[str, bytes]) -> None:
    [described] = json.loads(files["index.json"])["manifests"]
    manifest_bytes = files["blobs/" + described["digest"].replace(":", "/")]
    assert len(manifest_bytes) == described["size"]
    manifest = json.loads(manifest_bytes)
    [image] = json.loads(files["manifest.json"])
    assert "blobs/" + manifest["config"]["digest"].replace(":", "/") == image["Config"]
    assert ["blobs/" + layer["digest"].replace(":", "/") for layer in manifest["layers"]] == image["Layers"]
    assert [layer["size"] for layer in manifest["layers"]] == [len(files[name]) for name in image["Layers"]]


def test_the_diff_ids_are_the_digests_of_the_layers(files: dict[str, bytes]) -> None:
    [image] = json.loads(files["manifest.json"])
    digests = [f"sha256:{hashlib.sha256(files[name]).hexdigest()}" for name in image["Layers"]]
    assert config_of(files)["rootfs"] == {"type": "layers", "diff_ids": digests}


def test_the_personal_layer_holds_the_claims_and_their_folders_only(files: dict[str, bytes], tmp_path: Path) -> None:
    [image] = json.loads(files["manifest.json"])
    with tarfile.open(fileobj=io.BytesIO(files[image["Layers"][-1]])) as layer:
        assert layer.getnames() == ["app", "app/license", "app/license/claims.json"]
        envelope = layer.extractfile("app/license/claims.json").read()  # type: ignore[union-attr]
    run = config_of(files)["config"]
    assert isinstance(run, dict)
    assert run["Labels"][CLAIMS_LABEL].encode() == envelope


def test_the_claims_name_the_base_that_they_lie_upon(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    files = contents(office.issue(ORDER, NOW).archive)
    config = config_of(files)
    claims = read_claims(config["config"]["Labels"][CLAIMS_LABEL].encode(), office.keys.public)  # type: ignore[index]
    assert claims.layers == layers_digest(config["rootfs"]["diff_ids"][:-1])  # type: ignore[index]
    assert (claims.company, claims.project, claims.registrations) == (ORDER.company, ORDER.project, 2)
    office.close()


def test_the_claims_name_the_settings_of_the_image(files: dict[str, bytes]) -> None:
    run = config_of(files)["config"]
    assert isinstance(run, dict)
    claimed = json.loads(run["Labels"][CLAIMS_LABEL])["claims"]["settings"]
    assert claimed == settings_digest(run)
    assert claimed != settings_digest(run | {"Entrypoint": ["/another/program"]})
    assert None not in run.values()


def test_the_same_claims_make_the_same_bytes(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    office = small_office(tmp_path)
    claims = read_claims(
        config_of(contents(office.issue(ORDER, NOW).archive))["config"]["Labels"][CLAIMS_LABEL].encode(),  # type: ignore[index]
        keys.public,
    )
    base = small_base(tmp_path)
    first, second, other = (
        personalize(base, it, sign_claims(it, keys.signing))
        for it in (claims, replace(claims), replace(claims, company="Another"))
    )
    assert b"".join(first.pieces()) == b"".join(second.pieces())
    assert b"".join(first.pieces()) != b"".join(other.pieces())
    office.close()


# From here on the real base, which is made once for all of these tests.


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def base(data: Path) -> Base:
    return open_base(data, open_keys(data).public_file)


def content_of(base: Base) -> Path:
    """The layer that makes up nearly all of it."""
    path = base.layers[0].path
    assert path is not None
    return path


def test_the_base_is_large_enough_to_be_a_real_image_and_its_diff_id_is_right(base: Base) -> None:
    assert content_of(base).stat().st_size == base.layers[0].size >= 50 * MEGABYTE
    with content_of(base).open("rb") as file:
        assert base.layers[0].diff_id == f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def test_the_configuration_runs_the_authorization_application_without_privileges(base: Base) -> None:
    assert base.config["User"] == "65532:65532"
    assert base.config["ExposedPorts"] == {"18081/tcp": {}}
    assert base.config["Entrypoint"] == ["/usr/local/bin/python3", "-m", "wizard.licensing.server"]
    assert "Volumes" not in base.config


def test_the_base_holds_what_the_application_needs_and_not_the_vendor(base: Base, data: Path) -> None:
    with tarfile.open(content_of(base)) as layer:
        names = set(layer.getnames())
        owners = {name: layer.getmember(name).uid for name in ("app/config", "app/log", "app/tls", "app/web", "app")}
    assert owners == {"app/config": 65532, "app/log": 65532, "app/tls": 65532, "app/web": 65532, "app": 0}
    assert {"usr/local/bin/python3", "app/wizard/licensing/protocol/qr.py", "tmp"} <= names
    assert not any("licensing/vendor" in name or "/test/" in name for name in names)


def test_the_vendors_public_keys_are_a_layer_of_the_base_so_the_claims_speak_of_them(base: Base, data: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(base.layers[-1].content)) as layer:
        assert layer.getnames() == ["app", "app/license", "app/license/vendor.pub"]
        keys = load_vendor_keys(layer.extractfile("app/license/vendor.pub").read())  # type: ignore[union-attr]
    assert list(keys) == [open_keys(data).kid]
    other = open_base(data, b"another vendor.pub")
    assert (other.layers[0], layers_of(other) == layers_of(base)) == (base.layers[0], False)


def test_every_module_is_compiled_and_never_compared_with_its_source(base: Base) -> None:
    """PEP 552: after the magic number, flags 1 say a hash that is not checked. Times would differ from run to run."""
    with tarfile.open(content_of(base)) as layer:
        modules = [member.name for member in layer if member.name.endswith(".py")]
        compiled = [member for member in layer if member.name.endswith(".pyc")]
        assert len(compiled) == len(modules) > 1000
        assert {layer.extractfile(member).read(8)[4:] for member in compiled} == {b"\1\0\0\0"}  # type: ignore[union-attr]


def test_of_languages_only_those_of_the_pages_are_in_the_base(base: Base) -> None:
    with tarfile.open(content_of(base)) as layer:
        data = {Path(name).stem for name in layer.getnames() if "/locale-data/" in name}
    assert {"root", "en", "zh_Hans_CN", "ja_JP", "ko_KR"} <= data
    assert not any(name.startswith(("de", "fr")) for name in data)


def test_the_base_is_the_same_each_time(base: Base, data: Path, tmp_path: Path) -> None:
    assert layers_of(open_base(tmp_path, open_keys(data).public_file)) == layers_of(base)


def test_a_base_that_is_there_is_used_and_an_older_one_is_forgotten(base: Base, data: Path) -> None:
    made = content_of(base).stat().st_mtime_ns
    assert open_base(data, open_keys(data).public_file) == base
    assert content_of(base).stat().st_mtime_ns == made
    older = data / "base" / "own-older"
    older.mkdir()
    use_own(data)
    assert not older.exists()
    assert open_base(data, open_keys(data).public_file) == base


def test_a_base_that_was_left_half_made_is_made_anew(base: Base, data: Path) -> None:
    (content_of(base).parent / "base.json").unlink()
    (content_of(base).parent / "left").write_bytes(b"half")
    assert open_base(data, open_keys(data).public_file) == base
    assert not (content_of(base).parent / "left").exists()


def test_the_python_in_the_base_starts_with_its_own_libraries_only(base: Base, tmp_path: Path) -> None:
    """Unpacked anywhere, it imports all of the server from its own folder; an engine would chroot into it."""
    with tarfile.open(content_of(base)) as layer:
        layer.extractall(tmp_path, filter="tar")
    loader = next((tmp_path / "lib64").glob("ld-linux-*"), None) or next((tmp_path / "lib").glob("ld-linux-*"))
    script = (
        "import gunicorn.app.base, importlib, pkgutil, sys, wizard.licensing.server as server\n"
        "names = [f'{server.__name__}.{module.name}' for module in pkgutil.iter_modules(server.__path__)]\n"
        "print(sys.prefix, len([importlib.import_module(name) for name in names]))"
    )
    command = [loader, "--library-path", tmp_path / "usr/local/lib/shared", tmp_path / "usr/local/bin/python3"]
    ran = subprocess.run(
        [*map(str, command), "-c", script],
        env={"PYTHONPATH": str(tmp_path / "app"), "PYTHONHOME": str(tmp_path / "usr/local")},
        capture_output=True,
        text=True,
        check=False,
    )
    modules = len(list((Path(wizard.licensing.server.__file__).parent).glob("*.py"))) - 1
    assert ran.stdout.split() == [str(tmp_path / "usr/local"), str(modules)], ran.stderr


def test_issuing_takes_less_than_a_second_once_the_base_exists(base: Base, data: Path) -> None:
    office = open_office(data)
    began = time.monotonic()
    archive = office.issue(ORDER, NOW).archive
    assert time.monotonic() - began < 1
    assert archive.size > base.size
    archive.write(data / "out.tar")
    assert (data / "out.tar").stat().st_size == archive.size
    office.close()


def test_the_packages_follow_from_what_the_application_imports() -> None:
    names = {package.name.lower() for package in distributions()}
    assert {"flask", "werkzeug", "jinja2", "cryptography", "cffi", "sqlalchemy"} <= names
    assert not {"pytest", "mypy", "playwright"} & names
