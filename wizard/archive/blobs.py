"""The files of a saved image, measured as they pass by: only digests and what is small are kept."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

from wizard.archive.hashing import Meter
from wizard.archive.layer import Inside, Looks
from wizard.archive.limits import LARGEST_ARCHIVE, LARGEST_JSON, MOST_KEPT, PIECE, SMALL
from wizard.archive.packed import Begun, Unpacked, foreign_form_of, form_of
from wizard.archive.tar import Kind, Member, Readable, Source, Tar, too_large
from wizard.archive.verdicts import Refused

_DIGEST = "[0-9a-f]{64}"
FILES = re.compile(
    rf"manifest\.json|index\.json|oci-layout|repositories|blobs/sha256/{_DIGEST}|{_DIGEST}\.json"
    rf"|{_DIGEST}/(?:layer\.tar|json|VERSION)|{_DIGEST}\.tar"
)
"""What `docker save` writes: 25 and later under blobs/, 20.10 a folder for each layer; Podman's has a file for each."""
LINKS = re.compile(rf"{_DIGEST}/layer\.tar")
TARGETS = re.compile(rf"\.\./({_DIGEST}\.tar|{_DIGEST}/layer\.tar)".encode())
"""A layer in the folder of another (20.10, where an image has it twice), or beside the folders (Podman)."""
FOLDERS = re.compile(rf"blobs|blobs/sha256|{_DIGEST}")
BLOBS = "blobs/sha256/"
DAMAGED = ("empty", "packed-damaged", "trailing", "truncated")
"""What is said of a packed archive, and means of a packed layer that it is damaged."""


@dataclass(frozen=True, kw_only=True)
class Blob:
    """One file. Digests are SHA-256 in hex, sizes in bytes; `unpacked` differs where the file is packed."""

    name: str
    offset: int
    """Where its content begins in the archive."""
    size: int
    digest: str
    unpacked_size: int
    unpacked_digest: str
    content: bytes | None
    """When it is small, or may be JSON."""
    inside: Inside | None = None
    """What was found in it, when it is a layer."""
    fault: Refused | None = None
    """Why it is none, which matters only if it is used as one. Its unpacked size and digest are not known then."""

    @property
    def is_packed(self) -> bool:
        return self.digest != self.unpacked_digest


Look = Callable[[Readable, str], Inside]
"""Reads a layer, which is unpacked for it, to its end; its name is for what is told. Refused when it is no layer."""


def unnoticed(blob: Blob) -> None:
    """Which files there are is of no interest before the end."""


def collect(source: Source, look: Look | None = None, meets: Callable[[Blob], None] = unnoticed) -> Mapping[str, Blob]:
    """Read a saved image to its end: every file in it, by name. Refused when something does not belong there.

    Each file is told to `meets` once it was read.
    """
    tar, blobs, links = Tar(source), dict[str, Blob](), dict[str, str]()
    look = look or Looks()
    kept = unpacked = 0
    for member in tar.members():
        if target := _target(member):
            links[member.name] = target
            continue
        if not _is_file(member):
            continue
        blob = _measure(member, source.position, tar.content(), look, may_unpack=LARGEST_ARCHIVE - unpacked)
        if member.name.startswith(BLOBS) and blob.digest != member.name.removeprefix(BLOBS):
            raise Refused("blob-digest", member=member.name)
        blobs[member.name] = blob
        meets(blob)
        kept += len(blob.content or b"")
        unpacked += blob.unpacked_size
        if kept > MOST_KEPT:
            raise Refused("too-much-metadata", limit=MOST_KEPT >> 20)
    return blobs | {name: blobs[target] for name, target in links.items() if target in blobs}


def _target(member: Member) -> str:
    """The file that a link of the layout leads to; nothing when it is no such link."""
    if member.kind is not Kind.LINK or not LINKS.fullmatch(member.name):
        return ""
    match = TARGETS.fullmatch(member.link)
    target = match[1].decode() if match else ""
    return "" if target == member.name else target


def _is_file(member: Member) -> bool:
    """Whether it is a file to be measured; a folder of the layout is not. Refused when it is anything else."""
    if member.kind is Kind.FOLDER:
        if not FOLDERS.fullmatch(member.name):
            raise Refused("unexpected", member=member.name)
        return False
    if not FILES.fullmatch(member.name):
        raise Refused("unexpected", member=member.name)
    if member.kind is not Kind.FILE:
        raise Refused("not-a-file", member=member.name)
    return True


class Pieces:
    """Pieces, read as a stream. `failure` is why there are no more: of the archive, and not of what is in this file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.failure: Refused | None = None
        self._ahead = b""
        self._at = 0

    def read(self, size: int, /) -> bytes:
        if self._at == len(self._ahead):
            self._ahead, self._at = self._next(), 0
        if not self._at and size >= len(self._ahead):
            data, self._ahead = self._ahead, b""
            return data
        data = self._ahead[self._at : self._at + size]
        self._at += len(data)
        return data

    def _next(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except Refused as refused:
            self.failure = refused
            raise


class Metered:
    """A stream, measured while it is read, up to a size."""

    def __init__(self, stream: Readable, limit: int = LARGEST_ARCHIVE) -> None:
        self._stream = stream
        self._limit = limit
        self.meter = Meter()

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.meter.add(data)
        if self.meter.size > self._limit:
            raise too_large()
        return data


def drain(stream: Readable) -> None:
    while stream.read(PIECE):
        pass


def _measure(member: Member, offset: int, pieces: Iterator[bytes], look: Look, may_unpack: int) -> Blob:
    read = Pieces(pieces)
    stored = Metered(read)
    begun = Begun(stored)
    kept = _Keeping(begun) if _is_kept(member, begun.head) else None
    packed: Readable = kept or begun
    layer = _Layer(packed, begun.head, member.name)
    plain = Metered(layer, may_unpack) if layer.is_packed else stored
    inside, fault = _looked_into(plain if layer.is_packed else packed, look, member.name)
    if read.failure:
        raise read.failure
    drain(packed)
    return Blob(
        name=member.name,
        offset=offset,
        size=stored.meter.size,
        digest=stored.meter.digest,
        unpacked_size=plain.meter.size,
        unpacked_digest=plain.meter.digest,
        content=bytes(kept.content) if kept else None,
        inside=inside,
        fault=fault,
    )


def _looked_into(layer: Readable, look: Look, name: str) -> tuple[Inside | None, Refused | None]:
    """What is in it, and why it is no layer. It is read to its end if it is one."""
    try:
        inside = look(layer, name)
        drain(layer)
    except Refused as refused:
        if refused.code == "too-large":
            raise
        return None, Refused(refused.code, **refused.params)  # a new one: that one holds on to all that was read
    return inside, None


def _is_kept(member: Member, head: bytes) -> bool:
    return member.size <= SMALL or (member.size <= LARGEST_JSON and head.lstrip()[:1] in (b"{", b"["))


class _Keeping:
    """A stream, a copy of which is kept."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.content = bytearray()

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.content += data
        return data


class _Layer:
    """The plain content of a layer, whatever it is packed with. Refused in the words for layers."""

    def __init__(self, stream: Readable, head: bytes, name: str) -> None:
        form = form_of(head)
        self._foreign = foreign_form_of(head)
        self._stream = Unpacked(stream, form) if form else stream
        self._name = name
        self.is_packed = bool(form or self._foreign)

    def read(self, size: int, /) -> bytes:
        if self._foreign:
            raise Refused("layer-compression", member=self._name, kind=self._foreign)
        try:
            return self._stream.read(size)
        except Refused as refused:
            if refused.code in DAMAGED:
                raise Refused("layer-damaged", member=self._name) from None
            raise


def plain_layer(stream: Readable, name: str) -> Readable:
    """The plain content of a stored layer; the name is for what is told."""
    begun = Begun(stream)
    return _Layer(begun, begun.head, name)


def unpacked(content: bytes, limit: int) -> bytes:
    """The content, unpacked where it is packed; Refused when that takes more than `limit` bytes."""
    layer, data = plain_layer(BytesIO(content), "top"), b""
    while piece := layer.read(PIECE):
        data += piece
        if len(data) > limit:
            raise Refused("layer-damaged", member="top")
    return data
