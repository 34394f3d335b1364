"""Reads archives that chance has made, in processes that may be killed, and says what became of them."""

import io
import json
import signal
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from types import FrameType
from typing import Any

from tests.archive.apart import OK, PROCESSES, Growth
from tests.archive.build import VENDOR_KEYS, digest
from tests.archive.fuzzing.mutants import Mutant
from wizard.archive.canonical import canonical
from wizard.archive.packed import opened
from wizard.archive.reader import Contents, read_image
from wizard.archive.verdicts import Refused
from wizard.domain.image import REPOSITORY_ON_NODES, name_on_nodes

LONGEST = 2.0
"""Seconds for one archive."""
PATIENCE = 120
"""Seconds for some hundred; a process that takes longer hangs where it cannot be interrupted."""
AT_ONCE = 2
BATCH = 250
Numbered = Callable[[int], Mutant]
"""Mutants by number: a seed, or the place of a bit."""


class Hangs(BaseException):
    """An archive takes too long; no `except Exception` may take it for its own."""


@dataclass
class Outcome:
    """Of some archives. `wrong` says which of them by number, and what was wrong: it crashed, hung, or was accepted."""

    tried: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0
    mebibytes: float = 0

    def add(self, other: "Outcome") -> None:
        self.tried += other.tried
        self.codes += other.codes
        self.wrong += other.wrong
        self.slowest = max(self.slowest, other.slowest)
        self.mebibytes = max(self.mebibytes, other.mebibytes)


def tried(make: Numbered, numbers: Iterable[int]) -> Outcome:
    """All of them, on two processors. TimeoutError (of multiprocessing) when a process hangs."""
    outcome = Outcome()
    with PROCESSES.Pool(AT_ONCE) as pool:
        found = pool.imap_unordered(partial(_batch, make), _batches(numbers))
        while (one := _next(found)) is not None:
            outcome.add(one)
    return outcome


def _next(found: Any) -> Outcome | None:
    try:
        one: Outcome = found.next(PATIENCE)
    except StopIteration:
        return None
    return one


def _batches(numbers: Iterable[int]) -> Iterator[Sequence[int]]:
    left = iter(numbers)
    while batch := list(islice(left, BATCH)):
        yield batch


def _batch(make: Numbered, numbers: Sequence[int]) -> Outcome:
    outcome, growth = Outcome(), Growth()
    for number in numbers:
        mutant = make(number)
        begin = time.process_time()
        code = _code(mutant, partial(outcome.wrong.append), number)
        outcome.slowest = max(outcome.slowest, time.process_time() - begin)
        outcome.codes[code] += 1
    outcome.tried, outcome.mebibytes = len(numbers), growth.peak()
    return outcome


def _code(mutant: Mutant, complain: Callable[[str], None], number: int) -> str:
    try:
        with _limited():
            check(mutant)
    except Refused as refusal:
        return refusal.code
    except (Exception, Hangs) as error:  # noqa: BLE001  # whatever it is, it is what is looked for
        complain(f"{number}: {type(error).__name__}: {error}")
        return "wrong"
    return OK


@contextmanager
def _limited() -> Iterator[None]:
    """Hangs when what is inside takes too much of the processor."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Hangs

    signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def check(mutant: Mutant) -> None:
    """Refused, or accepted as the very image; AssertionError when it is accepted as anything else."""
    contents = read_image(io.BytesIO(mutant.archive), VENDOR_KEYS)
    assert contents.image_id in mutant.ids, f"accepted as {contents.image_id}"
    assert contents.diff_ids == mutant.diff_ids, "accepted with other layers"
    assert contents.claims_envelope == mutant.envelope, "accepted with another licence"
    try:
        written = io.BytesIO()
        canonical(contents.layout).write(io.BytesIO(_plain(mutant.archive)), written)
        _loads_alike(written.getvalue(), contents)
    except Refused as refusal:
        raise AssertionError(f"accepted, and ours of it is refused: {refusal.code}") from refusal


def _plain(archive: bytes) -> bytes:
    plain, _ = opened(io.BytesIO(archive))
    return b"".join(iter(partial(plain.read, 1 << 16), b""))


def _loads_alike(ours: bytes, contents: Contents) -> None:
    """What engines get of it is the same to us, to Python's tarfile, and to a reader that reads JSON as Go does."""
    again = read_again(ours)
    assert (again.image_id, again.diff_ids) == (contents.image_id, contents.diff_ids), "ours is another image"
    with tarfile.open(fileobj=io.BytesIO(ours), mode="r:") as archive:
        files = {it.name: (archive.extractfile(it) or io.BytesIO()).read() for it in archive if it.isfile()}
    [image] = json.loads(files["manifest.json"])
    assert image["RepoTags"] == [name_on_nodes(contents.image_id)]
    configuration = files[image["Config"]]
    assert digest(configuration) == contents.image_id
    assert [f"sha256:{digest(files[it])}" for it in image["Layers"]] == list(contents.diff_ids)
    _is_tame(configuration, contents)
    for layer in image["Layers"]:
        _stays_inside(files[layer])


def read_again(ours: bytes) -> Contents:
    return read_image(io.BytesIO(ours), VENDOR_KEYS, REPOSITORY_ON_NODES)


FIELDS = {"architecture", "os", "config", "rootfs", "variant"}
SETTINGS = {"user", "volumes", "onbuild", "labels", "env", "entrypoint", "cmd"}


def _as_go(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The last of several keys counts, and the case of those that are known does not (Go, encoding/json)."""
    read: dict[str, Any] = {}
    for key, value in pairs:
        folded = key.casefold()
        read[folded if folded in FIELDS | SETTINGS | {"diff_ids"} else key] = value
    return read


def _is_tame(configuration: bytes, contents: Contents) -> None:
    read = json.loads(configuration, object_pairs_hook=_as_go)
    assert (read["os"], read["architecture"]) == ("linux", "amd64"), "an engine takes it for another machine's"
    assert tuple(read["rootfs"]["diff_ids"]) == contents.diff_ids, "an engine reads other layers"
    runs = read["config"]
    assert not runs.get("volumes"), "it makes volumes"
    assert not runs.get("onbuild"), "it acts on builds"
    user = runs.get("user") or ""
    assert user == "" or (user.replace(":", "", 1).isdecimal() and int(user.partition(":")[0])), f"it runs as {user!r}"


def _stays_inside(layer: bytes) -> None:
    """By what Python's tarfile reads of it: nothing in it leads out, and nothing is a device."""
    links = set[str]()
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:") as archive:
        for it in archive:
            parts = [part for part in it.name.split("/") if part != "."]
            assert ".." not in parts, f"{it.name} leads out"
            assert not it.name.startswith("/"), f"{it.name} leads to the root"
            assert not it.isdev(), f"{it.name} is a device"
            above = {"/".join(parts[:count]) for count in range(1, len(parts))}
            assert not above & links, f"{it.name} is written through a link"
            if it.issym():
                links.add("/".join(parts))
