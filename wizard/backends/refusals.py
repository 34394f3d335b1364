"""What every engine may have to refuse, in words for a person."""

from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say


def one_of_ours(name: str) -> Text:
    return say("the authorization application %(name)s", name=name)


def not_loaded(node: Node, image: Image, words: str = "") -> BackendError:
    """`words` are the engine's, when it was asked to load it."""
    return BackendError(
        say("%(image)s is not on %(node)s.", image=image.name, node=node.name),
        why=say("The engine has not loaded it. Its own words are below.") if words else None,
        todo=say("Deploy again; the image is loaded first."),
        raw=words,
        permanent=True,
    )


def no_container(node: Node, name: str) -> BackendError:
    return BackendError(
        say("There is no %(name)s on %(node)s.", name=name, node=node.name),
        why=say("It was removed."),
        todo=say("Deploy the authorization application again."),
        permanent=True,
    )


def volume_in_use(node: Node, holder: str) -> BackendError:
    return BackendError(
        say("This licence runs on %(node)s already.", node=node.name),
        why=say("Its volume is in use by %(name)s, and two must not share it.", name=holder),
        todo=say("Go on with the one that runs, or remove it first."),
        permanent=True,
    )


def port_in_use(node: Node, port: int, holder: Text | None, words: str) -> BackendError:
    return BackendError(
        say("Port %(port)s was taken on %(node)s meanwhile.", port=port, node=node.name),
        why=say("It is held by %(holder)s.", holder=holder) if holder else None,
        todo=say("Go back and set another port, or free this one and deploy again."),
        raw=words,
        permanent=True,
    )
