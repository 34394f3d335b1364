"""Read the list of faults, plant one of them in a copy of what the suite needs, and see what finds it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = Path("wizard/licensing/rules")
SUITE = (
    "tests/licensing/test_rules.py",
    "tests/licensing/test_rules_project.py",
    "tests/licensing/test_rules_boundaries.py",
    "tests/licensing/test_rules_memory.py",
    "tests/licensing/test_timeline.py",
    "tests/simulation/test_simulation.py",
)
NEEDED = (
    "pyproject.toml",
    "wizard/__init__.py",
    "wizard/licensing/__init__.py",
    str(RULES),
    "tests/__init__.py",
    "tests/conftest.py",
    "tests/no_skips.py",
    "tests/licensing/__init__.py",
    "tests/simulation",
    *SUITE[:-1],
)
"""Files and folders that are copied."""
BARE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""These tests need no plugin, and loading them takes longer than most of the runs."""
LONGEST = 120
"""Seconds. A fault may keep the rules from coming to an end; that shows, too."""
ENDLESS = "it does not end"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """In `file` of the rules `old`, which occurs exactly once, becomes `new`."""

    name: str
    rule: str
    file: str
    old: str
    new: str

    def planted(self, text: str) -> str:
        """The text of the file with the fault. Unplantable when it is not clear where it belongs."""
        if text.count(self.old) != 1 or self.old == self.new:
            raise Unplantable(f"{self.name}: what it replaces in {self.file} occurs {text.count(self.old)} times")
        return text.replace(self.old, self.new)


class Unplantable(Exception):
    """The list does not fit the rules any more: bring it up to date."""


def faults() -> list[Fault]:
    listed = tomllib.loads(Path(__file__).with_name("faults.toml").read_text())
    return [Fault(**fault) for fault in listed["fault"]]


class Bed:
    """A folder with a copy of what the suite needs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in NEEDED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, folder / name)

    def find(self, fault: Fault, suite: Iterable[str]) -> str | None:
        """The test that finds it; None: it survives. The fault is taken out again."""
        path = self._folder / RULES / fault.file
        sound = path.read_text()
        self._write(path, fault.planted(sound))
        try:
            return self.run(suite)
        finally:
            self._write(path, sound)

    def _write(self, path: Path, text: str) -> None:
        """Without what was compiled: a fault can come and go within a second, and be as long as what it replaces."""
        path.write_text(text)
        shutil.rmtree(path.with_name("__pycache__"), ignore_errors=True)

    def run(self, suite: Iterable[str]) -> str | None:
        """The first test that fails, if there is one."""
        options = ("-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE")
        command = (sys.executable, "-m", "pytest", *options, *suite)
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env={**os.environ, **BARE},
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ENDLESS
        if done.returncode == 0:
            return None
        named = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
        return named[1] if named else done.stdout + done.stderr
