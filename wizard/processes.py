"""Which process is which. A pid is given out again, so a process is named by its machine, its pid and its start."""

import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")
TOLERANCE = 1.5
"""Seconds. The time of the boot is known to a second, and is read anew for each look."""


@dataclass(frozen=True, kw_only=True)
class ProcessName:
    """`started` in seconds after the boot, so that setting the clock makes no difference."""

    machine: str
    pid: int
    started: float

    @property
    def is_of_this_machine(self) -> bool:
        """Only then can anything be said about it from here."""
        return self.machine == this_machine()

    def process(self) -> psutil.Process | None:
        """The process, as long as it lives; one that waits to be buried (a zombie) does not."""
        found = _living(self.pid) if self.is_of_this_machine else None
        return found if found and abs(_started(found) - self.started) < TOLERANCE else None

    def __str__(self) -> str:
        return f"{self.machine}/{self.pid}/{self.started}"

    @classmethod
    def parse(cls, text: str) -> "ProcessName":
        """The inverse of str(); ValueError for anything else."""
        machine, pid, started = text.split("/")
        return cls(machine=machine, pid=int(pid), started=float(started))


def this_machine() -> str:
    """This boot of this machine, as seen from this container: another container numbers its processes anew."""
    if not BOOT_ID.exists():
        return platform.node()
    return f"{BOOT_ID.read_text().strip()}.{PID_NAMESPACE.stat().st_ino}"


def this_process() -> ProcessName:
    return _name(psutil.Process())


def name_of(pid: int) -> ProcessName:
    """The name of the process that has the pid now, a zombie's too; psutil.NoSuchProcess when there is none."""
    return _name(psutil.Process(pid))


def _living(pid: int) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def _name(process: psutil.Process) -> ProcessName:
    return ProcessName(machine=this_machine(), pid=process.pid, started=_started(process))


def _started(process: psutil.Process) -> float:
    return round(process.create_time() - psutil.boot_time(), 2)
