"""The O&M projects and their nodes, from a file that the admin writes."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from wizard.domain.engine import Engine, Place
from wizard.domain.network import EVERYTHING, Network, objection
from wizard.domain.project import Node, Project, Role
from wizard.errors import InvalidInput
from wizard.text import Text, say

DEMONSTRATION = Path(__file__).with_name("demonstration.toml")
"""One single-node and one multi-node project on the loopback addresses of this machine."""

Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Url = Annotated[str, msgspec.Meta(pattern="^(https?:/)?/[^ ]*[^ /]$")]


class _Node(msgspec.Struct, forbid_unknown_fields=True):
    slug: Slug
    name: Name
    role: Role
    address: str
    engine: str | None = None
    tls: Name | None = None
    ssh: Name | None = None


class _Project(msgspec.Struct, forbid_unknown_fields=True):
    slug: Slug
    name: Name
    node: Annotated[list[_Node], msgspec.Meta(min_length=1)]
    application: Url | None = None


class _Inventory(msgspec.Struct, forbid_unknown_fields=True):
    project: Annotated[list[_Project], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class _Material:
    """By what both sides prove who they are: files of a folder that a key of the node names."""

    key: str
    scheme: str
    files: tuple[str, ...]


MATERIALS = (
    _Material(key="tls", scheme="tcp", files=("ca.pem", "cert.pem", "key.pem")),
    _Material(key="ssh", scheme="ssh", files=("key", "known_hosts")),
)
"""The certificates are named as Docker's own client names them."""


class InventoryFile:
    """ports.Inventory, read once. InvalidInput, with the place in the file, when it does not hold what it should.

    An `application` that begins with a slash is at `applications`, the address of the reference applications.
    Nodes, and engines that are not on this machine, are in the networks that are `allowed`.
    """

    def __init__(self, path: Path, applications: str = "", allowed: Sequence[Network] = EVERYTHING) -> None:
        inventory = _read(path)
        _check_addresses(path, inventory, allowed)
        self._projects = _checked(path, inventory, applications.rstrip("/"))
        self._engines = {
            node.slug: _engine(path, place, node, node.engine, allowed)
            for place, node in _places(inventory)
            if node.engine is not None
        }

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


def _places(inventory: _Inventory) -> Iterator[tuple[str, _Node]]:
    """Each node, and where it is in the file, as msgspec says it."""
    for i, project in enumerate(inventory.project):
        for j, node in enumerate(project.node):
            yield f"project[{i}].node[{j}]", node


def _check_addresses(path: Path, inventory: _Inventory, allowed: Sequence[Network]) -> None:
    for place, node in _places(inventory):
        if (words := objection(node.address, allowed)) is not None:
            raise _wrong(path, f"{place}.address", node, words)


def _engine(path: Path, place: str, node: _Node, url: str, allowed: Sequence[Network]) -> Engine:
    """A host is an IP address: what a name leads to can change between the look and the connection."""
    try:
        parts = Place.parse(url)
    except ValueError:
        words = say(
            "%(url)s is neither unix:///path, tcp://address:port nor ssh://user@address[:port][/path].", url=url
        )
        raise _wrong(path, f"{place}.engine", node, words) from None
    folders = {it.key: _material(path, place, node, parts.scheme, it) for it in MATERIALS}
    if parts.host and (objected := objection(parts.host, allowed)) is not None:
        raise _wrong(path, f"{place}.engine", node, objected)
    return Engine(url=url, **folders)


def _material(path: Path, place: str, node: _Node, scheme: str, material: _Material) -> Path | None:
    """Its folder, which is beside the inventory when it is relative.

    Without it everybody in the network would have the node, or whoever pretends to be it the image.
    """
    given: str | None = getattr(node, material.key)
    if (scheme == material.scheme) != (given is not None):
        words = say("%(key)s belongs to %(scheme)s://, which needs it.", key=material.key, scheme=material.scheme)
        raise _wrong(path, f"{place}.{material.key}", node, words)
    if given is None:
        return None
    folder = (path.parent / Path(given).expanduser()).absolute()
    for name in material.files:
        if not (folder / name).is_file():
            raise _wrong(
                path, f"{place}.{material.key}", node, say("there is no file %(file)s.", file=str(folder / name))
            )
    return folder


def _wrong(path: Path, place: str, node: _Node, words: Text) -> InvalidInput:
    return _refusal(path, say("%(place)s, of %(slug)s: %(words)s", place=place, slug=node.slug, words=words))


def _refusal(path: Path, why: Text, words: str = "") -> InvalidInput:
    return InvalidInput(
        say("The inventory %(file)s cannot be used.", file=path.name),
        why=why,
        todo=say("Correct it, then start the wizard again. The documentation has an example."),
        raw=words,
    )
