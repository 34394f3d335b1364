"""`flask --app app nodes check`: what works and what does not, before anybody needs it."""

import os
import subprocess
from pathlib import Path

from tests.instance import FLASK, ROOT

NODES = """
[[project]]
slug = "sales"
name = "Sales reports"

[[project.node]]
slug = "sales-main"
name = "Main application server"
role = "main"
address = "{address}"
engine = "unix:///nowhere/engine.sock"
"""


def check(folder: Path, backend: str, address: str) -> subprocess.CompletedProcess[str]:
    inventory = folder / "inventory.toml"
    inventory.write_text(NODES.format(address=address))
    settings = {"WIZARD_DATA": str(folder), "WIZARD_INVENTORY": str(inventory), "WIZARD_BACKEND": backend}
    return subprocess.run(
        [*FLASK, "nodes", "check"], cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False
    )


def test_a_node_that_is_well_is_said_to_be(tmp_path: Path) -> None:
    done = check(tmp_path, "embedded", "127.0.0.1")
    assert (done.returncode, done.stdout.split()[:3]) == (0, ["sales-main", "127.0.0.1", "ok"]), done.stderr


def test_a_node_whose_engine_is_not_there_fails_the_check(tmp_path: Path) -> None:
    done = check(tmp_path, "docker", "192.0.2.1")
    assert done.returncode == 1, done.stderr
    assert done.stdout.split()[:3] == ["sales-main", "192.0.2.1", "FAIL"]
    assert "The engine of Main application server does not answer." in done.stdout
