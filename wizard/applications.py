"""Asks a project's own application to register itself, where it can be asked: the reference client's HTTP interface."""

import msgspec
import requests

from wizard.domain.deployment import Endpoint
from wizard.domain.project import Project
from wizard.errors import BackendError
from wizard.text import Text, say

TIME_LIMITS = (2.0, 20.0)
"""Seconds to connect, and to wait for the answer: the application speaks to the authorization application meanwhile."""
LARGEST_ANSWER = 64 << 10
REFUSED = (409, 422)
"""Asking again as things are would be refused again."""


class _Failure(msgspec.Struct):
    message: str
    code: str = ""


class _Failed(msgspec.Struct):
    error: _Failure


class HttpApplications:
    """ports.Applications, by `POST <application>/registration` with the address and the port (R8)."""

    def __init__(self, time_limits: tuple[float, float] = TIME_LIMITS) -> None:
        self._time_limits = time_limits

    def register(self, project: Project, endpoint: Endpoint) -> None:
        if project.application is None:
            raise BackendError(
                say("%(project)s cannot be asked to register by itself.", project=project.name),
                todo=say("Register it in the FanRuan application, as described on this page."),
                permanent=True,
            )
        status, content = self._post(project, f"{project.application}/registration", endpoint)
        if status != 201:
            raise _refused(project, endpoint, status, content)

    def _post(self, project: Project, url: str, endpoint: Endpoint) -> tuple[int, bytes]:
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.post(
                    url,
                    json={"address": endpoint.address, "port": endpoint.port},
                    timeout=self._time_limits,
                    stream=True,
                    allow_redirects=False,
                ) as response:
                    return response.status_code, next(response.iter_content(LARGEST_ANSWER), b"")
        except requests.RequestException as error:
            raise BackendError(
                say("The application of %(project)s does not answer.", project=project.name),
                todo=say("Check that it runs, then register again, or register it there by hand."),
                raw=str(error),
                permanent=False,
            ) from error


def _refused(project: Project, endpoint: Endpoint, status: int, content: bytes) -> BackendError:
    return BackendError(
        say("%(project)s could not be registered.", project=project.name),
        why=_cause(content),
        todo=say(
            "Check the firewall between the project's servers and %(address)s, the port %(port)s, and the address.",
            address=endpoint.address,
            port=endpoint.port,
        ),
        raw=content[:2000].decode(errors="replace"),
        permanent=status in REFUSED,
    )


def _cause(content: bytes) -> Text | None:
    """The application's own cause (R8), in its own language."""
    try:
        return say("Its application says: %(cause)s", cause=msgspec.json.decode(content, type=_Failed).error.message)
    except msgspec.DecodeError:
        return None
