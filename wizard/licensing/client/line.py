"""How a project reaches an authorization application: IP and port are all that it is told (R8)."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from wizard.licensing import pinned
from wizard.licensing.protocol.messages import Message

TIME_LIMIT = 5.0
"""Seconds, to connect and again to be answered."""
LARGEST_ANSWER = 1 << 20
"""Bytes. A certificate with the most nodes and the longest names has less."""


class LineError(Exception):
    """No usable answer. `code`: refused, timeout, unreachable, no_tls, key_changed or not_the_protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where an authorization application answers, and the pin of its TLS key."""

    address: str
    port: int
    pin: str

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self}"


class Line(Protocol):
    """What the library needs of a network. LineError from either."""

    def find(self, address: str, port: int) -> Endpoint:
        """Whoever answers there now: trusted on first use."""
        ...

    def post(self, endpoint: Endpoint, path: str, message: Message) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the JSON object of the answer, from whoever holds the key of the endpoint."""
        ...


class PinnedLine:
    """A `Line` over pinned HTTPS. Each question is a connection of its own: the next one is two hours away."""

    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        self._time_limit = time_limit

    def find(self, address: str, port: int) -> Endpoint:
        try:
            pin = pinned.peer_pin(address, port, self._time_limit)
        except OSError as error:
            raise _cause(error, f"{address}:{port}") from error
        return Endpoint(address=address, port=port, pin=pin)

    def post(self, endpoint: Endpoint, path: str, message: Message) -> tuple[int, dict[str, Any]]:
        try:
            with (
                pinned.session(endpoint.pin) as session,
                session.post(
                    endpoint.url + path,
                    json=message,
                    headers={"Connection": "close"},
                    timeout=self._time_limit,
                    stream=True,
                    allow_redirects=False,
                ) as response,
            ):
                return response.status_code, _document(response, endpoint)
        except (pinned.PinMismatch, requests.RequestException) as error:
            raise _cause(error, str(endpoint)) from error


def _document(response: requests.Response, endpoint: Endpoint) -> dict[str, Any]:
    content = bytearray()
    for chunk in response.iter_content(16 * 1024):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise not_the_protocol(endpoint)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise not_the_protocol(endpoint) from None
    if not isinstance(document, dict):
        raise not_the_protocol(endpoint)
    return document


def not_the_protocol(endpoint: Endpoint) -> LineError:
    """For an answer that no authorization application gives."""
    return LineError(
        "not_the_protocol",
        f"What answers at {endpoint} is no authorization application. Check the port and the address.",
    )


CAUSES: tuple[tuple[tuple[type[BaseException], ...], str, str], ...] = (
    (
        (pinned.PinMismatch,),
        "key_changed",
        "Another server answers at {where} than the one this project registered with. Find out why, or register again.",
    ),
    (
        (ConnectionRefusedError,),
        "refused",
        "{where} refused the connection: nothing listens there. Check the port, and that the server runs.",
    ),
    (
        (TimeoutError, requests.Timeout),
        "timeout",
        "There is no answer from {where}. Check the firewall and the address.",
    ),
    (
        (ssl.SSLError, ConnectionResetError, BrokenPipeError),
        "no_tls",
        "What listens at {where} does not speak HTTPS, so it is no authorization application. Check the port.",
    ),
    ((OSError,), "unreachable", "{where} cannot be reached. Check the address and the network."),
)
"""What went wrong, by the first of these that is anywhere among the causes of an error (R8)."""


def _cause(error: BaseException, where: str) -> LineError:
    chain = list(_chain(error))
    for kinds, code, words in CAUSES:
        if any(isinstance(link, kinds) for link in chain):
            return LineError(code, words.format(where=where))
    raise error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
