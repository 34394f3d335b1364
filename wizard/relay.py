"""Speaks to an authorization application over pinned HTTPS: its status, a new challenge, a code."""

import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
import requests

from wizard.domain.deployment import (
    Challenge,
    Endpoint,
    Judgement,
    ServerState,
    ServerStatus,
    Slot,
    Verdict,
)
from wizard.errors import BackendError, InvalidInput
from wizard.licensing import pinned
from wizard.licensing.protocol import api
from wizard.text import say

TIME_LIMITS = (2.0, 5.0)
"""Seconds to connect, and to wait for each part of the answer."""
PATIENCE = 0.5
"""Seconds, to see whether anybody is there. Podman's monitor takes a connection that comes early, and says nothing."""
LARGEST_ANSWER = 64 << 20
"""Bytes. A status of a hundred slots takes 20 kB; one of the largest licence, with the longest names, 50 MB."""

Document = TypeVar("Document")


class _Challenge(msgspec.Struct):
    id: str
    url: str
    elapsed_ms: int
    remaining_ms: int

    def at(self, now: datetime) -> Challenge:
        return Challenge(
            id=self.id, url=self.url, created_at=now - _ms(self.elapsed_ms), expires_at=now + _ms(self.remaining_ms)
        )


class _Slot(msgspec.Struct):
    project: str
    node: str
    state: str
    registered_ms: int
    last_request_ms: int | None

    def at(self, now: datetime) -> Slot:
        return Slot(
            project=self.project,
            node=self.node,
            state=self.state,
            registered_at=now - _ms(self.registered_ms),
            last_request_at=None if self.last_request_ms is None else now - _ms(self.last_request_ms),
        )


class _Status(msgspec.Struct):
    protocol: int
    instance: str
    state: ServerState
    challenge: _Challenge | None
    tries_left: int
    locked_ms: int | None
    registrations: int
    slots: list[_Slot]

    def at(self, now: datetime) -> ServerStatus:
        return ServerStatus(
            state=self.state,
            instance=self.instance,
            challenge=self.challenge.id if self.challenge else None,
            tries_left=self.tries_left,
            locked_until=None if self.locked_ms is None else now + _ms(self.locked_ms),
            registrations=self.registrations,
            slots=tuple(slot.at(now) for slot in self.slots),
            seen_at=now,
        )


class _NewChallenge(msgspec.Struct):
    challenge: _Challenge


class _Judged(msgspec.Struct):
    judgement: str
    status: _Status


class _Failure(msgspec.Struct):
    code: str
    message: str


class _Failed(msgspec.Struct):
    error: _Failure


class PinnedRelay:
    """ports.LicenseServer. Each question is a connection of its own: one kept open would cost the server a slot.

    `now` is the time of asking; what the answer tells in milliseconds from now, or ago, is carried over to it.
    """

    def __init__(self, time_limits: tuple[float, float] = TIME_LIMITS) -> None:
        self._time_limits = time_limits
        self._patience = min(PATIENCE, time_limits[0])

    def status(self, endpoint: Endpoint, now: datetime) -> ServerStatus:
        answer = self._ask(endpoint, "GET", api.STATUS, None, (200,))
        return _speaks_our_protocol(_read(answer, _Status)).at(now)

    def is_open(self, endpoint: Endpoint) -> bool:
        try:
            socket.create_connection((endpoint.address, endpoint.port), self._patience).close()
        except OSError:
            return False
        return True

    def is_there(self, endpoint: Endpoint) -> bool:
        try:
            pinned.peer_pin(endpoint.address, endpoint.port, self._patience)
        except OSError:
            return False
        return True

    def challenge(self, endpoint: Endpoint, now: datetime) -> Challenge:
        answer = self._ask(endpoint, "POST", api.CHALLENGES, {}, (201, 410, 423, 429))
        if answer.status != 201:
            raise _no_challenge(_read(answer, _Failed).error)
        return _read(answer, _NewChallenge).challenge.at(now)

    def submit(self, endpoint: Endpoint, challenge: str, code: str, now: datetime) -> Verdict:
        answer = self._ask(
            endpoint, "POST", api.CODES, {"challenge": challenge, "code": code}, (200, 400, 410, 422, 423, 429)
        )
        if answer.status == 429:
            raise _not_now(_read(answer, _Failed).error)
        judged = _read(answer, _Judged)
        if judged.judgement not in tuple(Judgement):
            raise _no_challenge(_Failure(judged.judgement, ""))
        return Verdict(judgement=Judgement(judged.judgement), status=_speaks_our_protocol(judged.status).at(now))

    def _ask(
        self, endpoint: Endpoint, method: str, path: str, body: Mapping[str, str] | None, expected: tuple[int, ...]
    ) -> "_Answer":
        try:
            with (
                pinned.session(endpoint.pin) as session,
                session.request(
                    method,
                    endpoint.url + path,
                    json=body,
                    headers=_headers(endpoint),
                    timeout=self._time_limits,
                    stream=True,
                    allow_redirects=False,
                ) as response,
            ):
                answer = _Answer(response.status_code, _bounded(response))
        except pinned.PinMismatch as error:
            raise _wrong_key(endpoint, error) from error
        except requests.RequestException as error:
            raise _unreachable(endpoint, error) from error
        if answer.status not in expected:
            raise _unexpected(answer)
        return answer


def _headers(endpoint: Endpoint) -> Mapping[str, str]:
    return {"Connection": "close"} | ({"Authorization": f"Bearer {endpoint.token}"} if endpoint.token else {})


class _Answer(msgspec.Struct):
    status: int
    content: bytes


def _bounded(response: requests.Response) -> bytes:
    """The body, as far as it has a sensible size."""
    content = bytearray()
    for chunk in response.iter_content(16 << 10):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise _not_the_protocol(f"more than {LARGEST_ANSWER} bytes")
    return bytes(content)


def _read(answer: _Answer, kind: type[Document]) -> Document:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_the_protocol(str(error)) from error


def _speaks_our_protocol(status: _Status) -> _Status:
    if status.protocol != api.PROTOCOL:
        raise _not_the_protocol(f"protocol {status.protocol}, not {api.PROTOCOL}")
    return status


def _ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def _no_challenge(failure: _Failure) -> InvalidInput:
    if failure.code == "locked":
        return InvalidInput(
            say("The entry of codes is locked."),
            why=say("Too many wrong codes were entered; no QR code is shown meanwhile."),
            todo=say("Wait until the lock opens, then ask for a new QR code."),
        )
    if failure.code == "retired":
        return InvalidInput(
            say("This authorization application was retired, and stays so."),
            todo=say("Deploy a new image of the vendor."),
        )
    return InvalidInput(
        say("There is no new QR code yet."),
        why=say("QR codes are asked for too often."),
        todo=say("Wait a few seconds, then try again."),
        raw=failure.message,
    )


def _not_now(failure: _Failure) -> InvalidInput:
    return InvalidInput(
        say("The code was not looked at, and not counted."),
        why=say("Codes come in faster than a person enters them."),
        todo=say("Wait ten seconds, then enter it again."),
        raw=failure.message,
    )


def _unreachable(endpoint: Endpoint, error: Exception) -> BackendError:
    return BackendError(
        say("The authorization application does not answer."),
        why=say("Nobody answers at %(address)s:%(port)s in time.", address=endpoint.address, port=endpoint.port),
        todo=say("Check that it runs on its node, and that no firewall keeps the port from this server."),
        raw=str(error),
        permanent=False,
    )


def _wrong_key(endpoint: Endpoint, error: Exception) -> BackendError:
    return BackendError(
        say("Somebody else answers in the place of the authorization application."),
        why=say(
            "Whoever answers at %(address)s:%(port)s does not hold the key that was read on the node.",
            address=endpoint.address,
            port=endpoint.port,
        ),
        todo=say("Nothing was sent to it. Find out what listens there before you go on."),
        raw=str(error),
        permanent=True,
    )


def _not_the_protocol(words: str) -> BackendError:
    return BackendError(
        say("The authorization application answers in a way that is not understood."),
        why=say("It does not speak the protocol of the reference image."),
        todo=say("Open its own page, and go on there."),
        raw=words,
        permanent=True,
    )


def _unexpected(answer: _Answer) -> BackendError:
    if answer.status == 401:
        return BackendError(
            say("The authorization application does not take the token of this deployment."),
            why=say("The token was read from its volume when it was deployed, and it is another instance's."),
            todo=say("Somebody has put another volume in its place. Find out why, or deploy again."),
            raw=answer.content[:500].decode(errors="replace"),
            permanent=True,
        )
    if answer.status < 500:
        return _not_the_protocol(f"HTTP {answer.status}")
    return BackendError(
        say("The authorization application is in trouble."),
        why=say("It answered with the error %(status)s.", status=answer.status),
        todo=say("Read its log on the node, then try again."),
        raw=answer.content[:500].decode(errors="replace"),
        permanent=False,
    )
