"""What a saved image says of itself: manifest.json, and that every other description in it agrees.

Engines differ in which description they follow, so one archive could load as two different images. Here all of them
must say the same.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from wizard.archive.blobs import BLOBS, Blob
from wizard.archive.verdicts import Refused
from wizard.licensing.protocol.claims import REPOSITORY

ARCHITECTURE = "amd64"
SYSTEM = "linux"
LOCALLY = re.compile("localhost/|docker.io/library/")
"""What Podman puts before a name that has no registry."""
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
ATTESTATION = "attestation-manifest"
"""BuildKit's notes on how an image was built, listed beside it as if it were another image."""


class Entry(msgspec.Struct, frozen=True):
    """An image in manifest.json."""

    config: str = msgspec.field(name="Config")
    layers: tuple[str, ...] = msgspec.field(name="Layers")
    tags: tuple[str, ...] | None = msgspec.field(name="RepoTags", default=None)


class RootFs(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...]


class Container(msgspec.Struct, frozen=True):
    labels: Mapping[str, str] | None = msgspec.field(name="Labels", default=None)


class Config(msgspec.Struct, frozen=True):
    """An image's configuration, as far as it matters here."""

    architecture: str
    os: str
    rootfs: RootFs
    config: Container | None = None

    @property
    def labels(self) -> Mapping[str, str]:
        return (self.config and self.config.labels) or {}


class Descriptor(msgspec.Struct, frozen=True):
    """A reference in index.json, an index beneath it, or an image manifest."""

    digest: str
    media_type: str = msgspec.field(name="mediaType", default="")
    annotations: Mapping[str, str] | None = None

    @property
    def is_attestation(self) -> bool:
        return (self.annotations or {}).get("vnd.docker.reference.type") == ATTESTATION

    @property
    def is_index(self) -> bool:
        return "image.index" in self.media_type or "manifest.list" in self.media_type


class Index(msgspec.Struct, frozen=True):
    manifests: tuple[Descriptor, ...]


class OciManifest(msgspec.Struct, frozen=True):
    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The one image of an archive, every digest of it verified. The layers from the base to the top."""

    repository: str
    tag: str
    image_id: str
    configuration: bytes
    """As it is in the archive; `image_id` is its digest."""
    config: Config
    layers: tuple[Blob, ...]


def read_layout(blobs: Mapping[str, Blob], wanted: str = REPOSITORY) -> Layout:
    """The image that the archive holds; Refused when there is not exactly one, of the repository `wanted`."""
    entry = _only_entry(blobs)
    repository, tag = _name(entry, wanted)
    config_blob = _named(blobs, entry.config)
    layers = tuple(_named(blobs, name) for name in entry.layers)
    _indexes_agree(blobs, config_blob, layers)
    _repositories_agree(blobs, repository, tag)
    config = _decode(config_blob, Config)
    if (config.os, config.architecture) != (SYSTEM, ARCHITECTURE):
        raise Refused(
            "architecture", found=f"{config.os}/{config.architecture}", wanted=f"{SYSTEM}/{ARCHITECTURE} (x86_64)"
        )
    if not entry.config.startswith(BLOBS) and entry.config != f"{config_blob.digest}.json":
        raise Refused("config-digest")
    _layers_agree(config, layers)
    return Layout(
        repository=repository,
        tag=tag,
        image_id=config_blob.digest,
        configuration=config_blob.content or b"",
        config=config,
        layers=layers,
    )


def _only_entry(blobs: Mapping[str, Blob]) -> Entry:
    if "manifest.json" not in blobs:
        raise Refused("no-manifest")
    entries = _decode(blobs["manifest.json"], tuple[Entry, ...])
    if not entries or not entries[0].layers:
        raise Refused("no-manifest")
    if len(entries) > 1:
        raise Refused("two-images")
    return entries[0]


def _name(entry: Entry, wanted: str) -> tuple[str, str]:
    if not entry.tags:
        raise Refused("no-name")
    if len(entry.tags) > 1:
        raise Refused("two-names")
    repository, _, tag = _local(entry.tags[0]).rpartition(":")
    if repository != wanted or not TAG.fullmatch(tag):
        raise Refused("foreign-repository", found=entry.tags[0], wanted=wanted)
    return repository, tag


def _layers_agree(config: Config, layers: tuple[Blob, ...]) -> None:
    """What is in the archive is what the configuration, and so the image id, stands for."""
    if len(config.rootfs.diff_ids) != len(layers):
        raise Refused("layer-count")
    for diff_id, layer in zip(config.rootfs.diff_ids, layers, strict=True):
        if layer.foreign_compression:
            raise Refused("layer-compression", member=layer.name, kind=layer.foreign_compression)
        if diff_id != f"sha256:{layer.unpacked_digest}":
            raise Refused("layer-digest", member=layer.name)


def _indexes_agree(blobs: Mapping[str, Blob], config: Blob, layers: tuple[Blob, ...]) -> None:
    """index.json, where there is one, must lead to the same configuration and layers as manifest.json."""
    if "index.json" not in blobs:
        return
    found = {descriptor.digest for descriptor in _images(blobs, blobs["index.json"], may_nest=True)}
    if len(found) > 1:
        raise Refused("two-images")
    for digest in found:
        manifest = _decode(_addressed(blobs, digest), OciManifest)
        named = [manifest.config.digest, *(layer.digest for layer in manifest.layers)]
        if named == [f"sha256:{blob.digest}" for blob in (config, *layers)]:
            return
    raise Refused("indexes-disagree", member="index.json")


def _images(blobs: Mapping[str, Blob], index: Blob, *, may_nest: bool) -> Iterator[Descriptor]:
    for descriptor in _decode(index, Index).manifests:
        if descriptor.is_attestation:
            continue
        if descriptor.is_index and may_nest:
            yield from _images(blobs, _addressed(blobs, descriptor.digest), may_nest=False)
        else:
            yield descriptor


def _repositories_agree(blobs: Mapping[str, Blob], repository: str, tag: str) -> None:
    """`repositories`, the oldest of the descriptions, must give the same name."""
    if "repositories" not in blobs:
        return
    named = _decode(blobs["repositories"], dict[str, dict[str, str]])
    if [(_local(name), set(tags)) for name, tags in named.items()] != [(repository, {tag})]:
        raise Refused("indexes-disagree", member="repositories")


def _local(name: str) -> str:
    match = LOCALLY.match(name)
    return name[match.end() :] if match else name


def _named(blobs: Mapping[str, Blob], name: str) -> Blob:
    if name not in blobs:
        raise Refused("missing", member=name)
    return blobs[name]


def _addressed(blobs: Mapping[str, Blob], digest: str) -> Blob:
    return _named(blobs, BLOBS + digest.removeprefix("sha256:"))


Shape = TypeVar("Shape")


def _decode(blob: Blob, shape: type[Shape]) -> Shape:
    if blob.content is None:
        raise Refused("description", member=blob.name)
    try:
        return msgspec.json.decode(blob.content, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refused("description", member=blob.name) from None
