"""docker-py as the wizard needs it: nothing from the environment, no redirect, and no answer without a bound."""

import io
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import docker
import requests
from docker.auth import AuthConfig
from docker.errors import DockerException
from docker.transport import UnixHTTPAdapter
from docker.utils.json_stream import json_stream
from docker.utils.proxy import ProxyConfig
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

LARGEST_ANSWER = 8 << 20
"""Bytes. The list of a thousand containers has 2 MB."""
LARGEST_STREAM = 4 << 20
"""Bytes that a load says. It says some 40 lines for a licence image, of 200 bytes each."""
PIECE = 16 << 10
SECONDS_OF_LISTENING = 3600
"""To a load, and to a file on its way. It is ended by its time-out when nothing more comes."""


class NoEngine(DockerException):
    """Whoever answers is no engine, or none that can be worked with; what it did instead."""


ATTENTION = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)
"""A node that is cut off is noticed in 30 s (tcp(7)), however much patience a load has with one that works."""


class _Attentive(HTTPAdapter):
    """Of connections that the kernel looks after."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **settings: Any) -> None:
        options = [*HTTPConnection.default_socket_options, *ATTENTION]
        super().init_poolmanager(connections, maxsize, block, socket_options=options, **settings)


class Client(docker.APIClient):
    """`seconds` are for connecting, for each part of an answer, and for the whole of one that is not a stream.

    The constructor is docker-py's own without what it reads: its configuration file adds headers and proxies to each
    request, and REQUESTS_CA_BUNDLE would stand in for the engine's authority if the first request came before
    `trust_env` is off.
    """

    def __init__(self, url: str, version: str, seconds: int, tls: Path | None = None) -> None:
        requests.Session.__init__(self)
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"
        self.timeout = seconds
        self.credstore_env = None
        self._version = version
        self._general_configs: dict[str, object] = {}
        self._proxy_configs = ProxyConfig()
        self._auth_configs = AuthConfig({})
        self._custom_adapter: UnixHTTPAdapter | None = None
        if url.startswith("unix://"):
            self._custom_adapter = UnixHTTPAdapter(url.replace("unix://", "http+unix://"), seconds)
            self.mount("http+docker://", self._custom_adapter)
            self.base_url = "http+docker://localhost"
        else:
            self.base_url = url.replace("tcp://", "https://" if tls else "http://")
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Attentive())
        if tls:
            self.verify = str(tls / "ca.pem")
            self.cert = (str(tls / "cert.pem"), str(tls / "key.pem"))

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        """Every request goes this way. What is no stream, and what is an error, is read here, to its bound."""
        response = super().send(request, **(settings | {"stream": True}))
        if response.is_redirect:
            response.close()
            raise NoEngine(f"It points elsewhere: {response.headers['Location'][:200]}")
        if not (settings.get("stream") and response.ok):
            content = b"".join(_pieces(response, LARGEST_ANSWER, time.monotonic() + self.timeout))
            response.raw = io.BytesIO(content)
        return response

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests neither follows one nor reads the body that comes with it."""

    def _result(self, response: requests.Response, json: bool = False, binary: bool = False) -> Any:
        try:
            return super()._result(response, json=json, binary=binary)  # type: ignore[misc]  # not in the stubs
        except (requests.JSONDecodeError, RecursionError) as error:
            raise NoEngine(f"It says something else than an engine: {response.text[:200]}") from error

    def _raise_for_status(self, response: requests.Response) -> None:
        try:
            super()._raise_for_status(response)  # type: ignore[misc]  # not in the stubs
        except (KeyError, TypeError, RecursionError) as error:
            raise NoEngine(f"It says {response.status_code}: {response.text[:200]}") from error

    def _stream_helper(self, response: requests.Response, decode: bool = False) -> Iterator[Any]:
        """docker-py's own reads a piece to its end, however long the engine says that it is."""
        self._raise_for_status(response)
        pieces = _pieces(response, LARGEST_STREAM, time.monotonic() + SECONDS_OF_LISTENING)
        return json_stream(cast(Iterator[str], pieces)) if decode else pieces  # it takes bytes, too

    def _stream_raw_result(
        self, response: requests.Response, chunk_size: int = 1, decode: bool = True
    ) -> Iterator[bytes]:
        """docker-py's own takes the time-out off, and waits for ever for an engine that hangs meanwhile."""
        self._raise_for_status(response)
        return _pieces(response, LARGEST_ANSWER, time.monotonic() + SECONDS_OF_LISTENING)


def _pieces(response: requests.Response, most: int, end: float) -> Iterator[bytes]:
    """The body as it comes, up to so many bytes and that time of the monotonic clock."""
    size = 0
    with response:
        while piece := response.raw.read1(PIECE, decode_content=True):
            size += len(piece)
            if size > most:
                raise NoEngine(f"Its answer is longer than {most} bytes.")
            if time.monotonic() > end:
                raise NoEngine("Its answer does not end.")
            yield piece
