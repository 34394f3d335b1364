"""Choose the project, and the node of it that will run the authorization application (R3)."""

from collections.abc import Mapping

from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.flow import Step, Submission
from wizard.ports import Services
from wizard.text import Text, say


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    project, _, node = submission.fields.get("node", "").partition("/")
    if not node:
        raise InvalidInput(
            say("No node was chosen."),
            todo=say("Choose the node that will run the authorization application."),
            field="node",
        )
    return registration.place(services.inventory.project(project), node)


def context(registration: Registration, services: Services) -> Mapping[str, object]:
    return {"projects": services.inventory.projects(), "healths": services.store.healths()}


def chosen(registration: Registration) -> str | Text:
    node = registration.node
    return node.name if node else ""


STEP = Step(
    slug="node",
    title=say("Choose where it runs"),
    name=say("Node"),
    holds="node",
    is_done=lambda registration: registration.node is not None,
    submit=submit,
    context=context,
    chosen=chosen,
    is_live=True,
)
