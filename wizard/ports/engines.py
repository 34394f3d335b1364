"""What runs containers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from wizard.domain.image import Image
from wizard.domain.instance import Health, Instance
from wizard.domain.preflight import Plan, Preflight
from wizard.domain.project import Node

Progress = Callable[[int, int], None]
"""Called with (done, total) in any one unit. It may raise, to stop the work: let it pass."""


class Backend(Protocol):
    """An engine that runs authorization applications. Only the worker talks to it.

    Every method may raise BackendError: permanent when asking again cannot help. Names (`name`) are chosen by the
    caller after its operation, so a second try finds what the first one made. `node` is always one of the inventory.
    """

    def health(self, node: Node) -> Health:
        """Whether the node answers and can run a container. Does not raise for a node that is down: it says so."""
        ...

    def preflight(self, node: Node, image: Image, port: int, name: str, now: datetime) -> Preflight:
        """What can be found out before a deployment: whether the port can be taken (R4), and what else is in the way.

        By the container `name` (empty: by none yet), which may hold the port already. Without the plan.
        BackendError when the node does not answer at all.
        """
        ...

    def plan(self, node: Node, image: Image, port: int, name: str) -> Plan:
        """What `load` and `start` will ask of the engine, exactly. Asks nothing of the node."""
        ...

    def containers(self, node: Node) -> Sequence[Instance]:
        """All containers of ours on the node, whoever made them."""
        ...

    def load(self, node: Node, image: Image, archive: Path, progress: Progress) -> None:
        """Bring the image onto the node, unless it is there already; progress is in bytes."""
        ...

    def start(self, node: Node, image: Image, port: int, name: str) -> None:
        """Run the container `name` with the licence's named volume on /app/config; nothing to do when it runs."""
        ...

    def inspect(self, node: Node, name: str) -> Instance | None:
        """The container of that name, or None."""
        ...

    def stop(self, node: Node, name: str) -> None:
        """Stop it cleanly; it stays, and so does its volume. Nothing to do when it does not run."""
        ...

    def start_again(self, node: Node, name: str) -> None:
        """Start a stopped container. BackendError when there is none."""
        ...

    def remove(self, node: Node, name: str) -> None:
        """Stop and remove it, and free its port. The volume stays. Nothing to do when there is none."""
        ...

    def unload(self, node: Node, image: Image) -> None:
        """Remove the image from the node, unless a container uses it or others have named it."""
        ...

    def logs(self, node: Node, name: str, lines: int = 200) -> str:
        """The last lines of its output, or nothing."""
        ...

    def read_config(self, node: Node, name: str, filename: str) -> bytes | None:
        """A file of its config volume (running or stopped), or None while there is none of that name."""
        ...


@runtime_checkable
class Supervising(Protocol):
    """A backend whose containers nobody else restarts. The worker calls it every few seconds."""

    def keep_running(self) -> None:
        """Start again what should run and has ended (restart policy: unless stopped)."""
        ...

    def pause(self) -> None:
        """Stop cleanly all that runs, as the shutdown of a machine does; `keep_running` starts it again."""
        ...
