"""The volume of a licence on an engine, and whose it is."""

from collections.abc import Mapping
from typing import Any

from docker import APIClient
from docker.errors import NotFound

from wizard.backends.engine import refusals, template
from wizard.domain.image import Image
from wizard.domain.project import Node


def found(engine: APIClient, image: Image) -> Mapping[str, Any] | None:
    """As the engine describes it; None when there is none."""
    try:
        described: Mapping[str, Any] = engine.inspect_volume(template.volume_of(image.licence))
    except NotFound:
        return None
    return described


def is_ours(described: Mapping[str, Any], image: Image) -> bool:
    """By its label. Its name alone proves nothing: whoever mounts a volume by it makes one, without a label."""
    return bool((described.get("Labels") or {}).get(template.OURS) == image.licence)


def ensure(engine: APIClient, node: Node, image: Image) -> None:
    """Make it, unless it is there: then an engine answers with the one that is. BackendError when it is another's.

    Docker 20.10 leaves the labels out of that answer for a volume that is older than the engine's own start.
    """
    volume = template.volume(image)
    answered = engine.create_volume(volume["Name"], labels=volume["Labels"])
    if not (is_ours(answered, image) or is_ours(found(engine, image) or {}, image)):
        raise refusals.volume_taken(node, volume["Name"])
