"""The inventory is read strictly: what is wrong in it is told, with its place, before anything depends on it."""

from pathlib import Path

import pytest

from wizard.domain.engine import Engine
from wizard.domain.project import Node, Project, Role
from wizard.errors import InvalidInput
from wizard.inventory import CERTIFICATES, DEMONSTRATION, InventoryFile

GOOD = """
[[project]]
slug = "sales"
name = "Sales reports"

[[project.node]]
slug = "sales-main"
name = "Main application server"
role = "main"
address = "192.0.2.10"
"""


def read(folder: Path, content: str) -> InventoryFile:
    path = folder / "inventory.toml"
    path.write_text(content)
    return InventoryFile(path)


def test_a_project_is_read_with_its_nodes(tmp_path: Path) -> None:
    node = Node(slug="sales-main", name="Main application server", role=Role.MAIN, address="192.0.2.10")
    sales = Project(slug="sales", name="Sales reports", nodes=(node,))
    inventory = read(tmp_path, GOOD)
    assert inventory.projects() == (sales,)
    assert inventory.project("sales") == sales


def test_the_engine_of_a_node_is_known_to_whoever_runs_containers(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    for name in CERTIFICATES:
        (tmp_path / "tls" / name).touch()
    engine = 'engine = "tcp://192.0.2.10:2376"\ntls = "tls"\n'
    assert read(tmp_path, GOOD).engines == {}
    assert read(tmp_path, GOOD + engine).engines == {
        "sales-main": Engine(url="tcp://192.0.2.10:2376", tls=tmp_path / "tls")
    }


def test_an_unknown_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        read(tmp_path, GOOD).project("another")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("role = ", "rol = "), "rol"),
        (('role = "main"', 'role = "boss"'), "project[0].node[0].role"),
        (('name = "Sales reports"', "name = 7"), "project[0].name"),
        (('slug = "sales"', 'slug = "../sales"'), "project[0].slug"),
        (("192.0.2.10", "the-server"), "the-server of sales-main is no IP"),
        (("192.0.2.10", "0.0.0.0"), "0.0.0.0 of sales-main is no IP"),
        (('name = "Sales reports"', 'name = "Sales reports"\ncolour = "red"'), "colour"),
        (("[[project]]", "[[project]"), "line 2"),
        ((GOOD, ""), "project"),
        ((GOOD[GOOD.index("[[project.node]]") :], ""), "node"),
        (('name = "Sales reports"', 'name = "Sales reports"\napplication = "ftp://x"'), "project[0].application"),
        (('name = "Sales reports"', 'name = "Sales reports"\napplication = "/projects/x"'), "whole address"),
        (('192.0.2.10"', '192.0.2.10"\nengine = "http://x"'), "project[0].node[0].engine"),
        (('192.0.2.10"', '192.0.2.10"\nengine = "tcp://x:2376"'), "tcp:// needs it"),
        (('192.0.2.10"', '192.0.2.10"\nengine = "unix:///x"\ntls = "tls"'), "tls belongs to tcp://"),
        (('192.0.2.10"', '192.0.2.10"\nengine = "tcp://x:2376"\ntls = "tls"'), "there is no ca.pem"),
        ((GOOD, GOOD + GOOD), "2 projects with the slug sales"),
        ((GOOD, GOOD + GOOD.replace('"sales"', '"other"')), "2 nodes with the slug sales-main"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(tmp_path, GOOD.replace(*change))
    problem = refusal.value.problem
    assert "inventory.toml" in str(problem.happened)
    assert words in f"{problem.why} {problem.raw}"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refusal:
        InventoryFile(tmp_path / "none.toml")
    assert "no such file" in str(refusal.value.problem.why)


def test_the_demonstration_has_a_single_node_and_a_multi_node_project() -> None:
    single, cluster = InventoryFile(DEMONSTRATION, "http://127.0.0.1:8002/").projects()
    assert single.application == "http://127.0.0.1:8002/projects/demo-single"
    assert (single.is_multi_node, cluster.is_multi_node) == (False, True)
    for project in (single, cluster):
        assert [project.objection(node) for node in project.nodes].count(None) == 1
        assert all(node.address.startswith("127.0.0.") for node in project.nodes)
