"""R13 through the HTTP API: a person who can read the volume ends this instance, and names its licence in doing so."""

import json
from typing import Any, cast

import pytest

from tests.licensing.issuing import LICENCE
from tests.licensing.server.admin import Admin
from tests.licensing.server.bench import Bench, at_once
from tests.licensing.server.member import Member
from wizard.licensing.protocol import api
from wizard.licensing.protocol.messages import Retirement, open_message
from wizard.licensing.rules.limits import DAY


@pytest.fixture
def admin(bench: Bench) -> Admin:
    return Admin(bench)


def retire(admin: Admin) -> dict[str, Any]:
    response = admin.post(api.RETIREMENT, {"licence": LICENCE})
    assert response.status_code == 200, response.json
    return cast("dict[str, Any]", response.json)


def private_config(bench: Bench) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((bench.config / api.PRIVATE_CONFIG).read_bytes()))


def test_it_answers_with_a_statement_that_the_instance_has_signed(bench: Bench, admin: Admin) -> None:
    bench.challenge()
    answer = retire(admin)
    signing = bench.authorization.identity.signing.public_key().public_bytes_raw().hex()
    statement = open_message(Retirement, answer["statement"], signing).body
    assert (statement.licence, statement.instance) == (LICENCE, bench.status()["instance"])
    assert (statement.counter, statement.retired) == (1, bench.now)
    assert (answer["status"]["state"], answer["status"]["asker"]) == ("RETIRED", "admin")


def test_the_statement_is_in_the_private_config_that_is_mailed(bench: Bench, admin: Admin) -> None:
    assert private_config(bench)["retirement"] is None
    assert private_config(bench)["retirement"] != retire(admin)["statement"] == private_config(bench)["retirement"]


def test_asked_again_it_answers_the_same_also_after_a_restart(bench: Bench, admin: Admin) -> None:
    first = retire(admin)["statement"]
    bench.now += DAY
    assert retire(admin)["statement"] == first
    bench.restart(down=3 * DAY)
    assert retire(Admin(bench))["statement"] == first
    assert bench.state == "RETIRED"


def test_asked_by_eight_at_once_it_states_one_end(bench: Bench, admin: Admin) -> None:
    """Though each of them comes at a moment of its own."""
    statements: list[Any] = []

    def ask() -> None:
        bench.now += 1
        statements.append(retire(admin)["statement"])

    at_once(8, ask)
    assert len(statements) == 8
    assert statements == [private_config(bench)["retirement"]] * 8


def test_when_its_file_cannot_be_written_that_is_said(bench: Bench, admin: Admin) -> None:
    path = bench.config / api.PRIVATE_CONFIG
    path.unlink()
    path.mkdir()
    response = admin.post(api.RETIREMENT, {"licence": LICENCE})
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["error"]["code"] == "storage"
    path.rmdir()
    assert retire(admin)["status"]["state"] == "RETIRED"


def test_nothing_is_authorized_any_more(bench: Bench, admin: Admin) -> None:
    bench.verify()
    member = Member(bench)
    member.register()
    challenge = bench.challenge()
    retire(admin)
    assert [slot["state"] for slot in bench.status()["slots"]] == ["RELEASED"]
    assert member.beat() == "UNKNOWN"
    refused = [
        bench.enter(challenge, bench.right(challenge)),
        bench.post(api.CHALLENGES, {}),
        Member(bench).try_to_register(),
    ]
    assert [response.status_code for response in refused] == [410, 410, 410]


def test_a_stranger_cannot_retire_it(bench: Bench) -> None:
    response = bench.post(api.RETIREMENT, {"licence": LICENCE})
    assert response.status_code == 401
    assert response.json is not None
    assert response.json["error"]["code"] == "not_admin"
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert bench.state == "UNAUTHENTICATED"


def test_who_names_another_licence_ends_nothing(bench: Bench, admin: Admin) -> None:
    response = admin.post(api.RETIREMENT, {"licence": "ffeeddccbbaa9988"})
    assert response.status_code == 422
    assert response.json is not None
    assert response.json["error"]["code"] == "wrong_licence"
    assert bench.state == "UNAUTHENTICATED"


@pytest.mark.parametrize("document", [{}, {"licence": 7}, {"licence": LICENCE, "force": "yes"}, []])
def test_what_names_no_licence_ends_nothing(bench: Bench, admin: Admin, document: object) -> None:
    assert admin.post(api.RETIREMENT, document).status_code == 400
    assert bench.state == "UNAUTHENTICATED"


def test_the_page_says_that_it_has_ended(bench: Bench, admin: Admin) -> None:
    retire(admin)
    response = bench.client.get(api.PAGE)
    assert (response.status_code, "<h1>Retired</h1>" in response.text) == (200, True)
    assert "<form" not in response.text
