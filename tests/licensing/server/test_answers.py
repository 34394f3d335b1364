"""Whatever is documented is really answered, in the documented shape; and whatever can be asked is documented."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.licensing.server.documented import ALL, SCHEMA, responses
from tests.licensing.server.member import Member
from tests.licensing.server.troubled import Troubled, ask, right_document
from wizard.licensing.protocol import api
from wizard.licensing.protocol.messages import Register, seal_message
from wizard.licensing.rules.limits import LOCK, QR_VALID
from wizard.licensing.server.api import JUDGED
from wizard.licensing.server.operations import Operation
from wizard.licensing.server.rate import CHALLENGES
from wizard.licensing.server.refusals import REFUSALS
from wizard.licensing.server.schemas import failed

Ask = Callable[[Troubled, Operation], TestResponse]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Troubled]:
    bench = Troubled(tmp_path)
    yield bench
    bench.behind = False
    bench.kill()


# How each answer comes about.


def asked(*before: Callable[[Troubled], object], **changes: Any) -> Ask:
    """Ask, with these changes to the right request, when these things have happened."""

    def run(bench: Troubled, operation: Operation) -> TestResponse:
        for happens in before:
            happens(bench)
        return ask(bench, operation, **changes)

    return run


def too_often(bench: Troubled, operation: Operation) -> TestResponse:
    return next(response for _ in range(40) if (response := ask(bench, operation)).status_code == 429)


def crowded(bench: Troubled) -> None:
    """Somebody asks again and again while it is locked; then the lock opens, and there is neither a QR nor a token."""
    bench.lock()
    bench.now += LOCK - 1
    for _ in range(CHALLENGES.burst):
        bench.post(api.CHALLENGES, {})
    bench.now += 1


def entered(
    code: Callable[[Troubled, dict[str, Any]], str],
    *before: Callable[[Troubled], object],
    late: int = 0,
    times: int = 1,
) -> Ask:
    """Enter that code for a challenge that was open before these things happened; so late, and so many times."""

    def run(bench: Troubled, operation: Operation) -> TestResponse:
        challenge = bench.challenge()
        form = {"action": "enter"} if operation.path == api.PAGE else {}
        form |= {"challenge": challenge["id"], "code": code(bench, challenge)}
        for happens in before:
            happens(bench)
        bench.now += late
        changes: dict[str, Any] = {"data" if operation.path == api.PAGE else "json": form}
        return [ask(bench, operation, **changes) for _ in range(times)][-1]

    return run


def forged(bench: Troubled, operation: Operation) -> TestResponse:
    """Somebody changes a message on its way."""
    return ask(bench, operation, json=right_document(bench, operation) | {"signature": "00" * 64})


def copied(bench: Troubled, operation: Operation) -> TestResponse:
    """An earlier copy of the project speaks."""
    register(bench)
    body = Register(project="Sales", nodes=("another",), sequence=1, nonce="ff" * 16)
    return ask(bench, operation, json=seal_message(body, bench.member.private))


def verify(bench: Troubled) -> None:
    bench.verify()


def register(bench: Troubled) -> None:
    bench.verify()
    bench.member.register()


def fill(bench: Troubled) -> None:
    bench.verify()
    Member(bench, "a", "b", name="Another").register()


def renew(bench: Troubled) -> None:
    bench.challenge()


def lock(bench: Troubled) -> None:
    bench.lock()


def retire(bench: Troubled) -> None:
    bench.authorization.retire(bench.now)


def fall_behind(bench: Troubled) -> None:
    bench.behind = True


def malformed(bench: Troubled, operation: Operation) -> TestResponse:
    return ask(bench, operation, json={"challenge": "", "code": "12345"} if operation.path == api.CODES else {})


ANSWERED: Mapping[str, Ask] = {
    "Status": asked(),
    "NewChallenge": asked(),
    "Certificate": asked(verify),
    "Feedback": asked(register),
    "Release": asked(register),
    "Ended": asked(),
    "OpenApi": asked(),
    "Health": asked(),
    "accepted": entered(Troubled.right),
    "wrong": entered(Troubled.wrong),
    "locked": asked(lock),
    "expired": entered(Troubled.right, late=QR_VALID + 1),
    "superseded": entered(Troubled.right, renew),
    "consumed": entered(Troubled.right, times=2),
    "retired": asked(retire),
    "malformed": malformed,
    "not_authenticated": asked(),
    "maximum_reached": asked(fill),
    "fork": copied,
    "bad_signature": forged,
    "bad_request": asked(data="{", content_type="application/json"),
    "request_entity_too_large": asked(data=b"x" * 1_100_000, content_type="application/json"),
    "unsupported_media_type": asked(data="{}", content_type="text/plain"),
    "wrong_token": asked(headers={"Authorization": "Bearer " + "00" * 32}),
    "not_admin": asked(headers={}),
    "wrong_licence": asked(json={"licence": "ff" * 8}),
    "too_often": too_often,
    "clock_behind": asked(fall_behind),
    "damaged": asked(Troubled.damage),
    "storage": asked(Troubled.lose_the_disk),
    # The texts, by their statuses.
    "200": asked(),
    "303": asked(),
    "400": asked(data={"action": "guess"}),
    "403": asked(headers={"Sec-Fetch-Site": "cross-site"}),
    "410": entered(Troubled.right, renew),
    "413": asked(data={"action": "x" * 5000}),
    "422": entered(Troubled.wrong),
    "423": entered(Troubled.wrong, lock),
    "429": too_often,
    "503": asked(fall_behind),
}
BY_OPERATION: Mapping[tuple[str, str], Ask] = {("page", "429"): asked(crowded)}
"""Where it is another way."""


@pytest.mark.parametrize(
    ("operation", "status", "says"), ALL, ids=[f"{operation.name}-{status}-{says}" for operation, status, says in ALL]
)
def test_what_is_documented_is_answered(bench: Troubled, operation: Operation, status: int, says: str) -> None:
    response = BY_OPERATION.get((operation.name, says), ANSWERED[says])(bench, operation)
    assert response.status_code == status, response.text
    described = responses(operation)[str(status)]
    assert [response.mimetype] == list(described["content"])
    assert set(described["headers"]) <= set(response.headers.keys())
    SCHEMA[operation.path][operation.method].validate_response(response)
    if response.mimetype == "application/json" and says in {*REFUSALS, *JUDGED}:
        found: Any = response.json
        assert says in (found.get("judgement"), found.get("error", {}).get("code"))


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{api.API}/nowhere", 404, "not_found"),
        ("GET", f"{api.API}/", 404, "not_found"),
        ("DELETE", api.STATUS, 405, "method_not_allowed"),
        ("GET", api.BEATS, 405, "method_not_allowed"),
        ("POST", api.METRICS, 405, "method_not_allowed"),
    ],
)
def test_what_reaches_no_operation_has_the_same_shape(
    bench: Troubled, method: str, path: str, status: int, code: str
) -> None:
    response = bench.client.open(path, method=method)
    assert (response.status_code, response.mimetype) == (status, "application/json")
    assert response.json == failed(code)
    assert ("Allow" in response.headers) == (status == 405)


def test_a_fault_of_ours_has_the_same_shape_and_tells_nothing(bench: Troubled) -> None:
    app = bench.client.application
    app.testing = False
    app.add_url_rule(f"{api.API}/fault", view_func=lambda: str(1 // 0), endpoint="fault")
    response = bench.client.get(f"{api.API}/fault")
    assert response.status_code == 500
    assert response.json == {
        "error": {"code": "internal_server_error", "message": REFUSALS["internal_server_error"].words}
    }
