"""The house holds together: what DESIGN.md and STYLE.md ask of the files themselves."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wizard.settings import ROOT
from wizard.steps import FLOW

TOP_LEVEL = {
    *("app.py", "wsgi.py", "templates", "static", "wizard", "tests", "docs", "bench", "examples"),
    *("requirements.in", "requirements.txt", "requirements-dev.in", "requirements-dev.txt"),
    *("README.md", "LICENSE", "CHANGELOG.md", "Makefile", "pyproject.toml", "Dockerfile", "compose.yaml"),
    *(".ci", ".editorconfig", ".gitignore", ".dockerignore", ".git"),
}
MADE_HERE = {line.strip().strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
LONGEST = 400
"""Lines of a file; a longer one is asking to be split (STYLE.md)."""
TEXTS = {"", ".py", ".html", ".css", ".js", ".md", ".toml", ".txt", ".in", ".yaml", ".yml", ".svg", ".mako", ".ini"}
ELSEWHERE = re.compile(r"/work/|/root/|/opt/wheels|pypi\.|pythonhosted|npmjs|TODO|FIXME")
"""Places of one machine, registries, and promises."""


MIGRATIONS = ROOT / "wizard" / "store" / "migrations" / "versions"
"""Alembic loads these by their folder; they are no package."""


def files() -> Iterator[Path]:
    """Every file that belongs to the project."""
    for entry in ROOT.iterdir():
        if entry.name in TOP_LEVEL - {".git"}:
            yield from [entry] if entry.is_file() else (path for path in entry.rglob("*") if path.is_file())


def sources() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> set[str]:
    """The modules that a file imports, by their full names."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)} imports relative to itself"
            found.add(node.module or "")
    return found


def test_the_top_level_holds_what_the_design_lists() -> None:
    assert {entry.name for entry in ROOT.iterdir()} - TOP_LEVEL - MADE_HERE == set()


@pytest.mark.parametrize("slug", [step.slug for step in FLOW.steps])
def test_a_step_has_its_module_its_template_and_its_test(slug: str) -> None:
    for place in (f"wizard/steps/{slug}.py", f"templates/steps/{slug}.html", f"tests/steps/test_{slug}.py"):
        assert (ROOT / place).is_file(), place


def test_no_module_template_or_test_is_left_of_a_step_that_is_no_more() -> None:
    slugs = {step.slug for step in FLOW.steps}
    assert {path.stem for path in (ROOT / "wizard" / "steps").glob("[!_]*.py")} == slugs
    assert {path.stem for path in (ROOT / "templates" / "steps").glob("[!_]*.html")} == slugs


def test_no_source_file_is_too_long_to_read() -> None:
    long = {shown(path): lines for path in sources() if (lines := len(path.read_text().splitlines())) > LONGEST}
    assert long == {}


def test_no_file_knows_a_place_of_one_machine_or_a_registry() -> None:
    told = {
        f"{shown(path)}: {found[0]}"
        for path in files()
        if path.suffix in TEXTS and path != Path(__file__) and "htmx" not in path.name
        if (found := ELSEWHERE.search(path.read_text()))
    }
    assert told == set()


def test_every_room_says_what_it_is_for() -> None:
    rooms = {path.parent for path in sources() if path.is_relative_to(ROOT / "wizard")} - {MIGRATIONS}
    assert {shown(room) for room in rooms if ast.get_docstring(parsed(room / "__init__.py")) is None} == set()


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in sources() if path.is_relative_to(ROOT / "tests")}
    assert {shown(folder) for folder in folders if not (folder / "__init__.py").is_file()} == set()


def test_nothing_of_ours_is_patched_in_tests() -> None:
    patching = re.compile(r"monkeypatch\.set(attr|item)\(|unittest\.mock")
    assert [shown(path) for path in sources() if patching.search(path.read_text())] == []


@pytest.mark.parametrize("room", ["rules", "protocol"])
def test_rules_and_protocol_need_the_standard_library_and_cryptography_alone(room: str) -> None:
    allowed = {*sys.stdlib_module_names, "cryptography"}
    own = ("wizard.licensing.rules", "wizard.licensing.protocol")
    place = ROOT / "wizard" / "licensing" / room
    for path in [place.with_suffix(".py")] if place.with_suffix(".py").is_file() else place.rglob("*.py"):
        foreign = {name for name in imports(path) if name.split(".")[0] not in allowed and not name.startswith(own)}
        assert foreign == set(), shown(path)


def test_what_is_tested_is_what_is_run() -> None:
    run, tested = pins("requirements.txt"), pins("requirements-dev.txt")
    assert run
    assert {name: tested.get(name) for name in run} == run


def pins(name: str) -> dict[str, str]:
    """The version of each package; some have two, for different Pythons."""
    found: dict[str, str] = {}
    for package, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE):
        found[package] = f"{found.get(package, '')} {version}".strip()
    return found


@pytest.mark.parametrize(("ci", "status"), [("true", pytest.ExitCode.TESTS_FAILED), ("", pytest.ExitCode.OK)])
@pytest.mark.parametrize("skip", ["pytest.skip('no browser')", "pytest.importorskip('there_is_no_such_module')"])
def test_in_ci_a_skipped_test_is_a_failed_one(tmp_path: Path, ci: str, status: int, skip: str) -> None:
    (tmp_path / "test_skipping.py").write_text(f"import pytest\ndef test_skipped():\n    {skip}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.no_skips", "-c", os.devnull, str(tmp_path)]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert run.returncode == status


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text("import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert 0\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.no_skips", "-c", os.devnull, str(tmp_path)]
    environment = os.environ | {"CI": "true", "PYTHONPATH": str(ROOT)}
    assert subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False).returncode == 0
