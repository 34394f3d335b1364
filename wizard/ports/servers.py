"""The other parties: authorization applications and FanRuan applications, as far as they can be asked."""

from datetime import datetime
from typing import Protocol

from wizard.domain.deployment import Challenge, Endpoint, ServerStatus, Verdict
from wizard.domain.project import Project


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
