"""Register the project with the authorization application, at once (R7, R8), and wait for its first request (R9)."""

from collections.abc import Mapping

from wizard.domain.deployment import BEAT, DAY
from wizard.domain.registration import Registration
from wizard.errors import BackendError, InvalidInput
from wizard.flow import Phase, Step, Submission, observe
from wizard.ports import Services, Task
from wizard.text import Text, say

SECONDS_TO_FIRST_REQUEST = 30
SECONDS_BETWEEN_LOOKS = 0.5


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    """Ask the project's own application to register; only where it can be asked."""
    if registration.is_guided:
        return registration.registered_by_hand(submission.now)
    if registration.project is None or registration.project.application is None:
        raise InvalidInput(
            say("This project cannot be asked to register by itself."),
            todo=say("Register it in the FanRuan application, as described on this page."),
        )
    return registration


def ask(registration: Registration, task: Task) -> Registration:
    """Unless it has registered already: then there is nothing to ask."""
    if registration.project is not None and not seen(registration, task).is_being_served:
        task.workshop.applications.register(registration.project, registration.endpoint)
    return registration


def hear(registration: Registration, task: Task) -> Registration:
    """Wait for the first request of the project."""
    looks = int(SECONDS_TO_FIRST_REQUEST / SECONDS_BETWEEN_LOOKS)
    for look in range(looks):
        task.progress(look, looks)
        registration = seen(registration, task)
        if registration.registered_at is not None:
            return registration
        task.wait(SECONDS_BETWEEN_LOOKS)
    raise BackendError(
        say("The project registered, but its first request has not arrived."),
        why=say("Nothing was heard for %(seconds)s seconds.", seconds=SECONDS_TO_FIRST_REQUEST),
        todo=say(
            "Check the firewall between the project's servers and the authorization application. "
            "This page goes on by itself when the request arrives."
        ),
        permanent=True,
    )


def seen(registration: Registration, task: Task) -> Registration:
    return observe(registration, task.workshop)


def take_back(registration: Registration, submission: Submission, services: Services) -> Registration:
    return registration.taken_back("registered_at")


def context(registration: Registration, services: Services) -> Mapping[str, object]:
    last = registration.last_request_at
    return {
        "next_request_at": last and last + BEAT,
        "silent_until": last and last + DAY,
    }


def chosen(registration: Registration) -> str | Text:
    return say("Registered")


STEP = Step(
    slug="register",
    title=say("Register the project"),
    name=say("Register"),
    holds="registered_at",
    is_done=lambda registration: registration.registered_at is not None,
    submit=submit,
    actions={"back": take_back},
    context=context,
    chosen=chosen,
    lingers=True,
    work=(
        Phase(slug="ask", title=say("Ask the project to register"), run=ask),
        Phase(slug="hear", title=say("Wait for its first request"), run=hear),
    ),
    watch=observe,
)
