"""The licence image on an engine: whether it is there, bringing it there, taking it away."""

from contextlib import suppress
from pathlib import Path

from docker import APIClient
from docker.errors import APIError, ImageNotFound, NotFound
from requests import RequestException
from urllib3.exceptions import HTTPError

from wizard.backends.engine import reading, refusals, template
from wizard.backends.refusals import not_loaded
from wizard.domain.image import Image
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.ports import Progress

SECONDS_TO_LOAD = 300
"""Without a word of the engine, while it unpacks a layer."""


def found(engine: APIClient, image: Image) -> str:
    """What the engine calls it, `sha256:` and one of the two digests that were computed when it was received.

    Nothing when it is not there. Either digest stands for the configuration and every layer, so nothing is compared.
    """
    for id in template.ids_of(image):
        with suppress(ImageNotFound):
            engine.inspect_image(id)
            return id
    return ""


def has(engine: APIClient, image: Image) -> bool:
    return bool(found(engine, image))


def load(engine: APIClient, node: Node, image: Image, archive: Path, progress: Progress) -> None:
    """Bring it there, unless it is there already, and give it a name of ours; progress is in bytes."""
    if not has(engine, image):
        progress(0, image.size)
        words = _send(engine, image, archive, progress)
        if not has(engine, image):
            raise _refusal(node, image, words)
    repository, _, tag = template.tag_of(image).partition(":")
    engine.tag(found(engine, image), repository, tag)
    progress(image.size, image.size)


def unload(engine: APIClient, image: Image) -> None:
    """Take it away, unless a container uses it."""
    if not is_used(engine, image):
        for id in template.ids_of(image):
            with suppress(NotFound):
                _remove(engine, id)


def _remove(engine: APIClient, image_id: str) -> None:
    """On a full disk Docker cannot write down that the names are gone, but knows it; the second time it removes it."""
    try:
        engine.remove_image(image_id, force=True)
    except APIError as error:
        if not refusals.is_full(str(error.explanation)):
            raise
        engine.remove_image(image_id, force=True)


def is_used(engine: APIClient, image: Image) -> bool:
    """Asked of each container: Podman finds none by an image's id, and takes containers away with their image."""
    ids = {id.removeprefix("sha256:") for id in template.ids_of(image)}
    return any(container["ImageID"].removeprefix("sha256:") in ids for container in engine.containers(all=True))


def _send(engine: APIClient, image: Image, archive: Path, progress: Progress) -> str:
    """Load the archive; the words of the error that it ended with, or nothing."""
    with archive.open("rb") as file:
        pieces = reading.Telling(file, image.size, progress)
        try:
            return reading.error_of(engine.load_image(pieces))
        except APIError as error:  # Podman says so with a status
            return str(error.explanation)
        except (RequestException, HTTPError):
            if pieces.stopped is not None:
                raise pieces.stopped from None
            raise


def _refusal(node: Node, image: Image, words: str) -> BackendError:
    if refusals.is_full(words):
        return refusals.no_room(node, words)
    return not_loaded(node, image, words)
