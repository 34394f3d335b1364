"""Set the port that the projects will call; the worker tries it on the node itself (R4)."""

from collections.abc import Mapping
from dataclasses import replace

from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.flow import Phase, Step, Submission
from wizard.ports import Services, Task
from wizard.text import Text, say

DEFAULT_PORT = 18081
EXAMPLE_NAME = "fineops-license-example"
"""The container's name in a plan; the real one ends with the number of its operation, which has no number yet."""


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    text = "".join(submission.fields.get("port", "").split())
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise InvalidInput(
            say("The port was not understood."),
            why=say("A port is written in digits, without anything around them."),
            todo=say("Enter a number such as 18081."),
            field="port",
        )
    return registration.use_port(int(text))


def probe(registration: Registration, task: Task) -> Registration:
    """Try the port on the node, and look at what else is in the way; it is kept only when the port is free."""
    image, node, port = registration.image, registration.node, registration.port
    if image is None or node is None or port is None:
        raise InvalidInput(say("There is no port to try yet."), todo=say("Choose a node, then enter a port."))
    backend = task.workshop.backend
    found = backend.preflight(node, image, port, "", task.workshop.clock())
    check = found.port
    if check.free:
        return registration.checked(replace(found, plan=backend.plan(node, image, port, EXAMPLE_NAME)))
    raise InvalidInput(
        say("Port %(port)s is taken on %(node)s.", port=port, node=node.name),
        why=say("It is held by %(holder)s.", holder=check.holder),
        todo=say("Use another port, or free this one and check again."),
        field="port",
        offer=str(check.next_free or ""),
    )


def context(registration: Registration, services: Services) -> Mapping[str, object]:
    return {"default_port": DEFAULT_PORT}


def chosen(registration: Registration) -> str | Text:
    return str(registration.port or "")


def is_done(registration: Registration) -> bool:
    found = registration.preflight
    return found is not None and found.port.free and found.port.port == registration.port


STEP = Step(
    slug="port",
    title=say("Set the port"),
    name=say("Port"),
    holds="port",
    is_done=is_done,
    submit=submit,
    context=context,
    chosen=chosen,
    work=(Phase(slug="probe", title=say("Try the port, and look at the node"), run=probe),),
)
