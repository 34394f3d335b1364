"""Python compiled beforehand, for a container can keep nothing that it compiles: half of its start would go into that.

The same source gives the same bytes: it is compiled in fresh processes, always in the same order, for how constants are
written depends on what a process has seen before. At run time nothing compares the files with their source.
"""

import marshal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path, PurePosixPath

PROCESSES = 2
"""How many compile at a time. It decides what each of them has seen, so it is the same on every machine."""
_UNCHECKED = (1).to_bytes(4, "little")
"""The source is named by its hash, and not to be compared with it (PEP 552)."""


class CompilingError(Exception):
    """A module cannot be compiled; Python's own words."""


def compiled(files: Mapping[PurePosixPath, Path], folder: Path) -> dict[PurePosixPath, Path]:
    """The compiled form of each module among these, by its place in the image. Written into the folder."""
    modules = sorted((place, path) for place, path in files.items() if place.suffix == ".py")
    jobs = [(place, path, folder / f"{number}.pyc") for number, (place, path) in enumerate(modules)]
    started = [_start([word for job in jobs[first::PROCESSES] for word in job]) for first in range(PROCESSES)]
    for process in started:
        said = process.communicate()[1]
        if process.returncode:
            raise CompilingError(said.decode(errors="replace"))
    tag = sys.implementation.cache_tag
    return {place.parent / "__pycache__" / f"{place.stem}.{tag}.pyc": target for place, _, target in jobs}


def _start(words: Sequence[object]) -> subprocess.Popen[bytes]:
    """A process of this very file, which sees nothing of this one: neither its modules nor its environment."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-s", "-S", "-B", __file__],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
    )
    if process.stdin:
        process.stdin.write("\0".join(map(str, words)).encode())
        process.stdin.close()
        process.stdin = None
    return process


def _compile(place: str, path: str, target: str) -> None:
    source = Path(path).read_bytes()
    code = compile(source, f"/{place}", "exec", dont_inherit=True)
    Path(target).write_bytes(MAGIC_NUMBER + _UNCHECKED + source_hash(source) + marshal.dumps(code))


def _main() -> None:
    words = sys.stdin.buffer.read().decode().split("\0")
    for place, path, target in zip(words[0::3], words[1::3], words[2::3], strict=True):
        _compile(place, path, target)


if __name__ == "__main__":
    _main()
