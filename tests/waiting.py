"""Waits for what somebody else does, without guessing how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 20.0
"""Seconds to wait for what takes a fraction of one."""
Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str, patience: float = PATIENCE) -> Found:
    """What `look` finds as soon as it is neither None nor empty; TimeoutError after so many seconds."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {patience:g} s in vain until {what}.")
        time.sleep(0.01)
    return found


def napping(seconds: float) -> None:
    """What a phase on a real engine waits with: time has to pass there."""
    time.sleep(seconds)
