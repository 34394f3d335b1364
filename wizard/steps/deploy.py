"""Run the authorization application on the node: check, load, start, wait until it answers (R5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from wizard.domain.deployment import Deployment, Endpoint, ServerStatus
from wizard.domain.image import Image
from wizard.domain.instance import Instance
from wizard.domain.project import Node
from wizard.domain.registration import Registration
from wizard.errors import BackendError, InvalidInput, Problem
from wizard.flow import Phase, Step, Submission, observe
from wizard.licensing.protocol.api import ENTRY
from wizard.ports import Services, Task
from wizard.text import Text, say

SECONDS_TO_ANSWER = 60
SECONDS_BETWEEN_LOOKS = 0.02
A_MOMENT = timedelta(minutes=1)
"""So long what was found out about a node holds."""
KILLED = 128 + 9
"""The exit status of what a signal KILL has ended."""


READ_IT = say("Read what it printed, below, then deploy again.")


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a container may end by itself: by what it is known, why it is so, and what to do."""

    fits: Callable[[Instance, str], bool]
    why: Text
    todo: Text = READ_IT


ENDINGS = (
    Ending(
        fits=lambda instance, words: instance.out_of_memory and instance.memory > 0,
        why=say("It needed more memory than it may have, which is %(most)s MB."),
        todo=say("Tell the vendor, and ask for another image."),
    ),
    Ending(
        fits=lambda instance, words: "exec format error" in words.lower(),
        why=say("Its program is for another kind of processor than that of %(node)s."),
        todo=say("Ask the vendor for an image for this node, or choose another node, then deploy again."),
    ),
    Ending(
        fits=lambda instance, words: instance.exit_code == KILLED and instance.memory > 0,
        why=say(
            "It was killed (exit status %(status)s), most likely because it needed more memory than it may have, which "
            "is %(most)s MB."
        ),
        todo=say("If it happens again, tell the vendor, and ask for another image."),
    ),
    Ending(
        fits=lambda instance, words: True,
        why=say("Its container was started on %(node)s, and ended with the exit status %(status)s."),
    ),
)
"""The first one that fits is told. Podman 4 does not tell what has ended for want of memory (docs/engines.md)."""


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    """What to deploy, and where, is settled; only what is doubtful is still to be accepted, each by its own box."""
    doubts = registration.preflight.doubts if registration.preflight else ()
    return registration.accept([doubt.slug for doubt in doubts if f"accept_{doubt.slug}" in submission.fields])


def name_of(task: Task) -> str:
    """What the container is called: after the operation, so a second try finds what the first one made."""
    return f"fineops-license-{task.operation[:12]}"


def check(registration: Registration, task: Task) -> Registration:
    """The file is still the one that was checked, and nothing is in the way but what was accepted.

    What was found out a moment ago is not asked again; should it have changed since, the phases to come will say so.
    """
    workshop, now = task.workshop, task.workshop.clock()
    image, node, port = settled(registration)
    workshop.spool.path(image)
    found = registration.preflight
    if found is None or now - found.port.checked_at > A_MOMENT:
        found = workshop.backend.preflight(node, image, port, name_of(task), now)
    if not found.port.free:
        raise InvalidInput(
            say("Port %(port)s was taken on %(node)s meanwhile.", port=port, node=node.name),
            why=say("It is held by %(holder)s.", holder=found.port.holder),
            todo=say("Go back and set another port, or free this one and deploy again."),
        )
    registration.checked(found).accept(registration.accepted)
    return registration


def load(registration: Registration, task: Task) -> Registration:
    image, node, _ = settled(registration)
    task.workshop.backend.load(node, image, task.workshop.spool.path(image), task.progress)
    return registration


def unload(registration: Registration, task: Task) -> None:
    image, node, _ = settled(registration)
    task.workshop.backend.unload(node, image)


def start(registration: Registration, task: Task) -> Registration:
    image, node, port = settled(registration)
    task.workshop.backend.start(node, image, port, name_of(task))
    return registration


def remove(registration: Registration, task: Task) -> None:
    _, node, _ = settled(registration)
    task.workshop.backend.remove(node, name_of(task))


def answer(registration: Registration, task: Task) -> Registration:
    """Wait until it answers. When it does not, what it said last is told: trouble can end without a new deployment."""
    workshop = task.workshop
    _, node, _ = settled(registration)
    looks = int(SECONDS_TO_ANSWER / SECONDS_BETWEEN_LOOKS)
    trouble = silence(node)
    end = workshop.clock() + timedelta(seconds=SECONDS_TO_ANSWER)  # a look can take longer than the rest between two
    for look in range(looks):
        if workshop.clock() > end:
            break
        task.progress(look, looks)
        heard = asked(registration, task)
        if isinstance(heard, Heard):
            name, now = name_of(task), workshop.clock()
            deployment = Deployment(name=name, node=node.slug, endpoint=heard.endpoint, deployed_at=now)
            deployed = registration.deployed(deployment)
            return deployed.observed(heard.status, now) if heard.status else deployed
        trouble = heard
        ensure_running(registration, task)
        task.wait(SECONDS_BETWEEN_LOOKS)
    raise BackendError(
        trouble.happened,
        why=trouble.why,
        todo=trouble.todo,
        raw="\n\n".join(filter(None, (trouble.raw, workshop.backend.logs(node, name_of(task))))),
        permanent=True,
    )


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Where it answers, and what it says of itself, if it speaks the reference protocol."""

    endpoint: Endpoint
    status: ServerStatus | None = None


def asked(registration: Registration, task: Task) -> Heard | Problem:
    """What it says of itself, or why it does not yet. A wrong key will not become right by waiting, and is raised.

    Its engine is not asked before anybody takes a connection. The key is read over the engine's channel, never over the
    network that it protects, and while the application gets ready to answer; what speaks another protocol has none that
    could be compared.
    """
    image, node, port = settled(registration)
    servers = task.workshop.license_servers
    place = Endpoint(address=node.address, port=port, pin="")
    if not servers.is_open(place):
        return silence(node)
    pin, _, token = kept(ENTRY, node, task).partition(" ") if image.is_licence else ("", "", "")
    if not servers.is_there(place):
        return silence(node)
    if not image.is_licence:
        return Heard(endpoint=place)
    if not (pin and token):
        return silence(node)
    endpoint = replace(place, pin=pin, token=token)
    try:
        return Heard(endpoint=endpoint, status=servers.status(endpoint, task.workshop.clock()))
    except BackendError as error:
        if error.permanent:
            raise
        return error.problem


def silence(node: Node) -> Problem:
    """What there is to say of one that has not said where, and as whom, it can be asked."""
    return Problem(
        happened=say("The authorization application does not answer."),
        why=say(
            "It was started on %(node)s and has said nothing for %(seconds)s seconds.",
            node=node.name,
            seconds=SECONDS_TO_ANSWER,
        ),
        todo=READ_IT,
    )


def kept(name: str, node: Node, task: Task) -> str:
    """What the authorization application has written into that file of its volume; nothing before it has."""
    content = task.workshop.backend.read_config(node, name_of(task), name)
    return (content or b"").decode(errors="replace").strip()


def ensure_running(registration: Registration, task: Task) -> None:
    """One without an exit status is about to be started again: what it ended with is seen at the next look."""
    _, node, _ = settled(registration)
    instance = task.workshop.backend.inspect(node, name_of(task))
    if instance is None:
        raise BackendError(
            say("The container of the authorization application is gone from %(node)s.", node=node.name),
            why=say("Somebody has removed it."),
            todo=say("Deploy again."),
            permanent=True,
        )
    if not instance.running and instance.exit_code is not None:
        raise stopped(node, instance, task.workshop.backend.logs(node, instance.name))


def stopped(node: Node, instance: Instance, words: str) -> BackendError:
    """`words` are the last ones that it printed."""
    ending = next(it for it in ENDINGS if it.fits(instance, words))
    told: dict[str, str | int | Text] = {
        "node": node.name,
        "status": instance.exit_code or 0,
        "most": instance.memory >> 20,
    }
    return BackendError(
        say("The authorization application stopped by itself."),
        why=replace(ending.why, params=told),
        todo=ending.todo,
        raw=words,
        permanent=True,
    )


def settled(registration: Registration) -> tuple[Image, Node, int]:
    """The image, node and port, which the steps before have settled."""
    image, node, port = registration.image, registration.node, registration.port
    if image is None or node is None or port is None:
        raise InvalidInput(say("There is nothing to deploy yet."), todo=say("Finish the steps before this one."))
    return image, node, port


def context(registration: Registration, services: Services) -> Mapping[str, object]:
    seen = services.store.inspection(registration.id)
    return {
        "locked_until": registration.locked_until(services.clock()),
        "inspection": seen if seen is not None and registration.believes(seen) else None,
    }


def chosen(registration: Registration) -> str | Text:
    deployment = registration.deployment
    return f"{deployment.endpoint.address}:{deployment.endpoint.port}" if deployment else ""


STEP = Step(
    slug="deploy",
    title=say("Deploy the authorization application"),
    name=say("Deploy"),
    holds="deployment",
    is_done=lambda registration: registration.deployment is not None,
    submit=submit,
    context=context,
    chosen=chosen,
    lingers=True,
    watch=observe,
    work=(
        Phase(slug="check", title=say("Check the node"), run=check),
        Phase(slug="load", title=say("Load the image"), run=load, undo=unload),
        Phase(slug="start", title=say("Start the container"), run=start, undo=remove),
        Phase(slug="answer", title=say("Wait for the first answer"), run=answer),
    ),
)
