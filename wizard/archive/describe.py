"""What a saved image says of itself: the shapes of its descriptions, which are JSON, read so that all read them alike.

Engines are written in Go, whose reader takes the last of two equal keys, and takes `Volumes` and `volumes` for the same
one. Whatever it could understand in another way than is understood here is refused.
"""

import json
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from wizard.archive.blobs import Blob
from wizard.archive.limits import MOST_VALUES
from wizard.archive.verdicts import Refused

Texts = tuple[str, ...]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """An object with keys that are known. Others may stand beside them, for they mean nothing to an engine."""


class Platform(Shape, frozen=True, kw_only=True):
    architecture: str = ""
    os: str = ""
    variant: str | None = None
    os_version: str | None = msgspec.field(name="os.version", default=None)
    os_features: Texts | None = msgspec.field(name="os.features", default=None)


class Descriptor(Shape, frozen=True, kw_only=True):
    """A reference to a blob. `size` in bytes."""

    digest: str
    size: int | None = None
    media_type: str = msgspec.field(name="mediaType", default="")
    annotations: Mapping[str, str] | None = None
    platform: Platform | None = None
    urls: Texts | None = None
    data: str | None = None
    artifact_type: str | None = msgspec.field(name="artifactType", default=None)


class Manifest(Shape, frozen=True, kw_only=True):
    """Of one image."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    version: int = msgspec.field(name="schemaVersion", default=2)
    media_type: str = msgspec.field(name="mediaType", default="")
    artifact_type: str | None = msgspec.field(name="artifactType", default=None)
    subject: object = None
    manifests: object = None
    """An index has them."""


class Index(Shape, frozen=True, kw_only=True):
    manifests: tuple[Descriptor, ...]
    version: int = msgspec.field(name="schemaVersion", default=2)
    media_type: str = msgspec.field(name="mediaType", default="")
    artifact_type: str | None = msgspec.field(name="artifactType", default=None)
    subject: object = None
    config: object = None
    layers: object = None
    """A manifest has them."""


class LayoutFile(Shape, frozen=True, kw_only=True):
    version: str = msgspec.field(name="imageLayoutVersion")


class Entry(Shape, frozen=True, kw_only=True):
    """An image in manifest.json."""

    config: str = msgspec.field(name="Config")
    layers: Texts = msgspec.field(name="Layers")
    tags: Texts | None = msgspec.field(name="RepoTags", default=None)
    parent: str | None = msgspec.field(name="Parent", default=None)
    sources: Mapping[str, Descriptor] | None = msgspec.field(name="LayerSources", default=None)


class NoteReference(Shape, frozen=True, kw_only=True):
    digest: str = ""


class Note(Shape, frozen=True, kw_only=True):
    """The manifest of BuildKit's notes on how an image was built: as far as it names other files."""

    config: NoteReference | None = None
    layers: tuple[NoteReference, ...] = ()


class OldDescription(Shape, frozen=True, kw_only=True):
    """Of one layer, for Docker of before 1.10. Docker 25 and later write it under blobs/, where nothing names it."""

    id: str
    created: str


class Probe(Shape, frozen=True, kw_only=True):
    test: Texts | None = msgspec.field(name="Test", default=None)
    interval: int | None = msgspec.field(name="Interval", default=None)
    timeout: int | None = msgspec.field(name="Timeout", default=None)
    start_period: int | None = msgspec.field(name="StartPeriod", default=None)
    start_interval: int | None = msgspec.field(name="StartInterval", default=None)
    retries: int | None = msgspec.field(name="Retries", default=None)


class Container(Shape, frozen=True, kw_only=True, rename="pascal"):
    """How a container of an image runs: what Docker knows (its API), which is more than the OCI specification has."""

    hostname: str | None = None
    domainname: str | None = None
    user: str | None = None
    attach_stdin: bool | None = None
    attach_stdout: bool | None = None
    attach_stderr: bool | None = None
    exposed_ports: Mapping[str, Mapping[str, object] | None] | None = None
    tty: bool | None = None
    open_stdin: bool | None = None
    stdin_once: bool | None = None
    env: Texts | None = None
    cmd: Texts | None = None
    healthcheck: Probe | None = None
    args_escaped: bool | None = None
    image: str | None = None
    volumes: Mapping[str, Mapping[str, object] | None] | None = None
    working_dir: str | None = None
    entrypoint: Texts | None = None
    network_disabled: bool | None = None
    mac_address: str | None = None
    on_build: Texts | None = None
    labels: Mapping[str, str] | None = None
    stop_signal: str | None = None
    stop_timeout: int | None = None
    shell: Texts | None = None


class RootFs(Shape, frozen=True, kw_only=True):
    diff_ids: Texts
    type: str = ""


class Past(Shape, frozen=True, kw_only=True):
    """One step of how an image was made."""

    created: str | None = None
    created_by: str | None = None
    author: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class Config(Platform, frozen=True, kw_only=True):
    """An image's configuration; `image_id` is its digest."""

    architecture: str
    os: str
    rootfs: RootFs
    config: Container | None = None
    history: tuple[Past, ...] | None = None
    created: str | None = None
    author: str | None = None
    container: str | None = None
    container_config: Container | None = None
    docker_version: str | None = None
    id: str | None = None
    parent: str | None = None
    comment: str | None = None
    size: int | None = msgspec.field(name="Size", default=None)

    @property
    def labels(self) -> Mapping[str, str]:
        return (self.config and self.config.labels) or {}


Read = TypeVar("Read")


def read(blob: Blob, shape: type[Read], misspelt: str = "description") -> Read:
    """The description in that shape. Refused when all readers would not understand the same by it.

    `misspelt` is the verdict on a key that is nearly a known one.
    """
    try:
        document = _parsed(blob.content)
        found = msgspec.json.decode(blob.content or b"", type=shape)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        raise Refused("description", member=blob.name) from None
    for key in _misspelt(document, shape):
        raise Refused(misspelt, member=blob.name, setting=key)
    return found


def reads(blob: Blob, shape: type[Read]) -> Read | None:
    """The description, if it has that shape."""
    try:
        return read(blob, shape)
    except Refused:
        return None


def _parsed(content: bytes | None) -> object:
    """The document; a ValueError when it is none."""
    if content is None or sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ValueError
    document = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    json.dumps(document, ensure_ascii=False).encode()  # half a character cannot be encoded
    return document


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """An object. No key may be there twice."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(key)
        found[key] = value
    return found


def _refuse(constant: str) -> object:
    """NaN and the infinities are no JSON."""
    raise ValueError(constant)


def _misspelt(document: Any, shape: Any) -> Iterator[str]:
    """The keys that are nearly known, or nearly the same as another, in objects where an engine looks for known ones.

    Go's reader compares keys without their case, by Unicode's simple folding; Python's `casefold` makes equal what that
    does, and more.
    """
    kind, inner = get_origin(shape), get_args(shape)
    if document is None:
        return
    if kind is types.UnionType:
        yield from _misspelt(document, inner[0])
    elif kind is tuple:
        for part in document:
            yield from _misspelt(part, inner[0])
    elif kind is Mapping:
        for part in document.values():
            yield from _misspelt(part, inner[1])
    elif isinstance(shape, type) and issubclass(shape, Shape):
        known = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}
        yield from _nearly(document, known)
        for key in known.keys() & document.keys():
            yield from _misspelt(document[key], known[key])


def _nearly(keys: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    spelled = {name.casefold(): name for name in known}
    for key in keys:
        if spelled.setdefault(key.casefold(), key) != key:
            yield key
