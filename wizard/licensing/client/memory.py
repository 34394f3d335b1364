"""A project's folder: its key, and what it remembers, each whole or not at all, and noticed when it is damaged.

`registration.json` is replaced as a whole by each change, so that a crash leaves the one before or the one after. A
checksum covers it. The private key is in a file that is named after the public one, so that neither can be taken for
the other's; `registration.json` says which key it belongs to. What is damaged is put aside, with `.damaged` after its
name, and the project starts UNREGISTERED and says so:

- Without its memory it has its key still: the slots that it holds are its own when it registers again. Its sequence is
  lost, so the next one is the time in milliseconds, which is higher than any count of messages.
- Without its key it gets a new one, and is a new project to everybody else. Its history stays.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wizard.licensing.client.causes import DAMAGED_KEY, DAMAGED_MEMORY, Cause, StorageError
from wizard.licensing.client.state import Memory, Node, Notice
from wizard.licensing.files import OWNER_ONLY, write_whole

MEMORY_FILE = "registration.json"
KEY_FILES = "ed25519-*.key"
FORMAT = 2
KEY_BYTES = 32


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """`registration.json`. `sha256` is of the bytes of `memory`, in hex."""

    format: int
    sha256: str
    memory: msgspec.Raw


class _Damaged(Exception):
    """The file is not what was written."""


@dataclass(frozen=True)
class Drawer:
    """A folder for one project. StorageError when it cannot be written, OSError when it cannot be read."""

    folder: Path
    names: tuple[str, ...]
    """The names of the project's nodes."""

    def load(self) -> Memory:
        """What was saved last, for the nodes that the project has now. What is made anew is on the disk by then."""
        try:
            saved = self._read()
            memory = self._recovered() if saved is None else self._with_key(saved)
        except _Damaged:
            self._put_aside(self.folder / MEMORY_FILE)
            saved, memory = None, self._recovered(none_left=DAMAGED_KEY)
        known = {node.name: node for node in memory.nodes}
        memory = replace(memory, nodes=tuple(known.get(name, Node(name=name)) for name in self.names))
        if memory != saved:
            self.save(memory)
        return memory

    def save(self, memory: Memory) -> None:
        """On the disk when it returns."""
        content = msgspec.json.format(msgspec.json.encode(memory), indent=1)
        file = _File(FORMAT, hashlib.sha256(content).hexdigest(), msgspec.Raw(content))
        self._write(self.folder / MEMORY_FILE, msgspec.json.encode(file))

    def key(self, public: str) -> Ed25519PrivateKey:
        """The private key to that public one, which the memory names."""
        path = self._key_path(public)
        with _told(path):
            key = _private(path)
        if key is None or _public(key) != public:
            raise StorageError(DAMAGED_KEY.code, DAMAGED_KEY.message)
        return key

    def new_key(self) -> str:
        """Make a key; the public one, in hex."""
        seed = os.urandom(KEY_BYTES)
        public = _public(Ed25519PrivateKey.from_private_bytes(seed))
        self._write(self._key_path(public), seed)
        return public

    def drop_key(self, public: str) -> None:
        """After another key has taken its place."""
        self._key_path(public).unlink(missing_ok=True)

    def _read(self) -> Memory | None:
        """None when there is no file."""
        try:
            file = msgspec.json.decode((self.folder / MEMORY_FILE).read_bytes(), type=_File)
            if file.format != FORMAT or hashlib.sha256(file.memory).hexdigest() != file.sha256:
                raise _Damaged
            return msgspec.json.decode(file.memory, type=Memory)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _Damaged from None

    def _recovered(self, none_left: Cause | None = None) -> Memory:
        """Without a memory: that of a project which lost it, or, when there is no key either, that of a new one."""
        keys = sorted(self._keys())
        if not keys:
            notice = Notice(cause=none_left, since=None) if none_left else None
            return Memory(key=self.new_key(), nodes=(), notice=notice)
        return Memory(key=keys[-1][1], nodes=(), sequence=None, notice=Notice(cause=DAMAGED_MEMORY, since=None))

    def _with_key(self, memory: Memory) -> Memory:
        """The memory, if its key is there; else that of the project that it becomes."""
        if any(public == memory.key for _, public in self._keys()):
            return memory
        self._put_aside(self._key_path(memory.key))
        notice = Notice(cause=DAMAGED_KEY, since=None)
        return Memory(key=self.new_key(), nodes=(), sequence=memory.sequence, notice=notice, history=memory.history)

    def _keys(self) -> Iterator[tuple[int, str]]:
        """The keys that are whole: when each was written, and the public one."""
        for path in self.folder.glob(KEY_FILES):
            key = _private(path)
            if key is not None and path == self._key_path(_public(key)):
                yield path.stat().st_mtime_ns, _public(key)

    def _key_path(self, public: str) -> Path:
        return self.folder / KEY_FILES.replace("*", public[:16])

    def _put_aside(self, path: Path) -> None:
        with _told(path):
            if path.exists():
                path.replace(path.with_name(f"{path.name}.damaged"))

    def _write(self, path: Path, data: bytes) -> None:
        with _told(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, data, OWNER_ONLY)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the disk refuses is told as such."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            "not_saved",
            f"{path.name} cannot be read or written: {error.strerror}. Check the free space and the permissions of the "
            "project's folder.",
            str(path.parent),
        ) from error


def _private(path: Path) -> Ed25519PrivateKey | None:
    """None when the file is gone, or holds no key."""
    try:
        seed = path.read_bytes()
    except FileNotFoundError:
        return None
    return Ed25519PrivateKey.from_private_bytes(seed) if len(seed) == KEY_BYTES else None


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()
