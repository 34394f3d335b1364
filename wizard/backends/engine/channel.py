"""A way to the engine of one node, on which nothing is taken from the environment."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import requests
from docker.errors import APIError, DockerException
from docker.tls import TLSConfig
from docker.utils.utils import compare_version
from urllib3.exceptions import HTTPError

from wizard.backends.engine import refusals
from wizard.domain.engine import Engine
from wizard.domain.project import Node

OLDEST, NEWEST = "1.41", "1.51"
"""Versions of the API: of Docker 20.10 and Podman 4, and the newest that docker-py was tried with."""
SECONDS_TO_ANSWER = 10
"""For each part of an answer. What takes longer says so where it asks."""


class Channel:
    """Opens connections to an engine. Each is for one piece of work, so that none is ever found half dead."""

    def __init__(self, node: Node, engine: Engine) -> None:
        self._node = node
        self._engine = engine
        self._agreed: str | None = None
        self._lock = threading.Lock()

    @contextmanager
    def open(self, seconds: float = SECONDS_TO_ANSWER) -> Iterator[docker.APIClient]:
        """A client. Whatever the engine or the way to it does wrong is a BackendError, its own words kept."""
        try:
            with self._client(self._version(), seconds) as client:
                yield client
        except APIError as error:
            raise refusals.not_done(
                self._node, str(error.explanation or error), permanent=is_permanent(error)
            ) from error
        except (DockerException, requests.RequestException, HTTPError) as error:
            raise refusals.unreachable(self._node, self._engine.url, error) from error

    def _version(self) -> str:
        """The newest version that both sides speak; asked for once, and again after an engine was replaced."""
        with self._lock:
            if self._agreed is None:
                with self._client(OLDEST, SECONDS_TO_ANSWER) as client:
                    spoken = str(client.version(api_version=False)["ApiVersion"])
                if compare_version(OLDEST, spoken) < 0:
                    raise refusals.too_old(self._node, spoken, OLDEST)
                self._agreed = spoken if compare_version(NEWEST, spoken) < 0 else NEWEST
            return self._agreed

    def _client(self, version: str, seconds: float) -> docker.APIClient:
        """`trust_env` off before the first request: REQUESTS_CA_BUNDLE must not stand in for the engine's authority."""
        client = docker.APIClient(
            base_url=self._engine.url,
            version=version,
            timeout=int(seconds),
            tls=_tls(self._engine.tls) if self._engine.tls else False,
        )
        client.trust_env = False
        return client


def _tls(folder: Path) -> TLSConfig:
    return TLSConfig(
        ca_cert=str(folder / "ca.pem"), client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")), verify=True
    )


def is_permanent(error: APIError) -> bool:
    """An engine that is busy or starting says 5xx, and may do it the next time; a conflict does not go by itself."""
    return not error.is_server_error()
