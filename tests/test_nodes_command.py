"""`flask --app app nodes check`: what works and what does not, before anybody needs it."""

import os
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.engines.certificates import Authority
from tests.factories import NOW, a_node
from tests.instance import FLASK, ROOT
from tests.waiting import until
from wizard.checking import check as checked
from wizard.domain.engine import Engine
from wizard.domain.instance import Health
from wizard.domain.project import Node
from wizard.text import say

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


def check(folder: Path, backend: str, address: str, **more: str) -> subprocess.CompletedProcess[str]:
    inventory = folder / "inventory.toml"
    inventory.write_text(NODES.format(address=address))
    settings = {"WIZARD_DATA": str(folder), "WIZARD_INVENTORY": str(inventory), "WIZARD_BACKEND": backend} | more
    return subprocess.run(
        [*FLASK, "nodes", "check"], cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False
    )


def well(node: Node) -> Health:
    return Health(node=node.slug, well=True, detail=say("Ready."), seen_at=NOW)


def ill(node: Node) -> Health:
    return Health(node=node.slug, well=False, detail=say("It does not answer."), seen_at=NOW)


def lines_of(engine: Engine, health: Health | None = None) -> str:
    """All that is said of one node with that engine."""
    node = a_node()
    [finding] = checked([node], {node.slug: engine}, lambda node: health or well(node), NOW)
    return "\n".join(finding.lines)


def test_a_node_that_is_well_is_said_to_be(tmp_path: Path) -> None:
    done = check(tmp_path, "embedded", "127.0.0.1")
    assert (done.returncode, done.stdout.split()[:3]) == (0, ["sales-main", "127.0.0.1", "ok"]), done.stderr


def test_a_node_whose_engine_is_not_there_fails_the_check(tmp_path: Path) -> None:
    done = check(tmp_path, "docker", "192.0.2.1")
    assert done.returncode == 1, done.stderr
    assert done.stdout.split()[:3] == ["sales-main", "192.0.2.1", "FAIL"]
    assert "The engine of Main application server does not answer." in done.stdout
    assert "engine = unix:///nowhere/engine.sock" in done.stdout
    assert "in the inventory at: engine." in done.stdout


def test_an_inventory_that_cannot_be_used_is_told_in_one_line_with_the_place(tmp_path: Path) -> None:
    done = check(tmp_path, "docker", "192.0.2.1", WIZARD_ALLOWED_NETWORKS="10.0.0.0/8")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "project[0].node[0].address, of sales-main: 192.0.2.1 is in none of the networks" in line


def test_a_dead_node_delays_no_other() -> None:
    """They are asked at the same time: each waits here until all have been asked."""
    together = threading.Barrier(5)

    def health(node: Node) -> Health:
        together.wait(timeout=5)
        return well(node)

    nodes = [a_node(slug=f"node-{number}") for number in range(5)]
    assert [finding.well for finding in checked(nodes, {}, health, NOW)] == [True] * 5


def test_a_node_that_never_answers_ends_the_check_all_the_same() -> None:
    never = threading.Event()

    def health(node: Node) -> Health:
        if node.slug == "dead":
            never.wait()
        return well(node)

    began = time.monotonic()
    dead, alive = checked([a_node(slug="dead"), a_node(slug="alive")], {}, health, NOW, seconds=0.2)
    assert time.monotonic() - began < 2
    assert (dead.well, alive.well) == (False, True)
    assert "within 0.2 s" in dead.lines[0]
    never.set()


def test_an_error_of_the_wizard_fails_its_node_alone(caplog: pytest.LogCaptureFixture) -> None:
    def health(node: Node) -> Health:
        if node.slug == "odd":
            raise ZeroDivisionError
        return well(node)

    odd, even = checked([a_node(slug="odd"), a_node(slug="even")], {}, health, NOW)
    assert (odd.well, even.well) == (False, True)
    until(lambda: "ZeroDivisionError" in caplog.text, "it is logged")


def certificates(folder: Path) -> Path:
    """That an authority has made just now, for a day."""
    authority = Authority(folder)
    pair = authority.client("wizard")
    pair.certificate.rename(folder / "cert.pem")
    pair.key.rename(folder / "key.pem")
    (folder / "key.pem").chmod(0o600)
    return folder


def test_the_days_that_a_certificate_is_valid_are_counted_from_now(tmp_path: Path) -> None:
    folder = certificates(tmp_path)
    ends = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes()).not_valid_after_utc
    node, engine = a_node(), Engine(url="tcp://192.0.2.1:2376", tls=folder)

    def said(days: float) -> str:
        [finding] = checked([node], {node.slug: engine}, well, ends - timedelta(days=days))
        return next(line.strip() for line in finding.lines if "cert.pem" in line)

    assert said(31).startswith("cert.pem: 31 days left, until ")
    assert said(30).startswith("cert.pem: 30 days left, until ")
    assert said(29.9).startswith("cert.pem: WARN 29 days left, until ")
    assert said(0).startswith("cert.pem: FAIL expired on ")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ca.pem", b"nothing", "ca.pem: FAIL it holds no certificate"),
        ("cert.pem", b"nothing", "cert.pem: FAIL it holds no certificate"),
        ("key.pem", b"nothing", "key.pem: FAIL it cannot be used with cert.pem"),
        ("cert.pem", None, "key.pem: FAIL it does not belong to cert.pem"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    folder = certificates(tmp_path)
    (folder / name).write_bytes(content if content is not None else (folder / "ca.pem").read_bytes())
    node = a_node()
    assert words in lines_of(Engine(url="tcp://192.0.2.1:2376", tls=folder), ill(node))


def test_a_key_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "key").touch(0o644)
    assert "key: WARN others than its owner can read it" in lines_of(Engine(url="ssh://root@192.0.2.1", ssh=tmp_path))


def test_the_keys_of_the_inventory_that_matter_are_named(tmp_path: Path) -> None:
    (tmp_path / "key").touch(0o600)
    said = lines_of(Engine(url="ssh://root@192.0.2.1", ssh=tmp_path), ill(a_node()))
    assert "in the inventory at: engine, ssh." in said
