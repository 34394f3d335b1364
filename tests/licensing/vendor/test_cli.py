"""The vendor's desk in a terminal."""

import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wizard.licensing.vendor.cli import data_folder, vendor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all of these tests, because the base takes a second to make."""
    return tmp_path_factory.mktemp("vendor")


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner(env={"VENDOR_DATA": str(folder)}).invoke(vendor, arguments)


def test_issue_writes_an_image_and_list_shows_its_licence(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "image.tar"
    result = run(
        folder, "issue", "--company", "A Company", "--project", "P", "--registrations", "3", "--out", str(out)
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    with tarfile.open(out) as archive:
        manifest = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert manifest[0]["RepoTags"] == ["fanruan_license_server:1.0.0"]
    listed = run(folder, "list").output
    assert "A Company / P (3)" in listed
    assert "not bound" in listed


def test_keys_shows_public_keys_only(folder: Path) -> None:
    shown = run(folder, "keys").output
    assert "vendor.pub" in shown
    for path in (folder / "keys").iterdir():
        assert path.read_text().strip() not in shown


def test_an_order_that_cannot_be_issued_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    result = run(
        folder, "issue", "--company", "A", "--project", "P", "--activation", "http://x/y", "--out", str(tmp_path / "o")
    )
    assert result.exit_code == 1
    assert "The claim 'activation'" in result.output
    assert not (tmp_path / "o").exists()


def test_the_data_folder_lies_in_the_wizards_unless_it_is_named() -> None:
    assert data_folder({}) == Path("instance/vendor")
    assert data_folder({"WIZARD_DATA": "state"}) == Path("state/vendor")
    assert data_folder({"WIZARD_DATA": "state", "VENDOR_DATA": "elsewhere"}) == Path("elsewhere")
