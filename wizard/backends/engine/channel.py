"""A way to the engine of one node, on which nothing is taken from the environment."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

import docker
import requests
from docker.errors import APIError, DockerException
from docker.utils.utils import compare_version
from urllib3.exceptions import HTTPError

from wizard.backends.engine import refusals, troubles
from wizard.backends.engine.client import Client, NoEngine
from wizard.backends.engine.shared import Shared
from wizard.backends.engine.tunnel import NoProgram, NoTunnel, Passage, Tunnel
from wizard.domain.engine import Engine
from wizard.domain.project import Node
from wizard.errors import BackendError

OLDEST, NEWEST = "1.41", "1.51"
"""Versions of the API: of Docker 20.10 and Podman 4, and the newest that docker-py was tried with."""
SECONDS_TO_ANSWER = 10
"""For each part of an answer. What takes longer says so where it asks."""
LONGEST_WORDS = 2000
"""Of an engine, kept with an error."""
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,4}", re.ASCII)


class Channel:
    """Opens connections to an engine. Each is for one piece of work, so that none is ever found half dead.

    One of ssh:// goes through a tunnel, which is kept as long as it lives.
    """

    def __init__(self, node: Node, engine: Engine) -> None:
        self._node = node
        self._engine = engine
        self._agreed: str | None = None
        self._agreement = Shared()
        self._tunnel = Tunnel(engine) if engine.ssh is not None else None

    @contextmanager
    def open(self, seconds: float = SECONDS_TO_ANSWER) -> Iterator[docker.APIClient]:
        """A client. Whatever the engine or the way to it does wrong is a BackendError, its own words kept."""
        passage = self._passage()
        url = f"unix://{passage.socket}" if passage else self._engine.url
        try:
            with self._client(url, self._version(url, seconds), seconds) as client:
                yield client
        except (DockerException, requests.RequestException, HTTPError) as error:
            raise self._trouble(error, passage) from error

    def close(self) -> None:
        """End the tunnel, if there is one; the next `open` opens another."""
        if self._tunnel:
            self._tunnel.close()

    def _passage(self) -> Passage | None:
        try:
            return self._tunnel.passage() if self._tunnel else None
        except NoProgram as error:
            raise troubles.no_program(self._node, self._engine, error.program) from error
        except NoTunnel as error:
            self._agreed = None
            raise troubles.of_ssh(self._node, self._engine, str(error)) from error

    def _version(self, url: str, seconds: float) -> str:
        """The newest version that both sides speak; asked for again after anything was wrong with the engine.

        Whoever has much patience first asks something quick, so that it is not spent on an engine that is not there.
        Podman takes a quarter of a second for its version, since it runs other programs to find theirs: many who ask
        at once would stop it, so one asks for all.
        """
        agreed, quick = self._agreed, min(seconds, SECONDS_TO_ANSWER)
        if agreed is None:
            return self._agreed_by_one(url, quick)
        if seconds > quick:
            with self._client(url, agreed, quick) as client:
                client.ping()
        return agreed

    def _agreed_by_one(self, url: str, seconds: float) -> str:
        def ask() -> str:
            with self._client(url, OLDEST, seconds) as client:
                agreed = self._agreed = self._agree(client.version(api_version=False))
            return agreed

        try:
            return self._agreement.get(lambda: self._agreed, ask, seconds)
        except TimeoutError as error:
            raise requests.Timeout(str(error)) from error

    def _agree(self, said: object) -> str:
        spoken = str(said.get("ApiVersion")) if isinstance(said, dict) else ""
        oldest = str(said.get("MinAPIVersion") or OLDEST) if isinstance(said, dict) else ""
        if not (_VERSION.fullmatch(spoken) and _VERSION.fullmatch(oldest)):
            raise NoEngine(f"It says no version of its API: {str(said)[:200]}")
        if compare_version(OLDEST, spoken) < 0:
            raise refusals.too_old(self._node, spoken, OLDEST)
        if compare_version(NEWEST, oldest) > 0:
            raise troubles.too_new(self._node, oldest, NEWEST)
        return spoken if compare_version(NEWEST, spoken) < 0 else NEWEST

    def _client(self, url: str, version: str, seconds: float) -> Client:
        return Client(url, version, max(1, math.ceil(seconds)), self._engine.tls)

    def _trouble(self, error: Exception, passage: Passage | None) -> BackendError:
        if isinstance(error, APIError) and not _is_of_the_way(error):
            words = str(error.explanation or error)[:LONGEST_WORDS]
            if refusals.is_full(words):
                return refusals.no_room(self._node, words)
            return refusals.not_done(self._node, words, permanent=is_permanent(error))
        has_spoken, self._agreed = self._agreed is not None, None
        if isinstance(error, NoEngine) or _is_no_http(error):
            return troubles.no_engine_there(self._node, self._engine, str(error))
        if passage:
            words = "\n".join([*passage.words(), str(error)])
            return troubles.of_ssh(self._node, self._engine, words, has_ended=passage.has_ended)
        return troubles.of_tls(self._node, self._engine, error, has_spoken=has_spoken)


def _is_of_the_way(error: APIError) -> bool:
    """An engine was replaced by an older one, or it expects TLS."""
    words = str(error.explanation or "")
    return error.is_client_error() and ("HTTP request to an HTTPS server" in words or "client version" in words)


def _is_no_http(error: BaseException | None) -> bool:
    """Somewhere beneath it is what the standard library says of an answer that it cannot read."""
    while error is not None:
        if isinstance(error, HTTPException) and not isinstance(error, RemoteDisconnected | IncompleteRead):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_permanent(error: APIError) -> bool:
    """An engine that is busy or starting says 5xx, and may do it the next time; a conflict does not go by itself."""
    return not error.is_server_error()
