"""The program of the probe: that its listing is right, and that it says what it should."""

import io
import json
import os
import platform
import subprocess
import tarfile
from pathlib import Path

import pytest

from wizard.backends.engine.program import LISTING, MOST, PIECE, archive, program


def test_each_jump_leads_to_the_end() -> None:
    code = [bytes.fromhex(machine_code) for machine_code, _, _ in LISTING]
    starts = [sum(map(len, code[:number])) for number in range(len(code))]
    [exit_at] = [start for start, (_, words, _) in zip(starts, LISTING, strict=True) if words.startswith("exit:")]
    jumps = [
        start + 2 + it[1] for start, it, (_, words, _) in zip(starts, code, LISTING, strict=True) if words[0] == "j"
    ]
    assert jumps == [exit_at, exit_at]


def test_the_limits_in_the_listing_are_those_that_are_read() -> None:
    listing = {words: machine_code for machine_code, words, _ in LISTING}
    assert bytes.fromhex(listing[f"cmp rdi, {MOST}"])[-1] == MOST
    assert 1 << bytes.fromhex(listing["shr rdi, 26"])[-1] == PIECE


@pytest.mark.skipif(platform.machine() != "x86_64" or platform.system() != "Linux", reason="needs Linux on x86_64")
def test_it_says_how_much_is_free_where_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "probe"
    path.write_bytes(program())
    path.chmod(0o755)
    status = subprocess.run([path], check=False).returncode
    root = os.statvfs("/")
    assert abs(status - min(root.f_bavail * root.f_frsize // PIECE, MOST)) <= 1


def test_two_probes_have_images_of_their_own() -> None:
    assert archive("a:1", "label", "one")[1] != archive("a:1", "label", "two")[1]


def test_the_archive_is_small_and_says_what_it_is() -> None:
    content, image_id = archive("probe:1", "label", "one")
    assert len(content) < 32 << 10
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        configuration = members.extractfile(f"{image_id.removeprefix('sha256:')}.json")
        assert configuration is not None
        assert json.load(configuration)["config"]["Labels"] == {"label": "one"}
