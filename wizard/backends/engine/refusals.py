"""What an engine does not do, in words for a person."""

from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say


def a_container(name: str) -> Text:
    return say("the container %(name)s", name=name)


def unreachable(node: Node, url: str, error: Exception) -> BackendError:
    return BackendError(
        say("The engine of %(node)s does not answer.", node=node.name),
        why=say("It is asked at %(url)s.", url=url),
        todo=say("Look whether the node and its engine run, and whether the wizard may reach it there."),
        raw=str(error),
        permanent=False,
    )


def too_old(node: Node, spoken: str, wanted: str) -> BackendError:
    return BackendError(
        say("The engine of %(node)s is too old.", node=node.name),
        why=say(
            "It speaks version %(spoken)s of its API; %(wanted)s or later is needed.", spoken=spoken, wanted=wanted
        ),
        todo=say("Update it to Docker 20.10 or Podman 4, or later."),
        permanent=True,
    )


def no_engine(node: Node) -> BackendError:
    return BackendError(
        say("The inventory names no engine for %(node)s.", node=node.name),
        todo=say('Add a line such as engine = "unix:///run/docker.sock" to the node, then start the wizard again.'),
        permanent=True,
    )


def not_done(node: Node, words: str, *, permanent: bool) -> BackendError:
    return BackendError(
        say("The engine of %(node)s refused.", node=node.name),
        why=say("Its own words are below."),
        todo=say("Look at them, then try again."),
        raw=words,
        permanent=permanent,
    )


def is_full(words: str) -> bool:
    """Whether that is how an engine says that a disk is full."""
    return "no space left on device" in words


def no_room(node: Node, words: str) -> BackendError:
    return BackendError(
        say("The disk of %(node)s is full.", node=node.name),
        why=say("There is no room left for the image and its container."),
        todo=say("Make room where the engine keeps its images, then deploy again."),
        raw=words,
        permanent=True,
    )


def name_taken(node: Node, name: str) -> BackendError:
    return BackendError(
        say("There is another container named %(name)s on %(node)s.", name=name, node=node.name),
        why=say("It was not made by the wizard, so the wizard does not touch it."),
        todo=say("Rename or remove it, then deploy again."),
        permanent=True,
    )


def volume_taken(node: Node, name: str) -> BackendError:
    return BackendError(
        say("There is another volume named %(name)s on %(node)s.", name=name, node=node.name),
        why=say("It was not made by the wizard, so the wizard does not put this licence on it."),
        todo=say("Move what is in it to a volume of another name and remove it, then deploy again."),
        permanent=True,
    )
