"""Real engines for the tests: private daemons on hosts of their own."""

import os
import shutil

import pytest

PROGRAMS = ("dockerd", "podman", "ip", "nsenter", "tini")

NEEDS_ENGINES = pytest.mark.skipif(
    os.geteuid() != 0 or any(shutil.which(program) is None for program in PROGRAMS),
    reason=f"needs root, and {', '.join(PROGRAMS)}",
)
