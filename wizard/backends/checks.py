"""The lines of a preflight's checklist that several backends have, each from what was found."""

from wizard.domain.preflight import Check, Outcome, PortCheck
from wizard.domain.project import Node
from wizard.text import Text, say

MEBIBYTE = 1 << 20
SPARE = 64 * MEBIBYTE
"""Bytes that must be free beside the image: for the volume, the log, and what the engine writes meanwhile."""


def engine(detail: Text) -> Check:
    return Check(slug="engine", name=say("Engine"), outcome=Outcome.PASSED, detail=detail)


def disk(size: int, free: int) -> Check:
    """Whether so many free bytes are enough for what is to be put there. What it really takes is not known exactly."""
    need = size + SPARE
    detail = say("%(free)s MB are free; about %(need)s MB are needed.", free=free // 10**6, need=need // 10**6)
    if free >= need:
        return Check(slug="disk", name=say("Free disk"), outcome=Outcome.PASSED, detail=detail)
    return Check(
        slug="disk",
        name=say("Free disk"),
        outcome=Outcome.DOUBTFUL,
        detail=detail,
        consequence=say("If the disk fills up, the deployment fails and is undone; others on the node may suffer."),
        todo=say("Make room where the engine keeps its images, then check again."),
    )


def port(found: PortCheck) -> Check:
    if found.free:
        detail = say("%(port)s is free.", port=found.port)
        return Check(slug="port", name=say("Port"), outcome=Outcome.PASSED, detail=detail)
    return Check(
        slug="port",
        name=say("Port"),
        outcome=Outcome.FAILED,
        detail=say("%(port)s is held by %(holder)s.", port=found.port, holder=found.holder),
        todo=say("Use another port, or free this one and check again."),
    )


def leftovers(node: Node, *, running: str, stopped: str, has_volume: bool) -> Check:
    """What an earlier instance of the licence has left: a container, by its name, and a volume, which is kept (R13)."""
    if running:
        return Check(
            slug="leftovers",
            name=say("Earlier instance"),
            outcome=Outcome.FAILED,
            detail=say("This licence runs on %(node)s already, in %(name)s.", node=node.name, name=running),
            todo=say("Go on with the one that runs, or remove it first."),
        )
    if stopped:
        return Check(
            slug="leftovers",
            name=say("Earlier instance"),
            outcome=Outcome.DOUBTFUL,
            detail=say("A stopped container of this licence is there: %(name)s.", name=stopped),
            consequence=say("The new container takes over its volume; the old one must not be started again."),
            todo=say("Remove the old one if nobody needs it, then check again."),
        )
    detail = (
        say("The volume of an earlier instance is there. It is kept, and used again.")
        if has_volume
        else say("There is none: this will be a new instance.")
    )
    return Check(slug="leftovers", name=say("Earlier instance"), outcome=Outcome.PASSED, detail=detail)
