"""The launch code for FineOps' engineers, compiled and run by a real JDK, and its tokens taken by the wizard."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.desk import FakeDesk
from tests.embedding import AUD, ISS, ORIGIN, an_issuer, private_key
from tests.memory_store import MemoryAccounts
from tests.web.test_embed import embedded, launch
from wizard.domain.launch import Algorithm
from wizard.settings import ROOT
from wizard.web.launch_token import read

SOURCE = ROOT / "examples" / "java" / "LaunchToken.java"
"""One file, which stays so: it is to be copied."""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("javac") is None, reason="not installed: default-jdk-headless"),
]


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled as Java 8 has it, and nothing to warn of."""
    folder = tmp_path_factory.mktemp("classes")
    command = ["javac", "-Xlint:all,-options", "-Werror", "--release", "8", "-d", str(folder), str(SOURCE)]
    subprocess.run(command, check=True, timeout=120)
    return folder


def token(classes: Path, folder: Path, algorithm: Algorithm, name: str = "Wang Fang") -> str:
    file = folder / "key"
    file.write_bytes(private_key(algorithm))
    words = [algorithm.value, str(file), ISS, AUD, "sales", "admin", ORIGIN, name, "en"]
    run = subprocess.run(
        ["java", "-cp", str(classes), "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", "LaunchToken", *words],
        env={"LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return run.stdout.strip()


@pytest.mark.parametrize("algorithm", Algorithm)
def test_the_wizard_takes_what_java_signs(
    classes: Path, tmp_path: Path, desk: FakeDesk, accounts: MemoryAccounts, algorithm: Algorithm
) -> None:
    client = embedded(desk, accounts, an_issuer(algorithm)).test_client()
    for _ in range(5):  # each signature of ES256 is another one, with zeros here and there
        sent = token(classes, tmp_path, algorithm)
        desk.clock.now = datetime.now(UTC)  # by which the other program made it
        assert launch(client, sent).status_code == 200
        assert launch(client, sent).status_code == 403


@pytest.mark.parametrize("name", ['"quoted" \\ and more', "王芳", "a/b <c>"])
def test_names_of_all_kinds_arrive_as_they_were(classes: Path, tmp_path: Path, name: str) -> None:
    sent = token(classes, tmp_path, Algorithm.HS256, name)
    launched = read(sent, [an_issuer(Algorithm.HS256)], datetime.now(UTC))
    assert launched.name == f"{name} via FineOps"


def test_it_says_what_it_needs(classes: Path) -> None:
    run = subprocess.run(["java", "-cp", str(classes), "LaunchToken"], capture_output=True, text=True, check=False)
    assert (run.returncode, "KEYFILE" in run.stderr) == (2, True)
