"""The O&M projects and their nodes, from a file that the admin writes."""

import ipaddress
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from wizard.domain.engine import Engine
from wizard.domain.project import Node, Project, Role
from wizard.errors import InvalidInput
from wizard.text import Text, say

DEMONSTRATION = Path(__file__).with_name("demonstration.toml")
"""One single-node and one multi-node project on the loopback addresses of this machine."""

Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Url = Annotated[str, msgspec.Meta(pattern="^(https?:/)?/[^ ]*[^ /]$")]

EngineUrl = Annotated[str, msgspec.Meta(pattern="^(unix:///|tcp://)[^ ]+$")]


class _Node(msgspec.Struct, forbid_unknown_fields=True):
    slug: Slug
    name: Name
    role: Role
    address: str
    engine: EngineUrl | None = None
    tls: Name | None = None


class _Project(msgspec.Struct, forbid_unknown_fields=True):
    slug: Slug
    name: Name
    node: Annotated[list[_Node], msgspec.Meta(min_length=1)]
    application: Url | None = None


class _Inventory(msgspec.Struct, forbid_unknown_fields=True):
    project: Annotated[list[_Project], msgspec.Meta(min_length=1)]


CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
"""What is in the folder `tls` of a node: as Docker's own client names them."""


class InventoryFile:
    """ports.Inventory, read once. InvalidInput, with the place in the file, when it does not hold what it should.

    An `application` that begins with a slash is at `applications`, the address of the reference applications.
    """

    def __init__(self, path: Path, applications: str = "") -> None:
        inventory = _read(path)
        self._projects = _checked(path, inventory, applications.rstrip("/"))
        self._engines = _engines(path, inventory)

    @property
    def engines(self) -> Mapping[str, Engine]:
        """How the engine of a node is reached, by the slug of the node; not every backend needs it."""
        return self._engines

    def projects(self) -> Sequence[Project]:
        return self._projects

    def project(self, slug: str) -> Project:
        for project in self._projects:
            if project.slug == slug:
                return project
        raise InvalidInput(
            say("There is no such project."), todo=say("Choose one of the projects on this page."), field="node"
        )


def _read(path: Path) -> _Inventory:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), type=_Inventory)
    except FileNotFoundError as error:
        raise _refusal(path, say("There is no such file.")) from error
    except OSError as error:
        raise _refusal(path, say("It cannot be read."), str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refusal(path, say("It is not a TOML file."), str(error)) from error
    except msgspec.ValidationError as error:
        raise _refusal(
            path, say("Something in it is missing, too much, or not as it should be."), str(error)
        ) from error


def _checked(path: Path, inventory: _Inventory, applications: str) -> tuple[Project, ...]:
    for slug, count in Counter(project.slug for project in inventory.project).items():
        if count > 1:
            raise _refusal(path, say("There are %(count)s projects with the slug %(slug)s.", count=count, slug=slug))
    nodes = [node for project in inventory.project for node in project.node]
    for slug, count in Counter(node.slug for node in nodes).items():
        if count > 1:
            raise _refusal(path, say("There are %(count)s nodes with the slug %(slug)s.", count=count, slug=slug))
    for node in nodes:
        if not _is_address(node.address):
            raise _refusal(path, say("%(address)s of %(slug)s is no IP.", address=node.address, slug=node.slug))
    return tuple(_project(path, project, applications) for project in inventory.project)


def _project(path: Path, project: _Project, applications: str) -> Project:
    application = project.application
    if application is not None and application.startswith("/"):
        if not applications:
            raise _refusal(
                path, say("The application of %(slug)s needs a whole address, with http://.", slug=project.slug)
            )
        application = applications + application
    return Project(
        slug=project.slug,
        name=project.name,
        nodes=tuple(
            Node(slug=node.slug, name=node.name, role=node.role, address=node.address) for node in project.node
        ),
        application=application,
    )


def _engines(path: Path, inventory: _Inventory) -> Mapping[str, Engine]:
    """A relative folder of certificates is beside the inventory."""
    return {
        node.slug: Engine(url=node.engine, tls=_certificates(path, node))
        for project in inventory.project
        for node in project.node
        if node.engine is not None
    }


def _certificates(path: Path, node: _Node) -> Path | None:
    """Docker over TCP without certificates would give everybody in the network the node."""
    is_tcp = node.engine is not None and node.engine.startswith("tcp://")
    if is_tcp != (node.tls is not None):
        raise _refusal(path, say("The engine of %(slug)s: tls belongs to tcp://, and tcp:// needs it.", slug=node.slug))
    if node.tls is None:
        return None
    folder = path.parent / node.tls
    for name in CERTIFICATES:
        if not (folder / name).is_file():
            raise _refusal(path, say("The engine of %(slug)s: there is no %(file)s.", slug=node.slug, file=name))
    return folder


def _is_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _refusal(path: Path, why: Text, words: str = "") -> InvalidInput:
    return InvalidInput(
        say("The inventory %(file)s cannot be used.", file=path.name),
        why=why,
        todo=say("Correct it, then start the wizard again. The documentation has an example."),
        raw=words,
    )
