"""Files that must be whole after a crash, and keys that only their owner may read."""

import os
from pathlib import Path

OWNER_ONLY = 0o600
PUBLIC = 0o644


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Write the file so that, whatever happens, there is all of it or none of it. Synced to the disk."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
