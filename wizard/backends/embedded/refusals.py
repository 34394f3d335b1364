"""What the embedded engine says when it does not do something."""

from wizard.backends.embedded.folders import Container
from wizard.backends.embedded.sockets import Listener
from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say


def a_process(listener: Listener) -> Text:
    if not listener.name:
        return say("process %(pid)s", pid=listener.pid)
    return say("%(program)s (process %(pid)s)", program=listener.name, pid=listener.pid)


def no_node(node: Node, trouble: Text) -> BackendError:
    return BackendError(
        say("%(node)s cannot run anything.", node=node.name),
        why=trouble,
        todo=say("Look after the node, then try again."),
        permanent=False,
    )


def unknown_image(image: Image) -> BackendError:
    return BackendError(
        say("%(image)s cannot be run without a container engine.", image=image.name),
        why=say(
            "The embedded engine runs the reference authorization application of this machine, not what is in an image."
        ),
        todo=say("Set WIZARD_BACKEND to docker, podman or swarm, and name the nodes' engines in the inventory."),
        permanent=True,
    )


def not_removed(node: Node, name: str) -> BackendError:
    return BackendError(
        say("%(name)s could not be removed from %(node)s.", name=name, node=node.name),
        why=say("Its folder cannot be deleted."),
        todo=say("Look after the data folder; it is tried again."),
        permanent=False,
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
