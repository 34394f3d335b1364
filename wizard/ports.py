"""What the wizard asks of the outside world: one Protocol for each, and the bundles that carry them.

A Protocol holds only what every implementation can honour. Fakes and real ones pass the same suites (tests/contracts/).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from wizard.domain.account import Account
from wizard.domain.deployment import Challenge, Endpoint, ServerStatus, Verdict
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.inspection import Inspection
from wizard.domain.instance import Health, Instance
from wizard.domain.operation import Operation
from wizard.domain.preflight import Plan, Preflight
from wizard.domain.project import Node, Project
from wizard.domain.registration import Registration
from wizard.domain.upload import Passport, Upload

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


class LicenseServer(Protocol):
    """Speaks to an authorization application over HTTPS that is pinned to `endpoint.pin`.

    BackendError when it cannot be reached, when its key is not the pinned one (permanent), or when it does not speak
    the reference protocol (permanent).
    """

    def status(self, endpoint: Endpoint, now: datetime) -> ServerStatus: ...

    def is_open(self, endpoint: Endpoint) -> bool:
        """Whether anybody takes a connection there, which is less than to answer it, and sooner known."""
        ...

    def is_there(self, endpoint: Endpoint) -> bool:
        """Whether anybody speaks TLS there, with whatever key; it proves nothing else. For what has no pin."""
        ...

    def challenge(self, endpoint: Endpoint, now: datetime) -> Challenge:
        """A new challenge; the older one is void. InvalidInput while it is locked (R6)."""
        ...

    def submit(self, endpoint: Endpoint, challenge: str, code: str, now: datetime) -> Verdict:
        """Enter the six digits for that challenge."""
        ...


class Applications(Protocol):
    """The FanRuan applications of the projects, as far as they can be asked to register themselves (R8)."""

    def register(self, project: Project, endpoint: Endpoint) -> None:
        """Have the project register by IP and port. BackendError with its own cause when it does not succeed."""
        ...


class Inventory(Protocol):
    """The O&M projects and their nodes."""

    @property
    def engines(self) -> Mapping[str, Engine]:
        """How the engine of a node is reached, by the slug of the node; not every backend needs it."""
        ...

    def projects(self) -> Sequence[Project]: ...

    def project(self, slug: str) -> Project:
        """InvalidInput when there is none of that slug."""
        ...


class Spool(Protocol):
    """Where the images that were received lie, each as an archive of our own under its digest."""

    def receive(self, source: BinaryIO, size: int | None, filename: str) -> Image:
        """Take the archive in, check it, and write ours. InvalidInput, and nothing kept, when it is no licence image.

        `size` in bytes, when known: what is shorter or longer is refused.
        """
        ...

    def path(self, image: Image) -> Path:
        """Our archive of it. BackendError (permanent) when it is gone or is no longer what was checked."""
        ...


class Incoming(Protocol):
    """An upload while bytes are added to it, which are on the disk once this turn ends."""

    @property
    def offset(self) -> int:
        """How many bytes of the file are there."""
        ...

    @property
    def missing(self) -> int:
        """How many bytes of the file are still to come."""
        ...

    def write(self, data: memoryview, /) -> None:
        """Add them. InvalidInput: more than announced, a full disk, or what has come is seen to be no licence image."""
        ...

    def fileno(self) -> int:
        """The file itself, for whoever has the kernel write at `offset`, and says so with `added`."""
        ...

    def added(self, size: int, /) -> None:
        """So many bytes were written at `offset`. InvalidInput as with `write`."""
        ...

    def undo(self) -> None:
        """Take back what was written in this turn."""
        ...


class Uploads(Protocol):
    """Files on their way, kept beside the spool. Several processes may share them; each is checked while it arrives.

    `owner` is the name of an account. UnknownStep when it has no such upload, or has it no longer.
    """

    def create(self, owner: str, length: int, filename: str, mark: str, now: datetime) -> Upload:
        """Announce a file. InvalidInput when it cannot be taken in: its size, the disk, or too many at once."""
        ...

    def find(self, id: str, owner: str, now: datetime) -> Upload: ...

    def unfinished(self, owner: str, now: datetime) -> Sequence[Upload]:
        """Those that were not used yet, the oldest first."""
        ...

    def append(
        self, id: str, owner: str, offset: int, now: datetime, *, is_doubtful: bool = False
    ) -> AbstractContextManager[Incoming]:
        """A turn of adding bytes behind `offset`. Stale when there are more or fewer; Busy when another turn goes on.

        They are not checked before its end when they are doubtful: it may `undo` them.
        """
        ...

    def remove(self, id: str, owner: str, now: datetime) -> None:
        """Forget it. A turn that goes on ends at its next byte."""
        ...

    def passport(self, id: str, owner: str, now: datetime) -> Passport:
        """What is known of it so far. InvalidInput once it is known to be no licence image."""
        ...

    def image(self, id: str, owner: str, now: datetime) -> Image:
        """The image in a whole one, which is in the spool from now on; the same again when asked again.

        InvalidInput, and the upload is gone, when it is no licence image.
        """
        ...

    def sweep(self, now: datetime) -> None: ...


class Store(Protocol):
    """Registrations and operations, durable. Every write is committed when the method returns."""

    def registrations(self) -> Sequence[Registration]:
        """All, newest first."""
        ...

    def registration(self, id: str) -> Registration:
        """UnknownStep when there is none."""
        ...

    def save(self, registration: Registration) -> Registration:
        """Write it as the next version (the first is 1). Stale, and nothing written, when another came before."""
        ...

    def observe(self, id: str, status: ServerStatus) -> None:
        """Note what the authorization application said; no new version, so no open page becomes stale by it."""
        ...

    def cleared(self, id: str, name: str) -> None:
        """Note that a discarded deployment is gone from its node; no new version."""
        ...

    def queue(self, operation: Operation) -> Operation:
        """Write it down, unless one for the same registration is still active: then that one is returned."""
        ...

    def operation(self, id: str) -> Operation: ...

    def operations(self, prefix: str) -> Sequence[Operation]:
        """Those whose id begins so, oldest first: a container is named after the beginning of one."""
        ...

    def last_operation(self, registration_id: str, kind: str | None = None) -> Operation | None:
        """The newest one of the registration, of that kind when one is given."""
        ...

    def claim(self, owner: str, now: datetime, besides: Collection[str] = ()) -> Operation | None:
        """Take up, for that worker, the oldest active operation that nobody holds; None when there is none.

        Those of the registrations `besides`, by their ids, are left to wait. Charged in one conditional UPDATE, so that
        two workers never hold one operation.
        """
        ...

    def renew(self, id: str, owner: str, now: datetime) -> bool:
        """Prolong the lease; False when another worker has it."""
        ...

    def record(self, operation: Operation, owner: str, result: Registration | None = None) -> bool:
        """Write its progress or its end; False, and nothing written, when another worker has the lease.

        `result` is what came of it: the registration is saved in the same transaction, as `save` does. Stale, and
        nothing written, when another save came before.
        One that is put back to QUEUED may be claimed by anybody at once. The wish to abort is never overwritten.
        """
        ...

    def owners(self) -> Sequence[str]:
        """The workers that hold operations, as they named themselves to `claim`."""
        ...

    def release(self, owner: str) -> None:
        """Let go of what that worker holds; it is known to be dead, so nobody has to wait for its lease to end."""
        ...

    def ask_to_abort(self, id: str) -> None:
        """Note that the admin wants it undone. Nothing to do when it has ended."""
        ...

    def seen(self, health: Health) -> None:
        """Note how a node is."""
        ...

    def healths(self) -> dict[str, Health]:
        """How each node was last seen, by its slug."""
        ...

    def inspected(self, registration_id: str, inspection: Inspection) -> None:
        """Note how the container of a registration's deployment is; no new version."""
        ...

    def inspection(self, registration_id: str) -> Inspection | None:
        """How it was last seen, whichever container that was; None while nobody has looked."""
        ...

    def revision(self, registration_id: str) -> str:
        """A short word that changes whenever anything a page of this registration shows has changed. Cheap."""
        ...


class Accounts(Protocol):
    """Who may sign in, and the one-time links that let a person in without a password, kept as hashes."""

    def owner(self) -> Account | None:
        """The account that was made first: whom a one-time link of the terminal signs in. None before there is any."""
        ...

    def account(self, name: str) -> Account | None: ...

    def add_account(self, account: Account) -> None:
        """InvalidInput when the name is taken."""
        ...

    def add_link(self, token_hash: str, now: datetime, expires_at: datetime) -> None: ...

    def link_is_good(self, token_hash: str, now: datetime) -> bool:
        """Whether it exists, was not used, and has not expired. Does not use it up."""
        ...

    def use_link(self, token_hash: str, now: datetime) -> bool:
        """Use it up, in one conditional UPDATE; False when it was not good."""
        ...


class Jobs(Protocol):
    """Slow work is put down as an operation, and a worker is woken."""

    def start(self, registration: Registration, kind: str, now: datetime) -> Operation:
        """Queue the work of the step `kind`. The one under way is returned when there is one."""
        ...

    def abort(self, operation: Operation) -> None:
        """Ask for it to be undone."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """What a step may use in a request. No engine: that is the worker's."""

    store: Store
    jobs: Jobs
    inventory: Inventory
    license_servers: LicenseServer
    spool: Spool
    uploads: Uploads
    clock: Callable[[], datetime]
    """Aware UTC."""


@dataclass(frozen=True, kw_only=True)
class Workshop(Services):
    """What the slow work of a step may use, in the worker."""

    backend: Backend
    applications: Applications


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a phase is given: the workshop, the operation's id to name things after, and where to tell its progress."""

    workshop: Workshop
    operation: str
    progress: Progress
    wait: Callable[[float], None]
    """Let some seconds pass; raises when the operation is to be aborted."""
