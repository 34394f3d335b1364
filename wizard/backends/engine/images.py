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
PREFIXES = ("", "localhost/")
"""What may be before our name of an image: Podman puts one of its registries there, and finds the first without it."""
IN_USE = 409


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
    """Take our name from it. With its last name an engine removes it, unless a container uses it; others' names stay.

    Never by force: whether it is in use is the engine's to decide, at the moment when it would remove it.
    """
    for prefix in PREFIXES:  # without a look: with a full disk Podman cannot even tell what an image is called
        _remove(engine, prefix + template.tag_of(image))
    for id in template.ids_of(image):
        with suppress(NotFound):
            if not engine.inspect_image(id).get("RepoTags"):  # it lost its name to a full disk, or never had one
                _remove(engine, id)


def _remove(engine: APIClient, name: str) -> None:
    """Unless it is in use. With a full disk an engine cannot write down that a name is gone, but knows it then."""
    with suppress(NotFound):
        try:
            engine.remove_image(name)
        except APIError as error:
            if error.status_code == IN_USE:
                return
            if not refusals.is_full(str(error.explanation)):
                raise
            engine.remove_image(name)


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
