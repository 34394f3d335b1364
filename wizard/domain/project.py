"""O&M projects and the nodes they run on."""

from dataclasses import dataclass
from enum import StrEnum

from wizard.errors import InvalidInput
from wizard.text import Text, say


class Role(StrEnum):
    """What a node does in its project."""

    MAIN = "main"
    COMPONENT = "component"
    OTHER = "other"

    @property
    def words(self) -> Text:
        return WORDS[self]


WORDS = {
    Role.MAIN: say("main application server"),
    Role.COMPONENT: say("component server"),
    Role.OTHER: say("other server"),
}


@dataclass(frozen=True, kw_only=True)
class Node:
    """A server with a container engine. `address` is the IP at which the project's servers reach it."""

    slug: str
    name: str
    role: Role
    address: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """A FineOps-deployed FanRuan application. `application` is the URL where it can be asked to register, or None."""

    slug: str
    name: str
    nodes: tuple[Node, ...]
    application: str | None = None

    @property
    def is_multi_node(self) -> bool:
        return len(self.nodes) > 1

    def objection(self, node: Node) -> Text | None:
        """Why the authorization application must not run on this node (R3); None when nothing speaks against it."""
        wanted = Role.COMPONENT if self.is_multi_node else Role.MAIN
        return None if node.role is wanted else OBJECTIONS[self.is_multi_node]

    def host(self, slug: str) -> Node:
        """The node of that slug, when it may run the authorization application; InvalidInput otherwise."""
        node = next((node for node in self.nodes if node.slug == slug), None)
        if node is None:
            raise InvalidInput(
                say("Project %(project)s has no such node.", project=self.name),
                todo=say("Choose one of the nodes on this page."),
                field="node",
            )
        if (objection := self.objection(node)) is not None:
            raise InvalidInput(
                say("The authorization application cannot run on %(node)s.", node=node.name),
                why=objection,
                field="node",
            )
        return node


OBJECTIONS = {
    True: say("In a multi-node project it runs on a component server."),
    False: say("In a single-node project it runs on the main application server."),
}
"""R3, by whether the project has several nodes."""
