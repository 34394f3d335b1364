"""The lines of a preflight's checklist that a swarm adds, and those that it knows better than one engine does."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from docker.utils import version_lt

from wizard.backends import checks
from wizard.backends.engine import holders, template
from wizard.backends.swarm import refusals
from wizard.domain.image import Image
from wizard.domain.preflight import Check, Outcome, PortCheck
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say

NO_NEW_PRIVILEGES = "1.44"
"""The version of the API (Docker 25) since which a service has it; before, it is dropped without a word."""
ORDER = ("engine", "swarm", "architecture", "disk", "port", "leftovers", "hardening")


def port(node: Node, found: PortCheck, published: Mapping[int, Text], *, is_own: bool) -> PortCheck:
    """What one engine found, corrected by what all services publish. `is_own`: who has it is who is to have it."""
    if is_own:
        return replace(found, free=True, holder="", next_free=None)
    holder = published.get(found.port) or found.holder
    if not holder:
        return found
    return replace(found, free=False, holder=holder, next_free=holders.next_free(node, found.port, published))


def checklist(
    found: Iterable[Check],
    node: Node,
    port: PortCheck,
    earlier: Check | None,
    trouble: Text | None,
    versions: Iterable[str],
    image: Image,
) -> tuple[Check, ...]:
    """The lines of the node's engine, and the swarm's. `earlier` is about instances of the licence, if there are any.

    `versions` are those of the API that are spoken with the node and with its manager.
    """
    lines = {check.slug: check for check in found}
    lines["swarm"] = membership(node, trouble)
    lines["hardening"] = hardening(versions, image)
    if not port.free or lines["port"].outcome is Outcome.FAILED:
        lines["port"] = checks.port(port)
    if earlier is not None:
        lines["leftovers"] = earlier
    return tuple(lines[slug] for slug in ORDER if slug in lines)


def leftovers(node: Node, same: Mapping[str, bool], name: str) -> Check | None:
    """About instances of the licence other than the named one. `same` says of each, by its name, if it is in use."""
    if not same:
        return None
    running = next((other for other, is_in_use in same.items() if is_in_use and other != name), "")
    stopped = next((other for other, is_in_use in same.items() if not is_in_use and other != name), "")
    return checks.leftovers(node, running=running, stopped=stopped, has_volume=True)


def membership(node: Node, trouble: Text | None) -> Check:
    if trouble is None:
        detail = say("%(node)s is ready, and a manager of its swarm answers.", node=node.name)
        return Check(slug="swarm", name=say("Swarm"), outcome=Outcome.PASSED, detail=detail)
    return no_swarm(refusals.takes_no_work(node, trouble))


def no_swarm(refusal: BackendError) -> Check:
    problem = refusal.problem
    detail = say("%(what)s %(why)s", what=problem.happened, why=problem.why) if problem.why else problem.happened
    return Check(slug="swarm", name=say("Swarm"), outcome=Outcome.FAILED, detail=detail, todo=problem.todo)


def hardening(versions: Iterable[str], image: Image) -> Check:
    """No doubt, for nobody can do anything about it here: without any rights that they could regain, little is lost."""
    is_old = any(version_lt(version, NO_NEW_PRIVILEGES) for version in versions)
    detail = HARDENING[template.box_of(image).is_bare, is_old]
    return Check(slug="hardening", name=say("Hardening"), outcome=Outcome.PASSED, detail=detail)


HARDENING: Mapping[tuple[bool, bool], Text] = {
    (True, False): say(
        "No root, no rights, nothing to write to but its volume, limited memory and processes, no new privileges."
    ),
    (True, True): say(
        "No root, no rights, nothing to write to but its volume, limited memory and processes. "
        "Docker before 25 leaves out no-new-privileges for a service."
    ),
    (False, False): say("As plain docker run has it, but with limited memory and processes, and no new privileges."),
    (False, True): say(
        "As plain docker run has it, but with limited memory and processes. "
        "Docker before 25 leaves out no-new-privileges for a service."
    ),
}
"""By whether the box is bare, and whether an engine is older."""
