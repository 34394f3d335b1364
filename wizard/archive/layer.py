"""What is in a layer, looked at in one pass while it is hashed: an engine unpacks it, as root, over those beneath it.

So nothing in it may lead out of it, be a device, or mean one thing to one engine and another to the next. Layers are
not always read in their order, and whether a file of an archive is a layer at all is known last. So a fault is kept,
and raised by whoever uses the file as a layer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from wizard.archive.limits import (
    LONGEST_NAME,
    MOST_LAYER_LINKS,
    MOST_LAYER_MEMBERS,
    MOST_LAYER_NAMES,
    MOST_LINKS_KEPT,
)
from wizard.archive.tar import INSIDE, Entry, Kind, Readable, Source, Tar
from wizard.archive.verdicts import Refused
from wizard.licensing.protocol.claims import CLAIMS_PATH

WHITEOUT = b".wh."
"""What a file's name begins with that stands for the removal of another (OCI image specification, layer.md)."""
OPAQUE = b".wh..wh..opq"
"""The file that stands for the removal of all that lower layers have in its folder."""
NOT_REMOVED = (b"app/config", str(PurePosixPath(CLAIMS_PATH).parent).encode())
"""Where an authorization application keeps what it knows, and has its licence."""
VERDICT_OF = {"too-many-members": "layer-members", "too-large": "too-large"}
"""What a reader of tar files says of a layer, as it is said of the archive; all else is `layer-tar`."""


@dataclass(frozen=True)
class Inside:
    """What has to be known of a layer once it was read: paths are bytes, relative, without a slash at their end."""

    links: frozenset[bytes] = frozenset()
    """The paths that are symbolic links."""
    implied: frozenset[bytes] = frozenset()
    """The folders that paths go through, and that are not in the layer themselves."""


class Looks:
    """Looks into the files of one archive, and keeps little of each, and little of all together (blobs.Look)."""

    def __init__(self) -> None:
        self._may_keep = MOST_LINKS_KEPT

    def __call__(self, layer: Readable, name: str) -> Inside:
        """Read a layer to its end. Refused when something is in it that must not be."""
        stream = _Stream(layer)
        try:
            return self._kept(_read(stream))
        except _Fault as fault:
            raise Refused(str(fault), member=name, limit=MOST_LAYER_MEMBERS) from None
        except Refused as refused:
            if refused is stream.failure:
                raise
            raise Refused(VERDICT_OF.get(refused.code, "layer-tar"), **{**refused.params, "member": name}) from None

    def _kept(self, inside: Inside) -> Inside:
        self._may_keep -= sum(map(len, inside.links)) + sum(map(len, inside.implied))
        if self._may_keep < 0:
            raise _Fault("layer-members")
        return inside


def ensure_apart(layers: Iterable[tuple[str, Inside]]) -> None:
    """Refused when one of them writes through a link of one below it. Each with its name, the base first."""
    links: set[bytes] = set()
    for name, inside in layers:
        if not links.isdisjoint(inside.implied):
            raise Refused("layer-link", member=name)
        links |= inside.links


class _Fault(Exception):
    """Its text is a key of VERDICTS."""


class _Stream:
    """A content, which remembers that it could not be read: that is no fault of what is in it."""

    def __init__(self, content: Readable) -> None:
        self._content = content
        self.failure: Refused | None = None

    def read(self, size: int, /) -> bytes:
        try:
            return self._content.read(size)
        except Refused as refused:
            self.failure = refused
            raise


def _read(stream: Readable) -> Inside:
    look = _Look()
    for entry in Tar(Source(stream), INSIDE).entries():
        look.at(entry)
    return Inside(links=frozenset(look.links), implied=frozenset(look.implied))


class _Look:
    """All that is in one layer, path by path."""

    def __init__(self) -> None:
        self.links: set[bytes] = set()
        self.implied: set[bytes] = set()
        self._kinds: dict[bytes, Kind] = {}
        self._folders = {b""}
        """Those that may be gone through, for they are in the layer as folders or not at all."""
        self._removed: set[bytes] = set()
        self._members = 0
        self._names = 0

    def at(self, entry: Entry) -> None:
        """Take in the next one; _Fault when there must not be such a one, or not after those before it."""
        self._members += 1
        self._count(len(entry.name))
        if entry.kind is Kind.OTHER:
            raise _Fault("layer-device")
        path = _path(entry.name, entry.kind)
        parent, _, name = path.rpartition(b"/")
        if name.startswith(WHITEOUT):
            self._remove(parent, name, entry)
            return
        if path in self._removed:
            raise _Fault("layer-whiteout")
        if path in self._kinds or (path in self._folders and entry.kind is not Kind.FOLDER):
            raise _Fault("layer-duplicate")
        if parent not in self._folders:
            self._go_through(parent)
        self._kinds[path] = entry.kind
        if entry.kind is not Kind.FILE:
            self._note(path, entry)

    def _note(self, path: bytes, entry: Entry) -> None:
        if entry.kind is Kind.FOLDER:
            self._folders.add(path)
            self.implied.discard(path)
        elif entry.kind is Kind.LINK:
            if not entry.link:
                raise _Fault("layer-tar")
            self._keep(self.links, path)
        else:
            self._kinds[path] = self._target(path, entry.link)

    def _target(self, path: bytes, link: bytes) -> Kind:
        """What a hard link is: what it leads to, which has to be there already, and is not a folder."""
        target = _path(link, Kind.HARD_LINK)
        kind = self._kinds.get(target, Kind.FOLDER)
        if target == path or kind is Kind.FOLDER:
            raise _Fault("layer-link")
        if kind is Kind.LINK:
            self._keep(self.links, path)
        return kind

    def _go_through(self, path: bytes) -> None:
        """A folder and all above it, none of which may be something else."""
        while path not in self._folders:
            if path in self._removed or path.rpartition(b"/")[2].startswith(WHITEOUT):
                raise _Fault("layer-whiteout")
            if path in self._kinds:
                raise _Fault("layer-link")
            self._folders.add(path)
            self._keep(self.implied, path)
            self._count(len(path))
            path = path.rpartition(b"/")[0]

    def _remove(self, parent: bytes, name: bytes, entry: Entry) -> None:
        """A whiteout: an empty file, and of nothing that is in the layer itself."""
        if entry.kind is not Kind.FILE or entry.size:
            raise _Fault("layer-whiteout")
        removed, mark = parent, _joined(parent, name)
        if name != OPAQUE:
            name = name[len(WHITEOUT) :]
            if name in (b"", b".", b"..") or name.startswith(WHITEOUT):
                raise _Fault("layer-whiteout")
            removed = mark = _joined(parent, name)
        if mark in self._removed or mark in self._kinds or mark in self._folders or _is_needed(removed):
            raise _Fault("layer-whiteout")
        if parent not in self._folders:
            self._go_through(parent)
        self._removed.add(mark)

    def _keep(self, paths: set[bytes], path: bytes) -> None:
        paths.add(path)
        if len(self.links) + len(self.implied) > MOST_LAYER_LINKS:
            raise _Fault("layer-members")

    def _count(self, length: int) -> None:
        self._names += length
        if self._names > MOST_LAYER_NAMES or self._members > MOST_LAYER_MEMBERS:
            raise _Fault("layer-members")


def _is_needed(path: bytes) -> bool:
    """Whether something goes with it that must not."""
    within = path + b"/"
    return not path or any((kept + b"/").startswith(within) for kept in NOT_REMOVED)


def _joined(parent: bytes, name: bytes) -> bytes:
    return parent + b"/" + name if parent else name


def _path(raw: bytes, kind: Kind) -> bytes:
    """The path as it is compared; nothing for the root. _Fault when it leads out, or is spelled in an unusual way."""
    if len(raw) > LONGEST_NAME or b"\0" in raw:
        raise _Fault("layer-tar")
    path = raw[:-1] if kind is Kind.FOLDER and raw.endswith(b"/") else raw
    if path and b"/." not in path and b"//" not in path and path[0] not in b"./" and path[-1] != ord("/"):
        return path  # nearly all
    return _checked(path.removeprefix(b"./"), kind)


def _checked(path: bytes, kind: Kind) -> bytes:
    parts = path.split(b"/")
    if path.startswith(b"/") or b".." in parts:
        raise _Fault("layer-escaping")
    if kind is Kind.FOLDER and path in (b"", b"."):
        return b""
    if not {b"", b"."}.isdisjoint(parts):
        raise _Fault("layer-tar")
    return path
