"""The inventory is read strictly: what is wrong in it is told, with its place, before anything depends on it."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

import pytest

from wizard.domain.engine import Engine
from wizard.domain.network import EVERYTHING, Network
from wizard.domain.project import Node, Project, Role
from wizard.errors import InvalidInput
from wizard.inventory import DEMONSTRATION, MATERIALS, InventoryFile

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


TLS = 'engine = "tcp://192.0.2.10:2376"\ntls = "tls"\n'
SSH = 'engine = "ssh://root@192.0.2.10"\nssh = "ssh"\n'


def read(folder: Path, content: str, allowed: Sequence[Network] = EVERYTHING) -> InventoryFile:
    path = folder / "inventory.toml"
    path.write_text(content)
    return InventoryFile(path, allowed=allowed)


def with_material(folder: Path) -> Path:
    """With the folders `tls` and `ssh`, and all that belongs into them."""
    for material in MATERIALS:
        (folder / material.key).mkdir()
        for name in material.files:
            (folder / material.key / name).touch()
    return folder


def test_a_project_is_read_with_its_nodes(tmp_path: Path) -> None:
    node = Node(slug="sales-main", name="Main application server", role=Role.MAIN, address="192.0.2.10")
    sales = Project(slug="sales", name="Sales reports", nodes=(node,))
    inventory = read(tmp_path, GOOD)
    assert inventory.projects() == (sales,)
    assert inventory.project("sales") == sales


@pytest.mark.parametrize(
    ("lines", "url", "keys"),
    [
        ('engine = "unix:///run/docker.sock"', "unix:///run/docker.sock", {}),
        (TLS, "tcp://192.0.2.10:2376", {"tls": "tls"}),
        (SSH, "ssh://root@192.0.2.10", {"ssh": "ssh"}),
    ],
)
def test_the_engine_of_a_node_is_known_to_whoever_runs_containers(
    tmp_path: Path, lines: str, url: str, keys: dict[str, str]
) -> None:
    folders = {key: with_material(tmp_path) / folder for key, folder in keys.items()}
    assert read(tmp_path, GOOD).engines == {}
    assert read(tmp_path, GOOD + lines).engines == {"sales-main": Engine(url=url, **folders)}


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("unix:///var/run/docker.sock", ("unix", "", "", 22, "/var/run/docker.sock")),
        ("tcp://192.0.2.1:2376", ("tcp", "", "192.0.2.1", 2376, "/run/docker.sock")),
        ("tcp://[fd00::1]:2376", ("tcp", "", "fd00::1", 2376, "/run/docker.sock")),
        ("ssh://root@192.0.2.1", ("ssh", "root", "192.0.2.1", 22, "/run/docker.sock")),
        (
            "ssh://wizard-1@[fd00::1]:2222/run/podman/podman.sock",
            ("ssh", "wizard-1", "fd00::1", 2222, "/run/podman/podman.sock"),
        ),
    ],
)
def test_an_address_of_an_engine_has_these_parts(url: str, parts: tuple[str, str, str, int, str]) -> None:
    place = Engine(url=url).place
    assert (place.scheme, place.user, place.host, place.port, place.path) == parts


@pytest.mark.parametrize(
    "url",
    [
        *("http://192.0.2.10:2375", "npipe:////./pipe/docker", "unix://relative", "unix:///", "192.0.2.10", ""),
        *(
            "tcp://192.0.2.10",
            "tcp://192.0.2.10:0",
            "tcp://192.0.2.10:65536",
            "tcp://192.0.2.10:2376/path",
            "tcp://:2376",
        ),
        *(
            "tcp://user@192.0.2.10:2376",
            "tcp://192.0.2.10:2376@192.0.2.11:2376",
            "tcp://192.0.2.10:2376?x",
            "TCP://1.2.3.4:5",
        ),
        *("tcp://fd00::1:2376", "ssh://192.0.2.10", "ssh://@192.0.2.10", "ssh://root:word@192.0.2.10"),
        *("ssh://-oProxyCommand=x@192.0.2.10", "ssh://root@192.0.2.10/a:b", "ssh://root@192.0.2.10/a b", "ssh://root@"),
        *(
            "ssh://root@192.0.2.10/%h",
            "ssh://root@192.0.2.10/a\\n",
            "ssh://root@192.0.2.10:22:22",
            "ssh://ro ot@192.0.2.10",
        ),
    ],
)
def test_what_is_no_address_of_an_engine_is_told_to_be_none(tmp_path: Path, url: str) -> None:
    words = refusal_of(with_material(tmp_path), GOOD + f'engine = "{url}"\n')
    assert "project[0].node[0].engine, of sales-main: " in words
    assert "is neither unix:///path, tcp://address:port nor ssh://user@address" in words


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "localhost", "engine.example", "2852039166", "127.1", "0x7f.1", "0.0.0.0", "224.0.0.1"]
)
@pytest.mark.parametrize("lines", [TLS, SSH], ids=["tls", "ssh"])
def test_an_engine_is_at_an_address_that_is_used_never_at_a_name(tmp_path: Path, lines: str, host: str) -> None:
    words = refusal_of(with_material(tmp_path), GOOD + lines.replace("192.0.2.10", host))
    assert f"project[0].node[0].engine, of sales-main: {host} is " in words


@pytest.mark.parametrize("host", ["[fe80::1%eth0]", "[::ffff:169.254.169.254]", "[::]"])
@pytest.mark.parametrize("lines", [TLS, SSH], ids=["tls", "ssh"])
def test_nor_is_it_at_such_an_address_of_the_sixth_version(tmp_path: Path, lines: str, host: str) -> None:
    words = refusal_of(with_material(tmp_path), GOOD + lines.replace("192.0.2.10", host))
    assert f"project[0].node[0].engine, of sales-main: {host[1:-1]} is " in words


@pytest.mark.parametrize(
    ("allowed", "place"),
    [
        (("192.0.2.0/24",), ""),
        (("192.0.2.10/32", "10.0.0.0/8"), ""),
        (("192.0.2.11/32",), "project[0].node[0].address"),
        (("10.0.0.0/8",), "project[0].node[0].address"),
        (("::/0",), "project[0].node[0].address"),
    ],
)
def test_nodes_are_in_the_networks_that_the_operator_allows(tmp_path: Path, allowed: Sequence[str], place: str) -> None:
    networks = [ipaddress.ip_network(network) for network in allowed]
    words = refusal_of(tmp_path, GOOD, networks)
    assert words.startswith(f"{place}, of sales-main: 192.0.2.10 is in none of the networks" if place else "")
    assert bool(words) == bool(place)


@pytest.mark.parametrize("lines", [TLS, SSH], ids=["tls", "ssh"])
def test_so_are_engines(tmp_path: Path, lines: str) -> None:
    allowed = [ipaddress.ip_network("192.0.2.10/32")]
    folder = with_material(tmp_path)
    assert refusal_of(folder, GOOD + lines, allowed) == ""
    words = refusal_of(folder, GOOD + lines.replace("192.0.2.10", "192.0.2.11"), allowed)
    assert "project[0].node[0].engine, of sales-main: 192.0.2.11 is in none of the networks" in words


def test_the_place_of_what_is_wrong_counts_projects_and_nodes_from_nought(tmp_path: Path) -> None:
    second = GOOD.replace("sales", "plan").replace("192.0.2.10", "169.254.0.1")
    assert refusal_of(tmp_path, GOOD + second).startswith("project[1].node[0].address, of plan-main: ")


@pytest.mark.parametrize(("lines", "name"), [(TLS, "ca.pem"), (TLS, "key.pem"), (SSH, "key"), (SSH, "known_hosts")])
def test_a_file_that_is_not_there_is_named_with_its_folder(tmp_path: Path, lines: str, name: str) -> None:
    key = "ssh" if lines is SSH else "tls"
    path = with_material(tmp_path) / key / name
    path.unlink()
    words = refusal_of(tmp_path, GOOD + lines)
    assert f"project[0].node[0].{key}, of sales-main: there is no file {path}." in words


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
        (("192.0.2.10", "the-server"), "project[0].node[0].address, of sales-main: the-server is no IP address"),
        (("192.0.2.10", "0.0.0.0"), "0.0.0.0 is no address of a server"),
        (('name = "Sales reports"', 'name = "Sales reports"\ncolour = "red"'), "colour"),
        (("[[project]]", "[[project]"), "line 2"),
        ((GOOD, ""), "project"),
        ((GOOD[GOOD.index("[[project.node]]") :], ""), "node"),
        (('name = "Sales reports"', 'name = "Sales reports"\napplication = "ftp://x"'), "project[0].application"),
        (('name = "Sales reports"', 'name = "Sales reports"\napplication = "/projects/x"'), "whole address"),
        (('192.0.2.10"', '192.0.2.10"\nengine = "http://x"'), "project[0].node[0].engine"),
        (
            ('192.0.2.10"', '192.0.2.10"\nengine = "tcp://192.0.2.10:2376"'),
            "project[0].node[0].tls, of sales-main: tls",
        ),
        (('192.0.2.10"', '192.0.2.10"\nengine = "unix:///x"\ntls = "tls"'), "tls belongs to tcp://, which needs it"),
        (('192.0.2.10"', '192.0.2.10"\nengine = "ssh://root@192.0.2.10"'), "ssh belongs to ssh://, which needs it"),
        (('192.0.2.10"', '192.0.2.10"\nengine = "unix:///x"\nssh = "ssh"'), "ssh belongs to ssh://, which needs it"),
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


def refusal_of(folder: Path, content: str, allowed: Sequence[Network] = EVERYTHING) -> str:
    """Why it is refused, or nothing."""
    try:
        read(folder, content, allowed)
    except InvalidInput as error:
        return str(error.problem.why)
    return ""


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
