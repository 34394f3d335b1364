"""The relay reads strictly what an authorization application answers, and carries its times over to our clock."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.factories import NOW, a_slot
from tests.web_stub import Stub, serving
from wizard.domain.deployment import Challenge, Endpoint, Judgement, ServerState, ServerStatus
from wizard.errors import BackendError, InvalidInput
from wizard.relay import LARGEST_ANSWER, PinnedRelay

CHALLENGE = {"id": "c0ffee", "url": "HTTP://127.0.0.1:8001/L/AE", "elapsed_ms": 1000, "remaining_ms": 299_000}
STATUS = {
    "protocol": 1,
    "instance": "1f" * 32,
    "state": "ACTIVE",
    "company": "Harbour Logistics",
    "project": "Sales reports",
    "challenge": CHALLENGE,
    "tries_left": 5,
    "locked_ms": 900_000,
    "registrations": 2,
    "slots": [
        {"project": "Sales", "node": "a", "state": "LIVE", "registered_ms": 5000, "last_request_ms": 2000},
        {"project": "Sales", "node": "b", "state": "FAILED", "registered_ms": 6000, "last_request_ms": None},
    ],
}
SECOND = timedelta(seconds=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Stub]:
    with serving(tmp_path) as stub:
        stub.answers(200, STATUS)
        yield stub


@pytest.fixture
def endpoint(server: Stub) -> Endpoint:
    return Endpoint(address="127.0.0.1", port=server.port, pin=server.pin)


@pytest.fixture
def relay() -> PinnedRelay:
    return PinnedRelay()


def test_the_status_is_read_with_its_times_by_our_clock(relay: PinnedRelay, endpoint: Endpoint, server: Stub) -> None:
    assert relay.status(endpoint, NOW) == ServerStatus(
        state=ServerState.ACTIVE,
        instance="1f" * 32,
        challenge="c0ffee",
        tries_left=5,
        locked_until=NOW + 900 * SECOND,
        registrations=2,
        slots=(
            a_slot(project="Sales", node="a", registered_at=NOW - 5 * SECOND, last_request_at=NOW - 2 * SECOND),
            a_slot(project="Sales", node="b", state="FAILED", registered_at=NOW - 6 * SECOND),
        ),
        seen_at=NOW,
    )
    assert server.asked == [("GET", "/license/api/v1/status", None)]


def test_a_new_challenge_counts_from_when_the_server_made_it(
    relay: PinnedRelay, endpoint: Endpoint, server: Stub
) -> None:
    server.answers(201, {"challenge": CHALLENGE, "status": STATUS})
    assert relay.challenge(endpoint, NOW) == Challenge(
        id="c0ffee", url="HTTP://127.0.0.1:8001/L/AE", created_at=NOW - SECOND, expires_at=NOW + 299 * SECOND
    )
    assert server.asked == [("POST", "/license/api/v1/challenges", {})]


@pytest.mark.parametrize(
    ("status", "judgement"),
    [
        (200, Judgement.ACCEPTED),
        (422, Judgement.WRONG),
        (423, Judgement.LOCKED),
        (410, Judgement.EXPIRED),
        (410, Judgement.SUPERSEDED),
        (410, Judgement.CONSUMED),
        (400, Judgement.MALFORMED),
    ],
)
def test_every_judgement_of_a_code_is_an_answer_and_no_error(
    relay: PinnedRelay, endpoint: Endpoint, server: Stub, status: int, judgement: Judgement
) -> None:
    server.answers(status, {"judgement": judgement.value, "status": STATUS})
    verdict = relay.submit(endpoint, "c0ffee", "123456", NOW)
    assert verdict.judgement is judgement
    assert verdict.status.tries_left == 5
    assert server.asked[0] == ("POST", "/license/api/v1/codes", {"challenge": "c0ffee", "code": "123456"})


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(423, "locked", "locked"), (429, "too_often", "no new QR code"), (410, "retired", "retired")],
)
def test_a_challenge_that_is_refused_says_why(
    relay: PinnedRelay, endpoint: Endpoint, server: Stub, status: int, code: str, words: str
) -> None:
    server.answers(status, {"error": {"code": code, "message": "…"}, "status": STATUS})
    with pytest.raises(InvalidInput, match=words):
        relay.challenge(endpoint, NOW)


def test_a_code_for_a_retired_application_says_so(relay: PinnedRelay, endpoint: Endpoint, server: Stub) -> None:
    server.answers(410, {"judgement": "retired", "status": STATUS})
    with pytest.raises(InvalidInput, match="retired"):
        relay.submit(endpoint, "c0ffee", "123456", NOW)


def test_a_code_that_came_too_soon_was_not_counted_and_says_so(
    relay: PinnedRelay, endpoint: Endpoint, server: Stub
) -> None:
    server.answers(429, {"error": {"code": "too_often", "message": "…"}})
    with pytest.raises(InvalidInput, match="not counted"):
        relay.submit(endpoint, "c0ffee", "123456", NOW)


def test_whoever_knows_the_token_of_the_volume_shows_it(relay: PinnedRelay, endpoint: Endpoint, server: Stub) -> None:
    relay.status(endpoint, NOW)
    relay.status(replace(endpoint, token="5e" * 32), NOW)
    assert server.authorizations == [None, f"Bearer {'5e' * 32}"]
    assert "5e5e" not in repr(replace(endpoint, token="5e" * 32))


def test_nobody_there_is_worth_another_try(relay: PinnedRelay, endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = replace(endpoint, port=probe.getsockname()[1])
    with pytest.raises(BackendError, match="does not answer") as failure:
        relay.status(nobody, NOW)
    assert not failure.value.permanent


def test_one_that_accepts_and_never_answers_is_given_up(endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(BackendError) as failure:
        PinnedRelay((0.2, 0.2)).status(replace(endpoint, port=silent.getsockname()[1]), NOW)
    assert not failure.value.permanent


def test_another_key_is_final_and_nothing_was_sent_to_it(relay: PinnedRelay, endpoint: Endpoint, server: Stub) -> None:
    with pytest.raises(BackendError, match="Somebody else") as failure:
        relay.submit(replace(endpoint, pin="00" * 32), "c0ffee", "123456", NOW)
    assert failure.value.permanent
    assert server.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"\xff",
        b"[]",
        b"{}",
        json.dumps(STATUS | {"protocol": 2}).encode(),
        json.dumps(STATUS | {"tries_left": "5"}).encode(),
        json.dumps(STATUS | {"state": "UNHEARD_OF"}).encode(),
        b" " * (LARGEST_ANSWER + 1),
    ],
    ids=["html", "no text", "a list", "empty", "another version", "a text for a number", "another state", "too long"],
)
def test_what_is_not_the_protocol_is_final(relay: PinnedRelay, endpoint: Endpoint, server: Stub, body: bytes) -> None:
    server.body = body
    with pytest.raises(BackendError, match="not understood") as failure:
        relay.status(endpoint, NOW)
    assert failure.value.permanent


def test_a_page_that_is_not_there_is_not_the_protocol(relay: PinnedRelay, endpoint: Endpoint, server: Stub) -> None:
    server.answers(404, {})
    with pytest.raises(BackendError, match="not understood"):
        relay.status(endpoint, NOW)


def test_a_redirect_is_not_followed(relay: PinnedRelay, endpoint: Endpoint, server: Stub) -> None:
    server.answers(302, {})
    with pytest.raises(BackendError, match="not understood"):
        relay.status(endpoint, NOW)
    assert len(server.asked) == 1


def test_a_token_of_another_instance_is_final_and_told(relay: PinnedRelay, endpoint: Endpoint, server: Stub) -> None:
    server.answers(401, {"error": {"code": "wrong_token", "message": "…"}})
    with pytest.raises(BackendError, match="does not take the token") as failure:
        relay.status(endpoint, NOW)
    assert failure.value.permanent


def test_its_own_trouble_is_worth_another_try_and_told_in_its_words(
    relay: PinnedRelay, endpoint: Endpoint, server: Stub
) -> None:
    server.answers(500, {"error": {"code": "disk", "message": "The disk is full."}})
    with pytest.raises(BackendError, match="in trouble") as failure:
        relay.status(endpoint, NOW)
    assert not failure.value.permanent
    assert "The disk is full." in failure.value.problem.raw


def test_whether_anybody_is_there_is_told_without_any_pin(relay: PinnedRelay, endpoint: Endpoint) -> None:
    assert relay.is_open(replace(endpoint, pin=""))
    assert relay.is_there(replace(endpoint, pin=""))


def test_what_does_not_speak_tls_is_nobody(relay: PinnedRelay) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        unknown = Endpoint(address="127.0.0.1", port=silent.getsockname()[1], pin="")
        assert PinnedRelay(time_limits=(0.2, 0.2)).is_open(unknown)
        assert not PinnedRelay(time_limits=(0.2, 0.2)).is_there(unknown)
    assert not relay.is_open(unknown)
    assert not relay.is_there(unknown)
