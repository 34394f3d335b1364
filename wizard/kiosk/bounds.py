"""What a world may take of the machine, and for how long."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

LIMITS: Mapping[int, int] = {
    resource.RLIMIT_FSIZE: 64 << 20,
    resource.RLIMIT_DATA: 1 << 30,
    resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_CORE: 0,
}
"""By the kernel's names, for each process of a world: the largest file and the data in bytes, files, dumps."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a visitor may be still, and stay."""

    idle: timedelta = timedelta(seconds=60)
    """Without a touch for so long: a warning."""
    warning: timedelta = timedelta(seconds=10)
    """So much later it is over."""
    grace: timedelta = timedelta(seconds=5)
    """And by then at the latest, should the page itself not say so: a browser that was closed, or has no scripts."""
    visit: timedelta = timedelta(minutes=30)
    """The longest visit."""


def bind() -> None:
    """Bound this process, and whatever it starts."""
    for name, most in LIMITS.items():
        _, hard = resource.getrlimit(name)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (most, most))
