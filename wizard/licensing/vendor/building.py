"""Has an engine build the image of the Dockerfile, by its command line: Docker's and Podman's agree so far."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from wizard.licensing.vendor.context import Python, stage
from wizard.licensing.vendor.errors import VendorError

ENGINES = ("docker", "podman")
"""Whichever answers first is taken, when none is named."""
BASE_IMAGE = "python:3.12-slim"
PATIENCE = 20.0
"""Seconds within which an engine that is there says its version."""
_WHICH_PYTHON = "import platform, sys; print(*sys.version_info[:2], platform.machine())"


class NoEngineError(VendorError):
    """There is nothing here to build with; nobody asked for a certain engine or base."""


@dataclass(frozen=True)
class Engine:
    """`command`: the program, and how it finds its engine."""

    command: tuple[str, ...]

    def answers(self) -> bool:
        if shutil.which(self.command[0]) is None:
            return False
        try:
            return not self._run("version", timeout=PATIENCE).returncode
        except subprocess.TimeoutExpired:
            return False

    def has(self, image: str) -> bool:
        """Whether the image is there, or can be fetched."""
        return not self._run("image", "inspect", image).returncode or not self._run("pull", image).returncode

    def python_of(self, image: str) -> Python:
        """Asked of the image itself, in a container without a network that is gone afterwards."""
        run = ("run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", _WHICH_PYTHON)
        major, minor, machine = self._ask(*run).split()[-3:]
        return Python(f"{major}.{minor}", machine)

    @contextmanager
    def building(self, context: Path, base: str) -> Iterator[str]:
        """The id of the image that is built. It has no name, so it takes none from another; and it does not stay."""
        with TemporaryDirectory(prefix="image-id-") as folder:
            file = Path(folder, "id")
            self._ask("build", "--iidfile", str(file), "--build-arg", f"BASE={base}", str(context))
            image = file.read_text().strip()
        try:
            yield image
        finally:
            self._run("image", "rm", image)

    def save(self, image: str, archive: Path) -> None:
        self._ask("save", "--output", str(archive), image)

    def _ask(self, *words: str) -> str:
        done = self._run(*words)
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
            raise VendorError(
                f"{shlex.join((*self.command, words[0]))} failed:\n{said}\n",
                "Put that right, or have the image made without an engine: ENGINE=none.",
            )
        return done.stdout

    def _run(self, *words: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words], capture_output=True, text=True, errors="replace", check=False, timeout=timeout
        )


def find_engine(wanted: str) -> Engine:
    """The engine of that command line, or, when it is empty, whichever answers."""
    for command in (wanted,) if wanted else ENGINES:
        engine = Engine(tuple(shlex.split(command)))
        if engine.answers():
            return engine
    if wanted:
        raise VendorError(f"{wanted} does not answer.", "Start it, or name another engine.")
    raise NoEngineError(f"Neither {' nor '.join(ENGINES)} answers here.", "")


@contextmanager
def built_archive(wanted: str, base: str) -> Iterator[Path]:
    """The image as it was built and saved, until the block ends. NoEngineError when nothing is at hand for it."""
    engine = find_engine(wanted)
    image = base or BASE_IMAGE
    if not engine.has(image):
        missing = VendorError if base else NoEngineError
        raise missing(f"{engine.command[0]} has no image {image}, and cannot fetch it.", "Name one that it has: BASE=")
    with TemporaryDirectory(prefix="image-") as folder:
        context, archive = Path(folder, "context"), Path(folder, "built.tar")
        stage(context, engine.python_of(image))
        with engine.building(context, image) as built:
            engine.save(built, archive)
        yield archive
