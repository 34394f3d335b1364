"""What a swarm does not do, in words for a person."""

from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say


def a_service(name: str) -> Text:
    return say("the service %(name)s", name=name)


def not_in_swarm(node: Node, words: str = "") -> BackendError:
    return BackendError(
        say("%(node)s is not part of a swarm.", node=node.name),
        why=say("Its engine says so."),
        todo=say("Let it join with the command that `docker swarm join-token worker` prints on a manager."),
        raw=words,
        permanent=True,
    )


def no_manager(node: Node) -> BackendError:
    return BackendError(
        say("The inventory names no manager of the swarm that %(node)s is part of.", node=node.name),
        why=say("Only a manager starts and stops services, and none of the engines named there is one that knows it."),
        todo=say("Add a manager with its engine to the inventory, as a node of any role, then start the wizard again."),
        permanent=True,
    )


def managers_silent(node: Node, words: str) -> BackendError:
    return BackendError(
        say("No manager of the swarm of %(node)s answers.", node=node.name),
        why=say("Only a manager starts and stops services. What runs goes on running meanwhile."),
        todo=say("Look after the managers, then try again."),
        raw=words,
        permanent=False,
    )


def takes_no_work(node: Node, state: Text) -> BackendError:
    return BackendError(
        say("%(node)s takes no work from its swarm.", node=node.name),
        why=state,
        todo=say("Make it ready and active again (`docker node ls` on a manager shows it), then try again."),
        permanent=False,
    )


def is_down(state: str) -> Text:
    return say("The manager sees it as %(state)s.", state=state)


def is_set_aside(availability: str) -> Text:
    return say("Its availability is %(availability)s.", availability=availability)


def name_taken(node: Node, name: str) -> BackendError:
    return BackendError(
        say("There is another service named %(name)s in the swarm of %(node)s.", name=name, node=node.name),
        why=say("It was not made by the wizard for this node, so the wizard does not touch it."),
        todo=say("Rename or remove it, then deploy again."),
        permanent=True,
    )


def not_started(node: Node, words: str, *, permanent: bool) -> BackendError:
    """`permanent` when it was tried and failed, not when the swarm has not come to it yet."""
    return BackendError(
        say("The swarm has not started the container on %(node)s.", node=node.name),
        why=say("Its own words are below.") if words else None,
        todo=say("Look at them, then deploy again.") if words else say("Look after the swarm, then deploy again."),
        raw=words,
        permanent=permanent,
    )


def image_gone(node: Node, words: str) -> BackendError:
    return BackendError(
        say("The image of the authorization application is not on %(node)s any more.", node=node.name),
        why=say("It was taken away before the container was started."),
        todo=say("Deploy again; the image is loaded first."),
        raw=words,
        permanent=True,
    )


def not_ended(node: Node, name: str) -> BackendError:
    return BackendError(
        say("%(name)s has not ended on %(node)s.", name=name, node=node.name),
        why=say("The swarm was told to end it, and its container is still there."),
        todo=say("Look whether the node and its managers reach each other, then try again."),
        permanent=False,
    )
