"""The files of a saved image, measured as they pass by: only digests and what is small are kept."""

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from wizard.archive.limits import LARGEST_ARCHIVE, LARGEST_JSON, MOST_KEPT, PIECE, SMALL
from wizard.archive.tar import COMPRESSIONS, Kind, Member, Source, Tar
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


@dataclass(frozen=True, kw_only=True)
class Blob:
    """One file. Digests are SHA-256 in hex, sizes in bytes; `unpacked` differs where the file is gzip."""

    name: str
    offset: int
    """Where its content begins in the archive."""
    size: int
    digest: str
    unpacked_size: int
    unpacked_digest: str
    foreign_compression: str
    """The compression that is not understood, when the content begins like one."""
    content: bytes | None
    """When it is small, or may be JSON."""

    @property
    def is_packed(self) -> bool:
        return self.digest != self.unpacked_digest


def collect(source: Source) -> Mapping[str, Blob]:
    """Read a saved image to its end: every file in it, by name. Refused when something does not belong there."""
    tar, blobs, links = Tar(source), dict[str, Blob](), dict[str, str]()
    kept = unpacked = 0
    for member in tar.members():
        if target := _target(member):
            links[member.name] = target
            continue
        if not _is_file(member):
            continue
        blob = _measure(member, source.position, tar.content(), may_unpack=LARGEST_ARCHIVE - unpacked)
        if member.name.startswith(BLOBS) and blob.digest != member.name.removeprefix(BLOBS):
            raise Refused("blob-digest", member=member.name)
        blobs[member.name] = blob
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
    return match[1].decode() if match else ""


def unpacked(content: bytes, limit: int) -> bytes:
    """The content, gunzipped where it is gzip; Refused when that takes more than `limit` bytes."""
    if not _is_gzip(content):
        return content
    data = b""
    for piece in gunzip((content,), "top"):
        data += piece
        if len(data) > limit:
            raise Refused("layer-damaged", member="top")
    return data


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


class Meter:
    """Counts and hashes what passes through it."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._hash.update(piece)
            self.size += len(piece)
            yield piece

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _measure(member: Member, offset: int, pieces: Iterator[bytes], may_unpack: int) -> Blob:
    stored, plain = Meter(), Meter()
    content = stored.through(pieces)
    first = next(content, b"")
    kept = bytearray() if _is_kept(member, first) else None
    passing = _keeping(kept, chain((first,), content))
    if is_gzip := _is_gzip(first):
        for _ in plain.through(gunzip(passing, member.name)):
            if plain.size > may_unpack:
                raise Refused("too-large", limit=LARGEST_ARCHIVE >> 30)
    else:
        for _ in passing:
            pass
    measured = plain if is_gzip else stored
    return Blob(
        name=member.name,
        offset=offset,
        size=stored.size,
        digest=stored.digest,
        unpacked_size=measured.size,
        unpacked_digest=measured.digest,
        foreign_compression="" if is_gzip else _compression(first),
        content=None if kept is None else bytes(kept),
    )


def _is_kept(member: Member, first: bytes) -> bool:
    return member.size <= SMALL or (member.size <= LARGEST_JSON and first.lstrip()[:1] in (b"{", b"["))


def _keeping(kept: bytearray | None, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same pieces, copied into `kept` on their way."""
    for piece in pieces:
        if kept is not None:
            kept += piece
        yield piece


def _compression(first: bytes) -> str:
    return next((kind for magic, kind in COMPRESSIONS.items() if first.startswith(magic)), "")


def _is_gzip(first: bytes) -> bool:
    return _compression(first) == "gzip"


def gunzip(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The unpacked content in pieces of up to 1 MB. One gzip stream only: many could be made to take hours."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for piece in pieces:
            packed, more = piece, True
            while more:
                data = unpacker.decompress(packed, PIECE)
                yield data
                packed = unpacker.unconsumed_tail
                more = bool(packed) or len(data) == PIECE  # all read, and yet more may be waiting inside
            if unpacker.unused_data:
                break
    except zlib.error:
        raise Refused("layer-damaged", member=name) from None
    if unpacker.unused_data or not unpacker.eof:
        raise Refused("layer-damaged", member=name)
