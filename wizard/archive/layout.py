"""The one image of an archive: its descriptions lead to it, and all of them must say the same.

Engines differ in which description they follow: manifest.json, or index.json of an OCI layout, or `repositories`. So
one archive could load as two different images.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wizard.archive import settings
from wizard.archive.blobs import BLOBS, Blob
from wizard.archive.describe import (
    Config,
    Descriptor,
    Entry,
    Index,
    LayoutFile,
    Manifest,
    Note,
    OldDescription,
    Platform,
    read,
    reads,
)
from wizard.archive.layer import ensure_apart
from wizard.archive.verdicts import Refused
from wizard.licensing.protocol.claims import CLAIMS_LABEL, REPOSITORY

ARCHITECTURE = "amd64"
SYSTEM = "linux"
OCI_VERSION = "1.0.0"
SCHEMA = 2
LOCALLY = re.compile("localhost/|docker.io/library/")
"""What Podman puts before a name that has no registry."""
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
HEX = re.compile(r"[0-9a-f]{64}")
ATTESTATION = "attestation-manifest"
"""BuildKit's notes on how an image was built, listed beside it as if it were another image."""
KIND_OF_NOTE = "vnd.docker.reference.type"
NAME, TAG_OR_NAME = "io.containerd.image.name", "org.opencontainers.image.ref.name"
"""Where an index has the name of an image: Docker and containerd write both, Podman and skopeo the second alone."""

_OCI, _DOCKER = "application/vnd.oci.image", "application/vnd.docker"
MANIFESTS = (f"{_OCI}.manifest.v1+json", f"{_DOCKER}.distribution.manifest.v2+json")
INDEXES = (f"{_OCI}.index.v1+json", f"{_DOCKER}.distribution.manifest.list.v2+json")
CONFIGS = (f"{_OCI}.config.v1+json", f"{_DOCKER}.container.image.v1+json")
LAYERS = (
    *(f"{_OCI}.layer.v1.tar{packed}" for packed in ("", "+gzip", "+zstd")),
    *(f"{_DOCKER}.image.rootfs.diff.tar{packed}" for packed in ("", ".gzip", ".zstd")),
)
BESIDE = re.compile(r"manifest\.json|index\.json|oci-layout|repositories|[0-9a-f]{64}/(?:json|VERSION)")
"""Files that describe, and that nothing has to name."""


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


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image as one of the descriptions has it."""

    names: tuple[str, ...]
    config: Blob
    layers: tuple[Blob, ...]


@dataclass
class Indexed:
    """What index.json leads to."""

    images: dict[str, Descriptor] = field(default_factory=dict)
    """By their digest."""
    names: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    platforms: list[Platform] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Digests."""
    files: set[str] = field(default_factory=set)
    """The names of the blobs that were gone through."""


def read_layout(blobs: Mapping[str, Blob], wanted: str = REPOSITORY) -> Layout:
    """The image that the archive holds; Refused when there is not exactly one, of the repository `wanted`."""
    is_oci = _is_oci(blobs)
    indexed = _indexed(blobs) if "index.json" in blobs else Indexed()
    image = _only_image(blobs, indexed, is_oci=is_oci)
    repository, tag = _name(image.names, wanted)
    _index_agrees(blobs, indexed, image, (repository, tag))
    _repositories_agree(blobs, repository, tag)
    config = read(image.config, Config, misspelt="configuration")
    _runs_here(config, indexed.platforms)
    if not image.config.name.startswith(BLOBS) and image.config.name != f"{image.config.digest}.json":
        raise Refused("config-digest")
    _layers_agree(config, image.layers)
    settings.ensure(config, is_licence=CLAIMS_LABEL in config.labels)
    _nothing_else(blobs, indexed, image)
    return Layout(
        repository=repository,
        tag=tag,
        image_id=image.config.digest,
        configuration=image.config.content or b"",
        config=config,
        layers=image.layers,
    )


def _is_oci(blobs: Mapping[str, Blob]) -> bool:
    """Whether it is an OCI image layout, which says so in a file of its own."""
    if "oci-layout" not in blobs:
        return False
    if read(blobs["oci-layout"], LayoutFile).version != OCI_VERSION:
        raise Refused("description", member="oci-layout")
    return True


def _only_image(blobs: Mapping[str, Blob], indexed: Indexed, *, is_oci: bool) -> Image:
    """That of manifest.json; or that of the index, where the archive is what OCI calls an image layout."""
    if "manifest.json" in blobs:
        return _image_of(blobs, indexed)
    images = [it for it in indexed.images.values() if it.media_type in MANIFESTS]
    if not is_oci or not images:
        raise Refused("no-manifest")
    if len(images) > 1:
        raise Refused("two-images")
    config, layers = _resolved(blobs, images[0], indexed)
    return Image(names=tuple(dict.fromkeys(indexed.names)), config=config, layers=layers)


def _image_of(blobs: Mapping[str, Blob], indexed: Indexed) -> Image:
    entries = read(blobs["manifest.json"], tuple[Entry, ...])
    if not entries or not entries[0].layers:
        raise Refused("no-manifest")
    if len(entries) > 1:
        raise Refused("two-images")
    entry = entries[0]
    for descriptor in (entry.sources or {}).values():
        _ensure_plain(descriptor, LAYERS, "manifest.json")
    return Image(
        names=entry.tags or tuple(dict.fromkeys(indexed.names)),
        config=_named(blobs, entry.config),
        layers=tuple(_named(blobs, name) for name in entry.layers),
    )


def _name(names: tuple[str, ...], wanted: str) -> tuple[str, str]:
    if not names:
        raise Refused("no-name")
    if len(names) > 1:
        raise Refused("two-names")
    repository, tag = _parts(names[0])
    if repository != wanted or not TAG.fullmatch(tag):
        raise Refused("foreign-repository", found=names[0], wanted=wanted)
    return repository, tag


def _parts(name: str) -> tuple[str, str]:
    match = LOCALLY.match(name)
    repository, _, tag = (name[match.end() :] if match else name).rpartition(":")
    return repository, tag


def _indexed(blobs: Mapping[str, Blob]) -> Indexed:
    found = Indexed()
    _go_through(blobs, blobs["index.json"], found, may_nest=True)
    return found


def _go_through(blobs: Mapping[str, Blob], index: Blob, found: Indexed, *, may_nest: bool) -> None:
    """Take in what an index lists, and the index that it lists, which is BuildKit's."""
    found.files.add(index.name)
    listed = read(index, Index)
    _ensure_kind(listed, INDEXES, index.name, (listed.config, listed.layers))
    for descriptor in listed.manifests:
        _ensure_plain(descriptor, MANIFESTS + INDEXES, index.name)
        annotations = descriptor.annotations or {}
        if annotations.get(KIND_OF_NOTE) == ATTESTATION:
            found.notes.append(descriptor.digest)
            continue
        _take_names(annotations, found)
        if descriptor.media_type in INDEXES and may_nest:
            _go_through(blobs, _addressed(blobs, descriptor), found, may_nest=False)
        else:
            found.images[descriptor.digest] = descriptor
            found.platforms += [descriptor.platform] if descriptor.platform else []


def _take_names(annotations: Mapping[str, str], found: Indexed) -> None:
    for key in (NAME, TAG_OR_NAME):
        if name := annotations.get(key):
            (found.names if ":" in name or key == NAME else found.tags).append(name)


def _resolved(blobs: Mapping[str, Blob], descriptor: Descriptor, indexed: Indexed) -> tuple[Blob, tuple[Blob, ...]]:
    """The configuration and the layers that an image manifest names."""
    blob = _addressed(blobs, descriptor)
    indexed.files.add(blob.name)
    manifest = read(blob, Manifest)
    _ensure_kind(manifest, MANIFESTS, blob.name, (manifest.manifests,))
    _ensure_plain(manifest.config, CONFIGS, blob.name)
    for layer in manifest.layers:
        _ensure_plain(layer, LAYERS, blob.name)
    return _addressed(blobs, manifest.config), tuple(_addressed(blobs, layer) for layer in manifest.layers)


def _ensure_kind(read: Index | Manifest, kinds: Iterable[str], member: str, foreign: Iterable[object]) -> None:
    """Refused when a description is of another version, or could be taken for one of another kind."""
    is_of_kind = read.version == SCHEMA and read.media_type in ("", *kinds)
    if not is_of_kind or any(it is not None for it in (read.subject, read.artifact_type, *foreign)):
        raise Refused("description", member=member)


def _ensure_plain(descriptor: Descriptor, kinds: Iterable[str], member: str) -> None:
    """Refused when a reference is to something else than a file of this archive, of one of these kinds."""
    is_of_kind = DIGEST.fullmatch(descriptor.digest) and descriptor.media_type in ("", *kinds)
    if not is_of_kind or descriptor.urls or descriptor.data or descriptor.artifact_type:
        raise Refused("description", member=member)


def _index_agrees(blobs: Mapping[str, Blob], indexed: Indexed, image: Image, name: tuple[str, str]) -> None:
    """index.json, where there is one, must lead to the same image as manifest.json, under the same name."""
    if "index.json" not in blobs:
        return
    if len(indexed.images) > 1:
        raise Refused("two-images")
    for descriptor in indexed.images.values():
        config, layers = _resolved(blobs, descriptor, indexed)
        has_name = all(map(name.__eq__, map(_parts, indexed.names))) and all(map(name[1].__eq__, indexed.tags))
        if has_name and _same((config,), (image.config,)) and (not layers or _same(layers, image.layers)):
            return  # Docker 25.0.0 leaves out the layers, which manifest.json has
    raise Refused("indexes-disagree", member="index.json")


def _same(these: Iterable[Blob], those: Iterable[Blob]) -> bool:
    return [it.digest for it in these] == [it.digest for it in those]


def _repositories_agree(blobs: Mapping[str, Blob], repository: str, tag: str) -> None:
    """`repositories`, the oldest of the descriptions, must give the same name."""
    if "repositories" not in blobs:
        return
    named = read(blobs["repositories"], dict[str, dict[str, str]])
    if [_parts(f"{name}:{it}") for name, tags in named.items() for it in tags] != [(repository, tag)]:
        raise Refused("indexes-disagree", member="repositories")


def _runs_here(config: Config, platforms: Iterable[Platform]) -> None:
    for it in (config, *platforms):
        found = "/".join(part for part in (it.os, it.architecture, it.variant, it.os_version) if part)
        if found != f"{SYSTEM}/{ARCHITECTURE}":
            raise Refused("architecture", found=found, wanted=f"{SYSTEM}/{ARCHITECTURE} (x86_64)")


def _layers_agree(config: Config, layers: tuple[Blob, ...]) -> None:
    """What is in the archive is what the configuration, and so the image id, stands for."""
    if len(config.rootfs.diff_ids) != len(layers):
        raise Refused("layer-count")
    for layer in layers:
        if layer.fault:
            raise layer.fault
    for diff_id, layer in zip(config.rootfs.diff_ids, layers, strict=True):
        if diff_id != f"sha256:{layer.unpacked_digest}":
            raise Refused("layer-digest", member=layer.name)
    ensure_apart((layer.name, layer.inside) for layer in layers if layer.inside)


def _nothing_else(blobs: Mapping[str, Blob], indexed: Indexed, image: Image) -> None:
    """No file may be hidden in an archive."""
    named = indexed.files | {it.name for it in (image.config, *image.layers)} | set(_of_notes(blobs, indexed.notes))
    for blob in blobs.values():
        if blob.name not in named and not BESIDE.fullmatch(blob.name) and not _is_old_description(blob):
            raise Refused("unreferenced", member=blob.name)


def _of_notes(blobs: Mapping[str, Blob], digests: Iterable[str]) -> Iterator[str]:
    """The files of BuildKit's notes, as far as they are there."""
    for name in map(_path, digests):
        yield name
        note = reads(blobs[name], Note) if name in blobs else None
        if note is not None:
            yield from (_path(it.digest) for it in (*note.layers, note.config) if it is not None)


def _is_old_description(blob: Blob) -> bool:
    old = reads(blob, OldDescription) if blob.name.startswith(BLOBS) else None
    return old is not None and HEX.fullmatch(old.id) is not None


def _named(blobs: Mapping[str, Blob], name: str) -> Blob:
    if name not in blobs:
        raise Refused("missing", member=name)
    return blobs[name]


def _addressed(blobs: Mapping[str, Blob], descriptor: Descriptor) -> Blob:
    blob = _named(blobs, _path(descriptor.digest))
    if descriptor.size is not None and descriptor.size != blob.size:
        raise Refused("descriptor-size", member=blob.name)
    return blob


def _path(digest: str) -> str:
    return BLOBS + digest.removeprefix("sha256:")
