"""Reads an archive in a process of its own, which is measured: what a reader takes must not hide in what a test had."""

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.archive.build import VENDOR_KEYS
from wizard.archive.reader import read_image
from wizard.archive.verdicts import Refused

PROCESSES = multiprocessing.get_context("forkserver")
"""Each process is forked from one that has imported this module and done nothing since."""
PROCESSES.set_forkserver_preload([__name__])
PATIENCE = 60
"""Seconds of the clock, on a machine that does much else; then it hangs."""
OK = "ok"
"""No verdict: it was accepted."""
SELF = Path("/proc/self")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What came of it. `code` is OK, a key of VERDICTS, or the name of an exception that should not be."""

    code: str
    image_id: str = ""
    seconds: float = 0
    """Of processor time, all threads together."""
    mebibytes: float = 0
    """Of memory, at most, beyond what the process had before."""


class Growth:
    """How many MiB of memory this process has taken at most since then, beyond what it had."""

    def __init__(self) -> None:
        (SELF / "clear_refs").write_text("5")  # the peak begins anew (proc(5))
        self._before = _kibibytes("VmRSS")

    def peak(self) -> float:
        return (_kibibytes("VmHWM") - self._before) / 1024


def _kibibytes(field: str) -> int:
    lines = (SELF / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def read_apart(archive: Path) -> Reading:
    """TimeoutError when it hangs, EOFError when the process ends without a word."""
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_tell, args=(archive, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(PATIENCE):
            raise TimeoutError(f"{archive.name} was read for {PATIENCE} s.")
        reading: Reading = receiver.recv()
        return reading
    finally:
        receiver.close()
        process.kill()
        process.join()
        process.close()


def _tell(archive: Path, sender: Connection) -> None:
    growth, begin = Growth(), time.process_time()
    code, image_id = _read(archive)
    seconds = time.process_time() - begin
    sender.send(Reading(code=code, image_id=image_id, seconds=seconds, mebibytes=growth.peak()))


def _read(archive: Path) -> tuple[str, str]:
    with archive.open("rb") as stream:
        try:
            return OK, read_image(stream, VENDOR_KEYS).image_id
        except Refused as refusal:
            return refusal.code, ""
        except Exception as error:  # noqa: BLE001  # whatever it is, it is told to whoever waits
            return f"{type(error).__name__}: {error}", ""
