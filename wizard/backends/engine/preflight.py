"""The checklist of a node before a deployment, from one look at its engine and a probe on it.

Which check may be accepted by the admin follows from whether it can be wrong: the disk is an estimate, and a stopped
container does no harm by itself. An engine that is too old, an image for another architecture, a port that somebody
holds, a licence that runs already and somebody else's volume are certain, and fail.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from docker import APIClient

from wizard.backends import checks
from wizard.backends.engine import containers, holders, images, program, template, volumes
from wizard.backends.engine.probe import Finding, is_probe, probe, sweep
from wizard.domain.image import Image
from wizard.domain.preflight import Check, Outcome, PortCheck, Preflight
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say

COPIES = 3
"""Of the image, on the engine's disk, while it is loaded: Docker keeps two of them, Podman three (docs/engines.md)."""


def checklist(engine: APIClient, node: Node, image: Image, port: int, name: str, now: datetime) -> Preflight:
    """What is found out on the node, for the container `name` (empty: none yet). Nothing of it stays there."""
    version = engine.version()
    sweep(engine, now)
    listed = [it for it in engine.containers(all=True) if not is_probe(it)]
    published = holders.ports_of(listed, besides=name)
    is_own = _is_own(listed, port, name)
    holder = None if is_own else holders.holder(node, port, published)
    is_tried = holder is None and not is_own
    finding = _probed(engine, version, port if is_tried else None, now)
    if finding and finding.busy:  # perhaps by another's probe, which is gone by now
        finding = _probed(engine, version, port, now)
    if finding and finding.busy:  # by what takes no connection; the disk is still to be asked
        holder, finding = holders.another_program(), _probed(engine, version, None, now)
    found = PortCheck(
        port=port,
        free=holder is None,
        holder=holder or "",
        next_free=holders.next_free(node, port, published) if holder else None,
        checked_at=now,
    )
    words = finding.words if finding and is_tried else ""
    lines = (
        checks.engine(words_of(version)),
        _architecture(version, image),
        _disk(0 if images.has(engine, image) else COPIES * image.size, finding),
        _untried(found, words) if found.free and words else checks.port(found),
        _leftovers(engine, node, image, name, listed),
    )
    return Preflight(port=found, checks=lines)


def refused(refusal: BackendError, port: int, now: datetime) -> Preflight:
    """The checklist of a node whose engine answers, but cannot be used: it ends with its first line."""
    problem = refusal.problem
    check = Check(
        slug="engine",
        name=say("Engine"),
        outcome=Outcome.FAILED,
        detail=problem.why or problem.happened,
        todo=problem.todo,
    )
    unknown = PortCheck(port=port, free=True, holder="", next_free=None, checked_at=now)
    return Preflight(port=unknown, checks=(check,))


def words_of(version: Mapping[str, Any]) -> Text:
    return say(
        "%(engine)s %(version)s, version %(api)s of its API.",
        engine=kind_of(version),
        version=str(version.get("Version", "")),
        api=str(version.get("ApiVersion", "")),
    )


def ready(version: Mapping[str, Any]) -> Text:
    """What is said of an engine that is well."""
    return say("Ready: %(engine)s %(version)s.", engine=kind_of(version), version=str(version.get("Version", "")))


def kind_of(version: Mapping[str, Any]) -> str:
    """What it calls itself: the first of its components, such as Engine or Podman Engine."""
    components = version.get("Components") or [{}]
    return str(components[0].get("Name", "")).replace("Engine", "").strip() or "Docker"


def _is_own(listed: Sequence[Mapping[str, Any]], port: int, name: str) -> bool:
    """Whether the port is held by the very container that is to have it."""
    return any(
        containers.name_of(it) == name
        and containers.is_ours(it)
        and containers.is_up(it)
        and it["Labels"].get(template.PORT_LABEL) == str(port)
        for it in listed
    )


def _probed(engine: APIClient, version: Mapping[str, Any], port: int | None, now: datetime) -> Finding | None:
    """None where the probe is not made for."""
    return probe(engine, port, now) if version.get("Arch") == program.ARCHITECTURE else None


def _architecture(version: Mapping[str, Any], image: Image) -> Check:
    there = str(version.get("Arch", ""))
    name = say("Architecture")
    if there == image.architecture:
        return Check(slug="architecture", name=name, outcome=Outcome.PASSED, detail=there)
    return Check(
        slug="architecture",
        name=name,
        outcome=Outcome.FAILED,
        detail=say("The node is %(there)s, the image is for %(wanted)s.", there=there, wanted=image.architecture),
        todo=say("Choose a node of the image's architecture, or ask the vendor for another image."),
    )


def _disk(size: int, finding: Finding | None) -> Check:
    """`size` in bytes is what the engine needs for the image."""
    if finding and finding.free is not None:
        return checks.disk(size, finding.free)
    need = size + checks.SPARE
    return Check(
        slug="disk",
        name=say("Free disk"),
        outcome=Outcome.DOUBTFUL,
        detail=say("It cannot be told: the engine could not run the probe (%(words)s).", words=finding.words)
        if finding
        else say("It cannot be told on this architecture."),
        consequence=say("If there is no room, the deployment fails and is undone; others on the node may suffer."),
        todo=say("Look at the disk of the node yourself: about %(need)s MB are needed.", need=need // 10**6),
    )


def _untried(found: PortCheck, words: str) -> Check:
    return Check(
        slug="port",
        name=say("Port"),
        outcome=Outcome.DOUBTFUL,
        detail=say(
            "Nobody answers at %(port)s, but the engine could not try it (%(words)s).", port=found.port, words=words
        ),
        consequence=say("If something holds it all the same, the deployment fails and is undone."),
    )


def _leftovers(engine: APIClient, node: Node, image: Image, name: str, listed: Sequence[Mapping[str, Any]]) -> Check:
    others = [it for it in listed if containers.name_of(it) != name and containers.is_of(it, image.licence)]
    running = next((containers.name_of(it) for it in others if containers.is_up(it)), "")
    stopped = next((containers.name_of(it) for it in others if not containers.is_up(it)), "")
    if any(containers.name_of(it) == name and not containers.is_ours(it) for it in listed):
        return _foreign(
            say("A container that the wizard did not make is named %(name)s.", name=name),
            say("Rename or remove it, then check again."),
        )
    volume = volumes.found(engine, image)
    if volume is not None and not volumes.is_ours(volume, image) and not running:
        return _foreign(
            say("A volume that the wizard did not make is named %(name)s.", name=volume["Name"]),
            say("Move what is in it to a volume of another name and remove it, then check again."),
        )
    return checks.leftovers(node, running=running, stopped=stopped, has_volume=volume is not None)


def _foreign(detail: Text, todo: Text) -> Check:
    return Check(slug="leftovers", name=say("Earlier instance"), outcome=Outcome.FAILED, detail=detail, todo=todo)
