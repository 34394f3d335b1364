"""What the embedded engine says when it does not do something."""

from wizard.backends.embedded.folders import Container
from wizard.backends.embedded.sockets import Listener
from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say


def one_of_ours(name: str) -> Text:
    return say("the authorization application %(name)s", name=name)


def a_process(listener: Listener) -> Text:
    if not listener.name:
        return say("process %(pid)s", pid=listener.pid)
    return say("%(program)s (process %(pid)s)", program=listener.name, pid=listener.pid)


def damaged(image: Image) -> BackendError:
    return BackendError(
        say("The file %(filename)s is not what was checked any more.", filename=image.filename),
        why=say("Its SHA-256 has changed since it was received."),
        todo=say("Upload the image again."),
        permanent=True,
    )


def not_loaded(node: Node, image: Image) -> BackendError:
    return BackendError(
        say("%(image)s is not on %(node)s.", image=image.name, node=node.name),
        todo=say("Deploy again; the image is loaded first."),
        permanent=True,
    )


def no_container(node: Node, name: str) -> BackendError:
    return BackendError(
        say("There is no %(name)s on %(node)s.", name=name, node=node.name),
        why=say("It was removed."),
        todo=say("Deploy the authorization application again."),
        permanent=True,
    )


def not_removed(node: Node, name: str) -> BackendError:
    return BackendError(
        say("%(name)s could not be removed from %(node)s.", name=name, node=node.name),
        why=say("Its folder cannot be deleted."),
        todo=say("Look after the data folder; it is tried again."),
        permanent=False,
    )


def volume_in_use(node: Node, holder: Container) -> BackendError:
    return BackendError(
        say("This licence runs on %(node)s already.", node=node.name),
        why=say("Its volume is in use by %(name)s, and two must not share it.", name=holder.name),
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


def not_started(container: Container, words: str) -> BackendError:
    return BackendError(
        say("%(name)s could not be started.", name=container.name),
        todo=say("Look at the words below, then deploy again."),
        raw=words,
        permanent=True,
    )


def ended_at_once(container: Container, words: str) -> BackendError:
    return BackendError(
        say("%(name)s was started, and ended at once.", name=container.name),
        why=say("Its own last words are below."),
        todo=say("Look at them, then deploy again."),
        raw=words,
        permanent=True,
    )
