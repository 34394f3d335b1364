"""How a project reaches an authorization application: IP and port are all that it is told (R8)."""

import json
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from wizard.licensing import pinned
from wizard.licensing.client.causes import ClientError
from wizard.licensing.protocol.messages import Message

TIME_LIMIT = 5.0
"""Seconds, to connect and again to be answered."""
LARGEST_ANSWER = 1 << 20
"""Bytes. A certificate with the most nodes and the longest names has less."""


FAULT = 500
"""HTTP statuses from this one on: whoever answers has a fault of its own."""


class LineError(ClientError):
    """No usable answer. The code is that of one of `SYMPTOMS`, no_tls, not_the_protocol or fault."""


def spot(address: str, port: int) -> str:
    """An address and a port as people write them."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where an authorization application answers, and the pin of its TLS key."""

    address: str
    port: int
    pin: str

    def __str__(self) -> str:
        return spot(self.address, self.port)

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
            raise _told(error, spot(address, port), (NO_TLS, *SYMPTOMS)) from error
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
                if response.status_code >= FAULT:
                    raise _fault(endpoint, response.status_code)
                return response.status_code, _document(response, endpoint)
        except (pinned.PinMismatch, requests.RequestException) as error:
            raise _told(error, str(endpoint), SYMPTOMS) from error


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
        str(endpoint),
    )


def _fault(endpoint: Endpoint, status: int) -> LineError:
    return LineError(
        "fault",
        f"The authorization application at {endpoint} has a fault of its own (HTTP {status}). Look at its log.",
        str(endpoint),
    )


@dataclass(frozen=True)
class Symptom:
    """What a project is told (R8) when one of `kinds` is among the causes of an error. `{where}` in the words."""

    code: str
    words: str
    kinds: tuple[type[BaseException], ...]


NO_TLS = Symptom(
    "no_tls",
    "What listens at {where} does not speak HTTPS, so it is no authorization application. Check the port.",
    (ssl.SSLError, ConnectionResetError, BrokenPipeError),
)
"""Only while it is looked for: later on, a connection that breaks off says nothing of the kind."""

SYMPTOMS = (
    Symptom(
        "not_the_protocol",
        "What answers at {where} is no authorization application. Check the port and the address.",
        (requests.TooManyRedirects,),
    ),
    Symptom(
        "key_changed",
        "Another server answers at {where} than the one this project registered with. Find out why, or register again.",
        (pinned.PinMismatch,),
    ),
    Symptom(
        "refused",
        "{where} refused the connection: nothing listens there. Check the port, and that the server runs.",
        (ConnectionRefusedError,),
    ),
    Symptom(
        "timeout",
        "There is no answer from {where}. Check the firewall and the address.",
        (TimeoutError, requests.Timeout),
    ),
    Symptom(
        "broken_off",
        "The connection to {where} broke off before the answer was there. It may have been restarted: try again.",
        (ConnectionResetError, BrokenPipeError, ssl.SSLError, requests.exceptions.ChunkedEncodingError),
    ),
    Symptom("unreachable", "{where} cannot be reached. Check the address and the network.", (OSError,)),
)
"""In order: the first that fits is told."""


def _told(error: Exception, where: str, symptoms: Iterable[Symptom]) -> LineError:
    chain = list(_chain(error))
    for symptom in symptoms:
        if any(isinstance(link, symptom.kinds) for link in chain):
            return LineError(symptom.code, symptom.words.format(where=where), where)
    raise error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
