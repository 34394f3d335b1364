"""Who asks: whoever shows the token is the admin, and shares nothing with strangers but the state."""

import stat
from pathlib import Path

import pytest

from tests.licensing.server.admin import Admin
from tests.licensing.server.bench import Bench
from wizard.licensing.protocol import api
from wizard.licensing.rules.instance import Asker
from wizard.licensing.rules.limits import LOCK
from wizard.licensing.server.askers import Visitor, WrongToken, recognise

TOKEN = "ab" * 32


@pytest.fixture
def admin(bench: Bench) -> Admin:
    return Admin(bench)


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer  {TOKEN} "])
def test_the_token_makes_an_admin_wherever_it_comes_from(header: str) -> None:
    assert recognise(header, "192.0.2.1", TOKEN) == recognise(header, "192.0.2.2", TOKEN) == Visitor(Asker.ADMIN)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}0", f"Bearer {TOKEN.upper()}", f"Basic {TOKEN}", TOKEN, "é"],
)
def test_anything_else_that_is_shown_is_refused(header: str) -> None:
    with pytest.raises(WrongToken):
        recognise(header, "192.0.2.1", TOKEN)


def test_whoever_shows_nothing_is_a_stranger_at_an_address() -> None:
    assert recognise(None, "192.0.2.1", TOKEN) == Visitor(Asker.ANONYMOUS, "192.0.2.1")
    assert recognise(None, None, TOKEN) == Visitor(Asker.ANONYMOUS)


def test_the_token_can_be_read_by_the_owner_of_the_volume_only(bench: Bench) -> None:
    path = bench.config / api.ENTRY_TOKEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == f"{bench.authorization.identity.token}\n"
    assert path.read_text().strip() not in (bench.config / api.PRIVATE_CONFIG).read_text()


def test_the_token_outlives_restarts_and_is_another_one_for_another_instance(bench: Bench, tmp_path: Path) -> None:
    token = bench.authorization.identity.token
    bench.restart()
    assert bench.authorization.identity.token == token
    other = Bench(tmp_path / "other")
    assert other.authorization.identity.token != token
    other.kill()


@pytest.mark.parametrize("path", [api.CHALLENGES, api.CODES, api.RETIREMENT, api.STATUS])
def test_a_wrong_token_is_refused_and_nothing_is_done(bench: Bench, path: str) -> None:
    method = "GET" if path == api.STATUS else "POST"
    wrong = {"Authorization": "Bearer " + "00" * 32}
    response = bench.client.open(path, method=method, json=None if method == "GET" else {}, headers=wrong)
    assert response.status_code == 401
    assert response.json is not None
    assert response.json["error"]["code"] == "wrong_token"
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert bench.status()["challenge"] is None


def test_a_stranger_who_guesses_locks_out_strangers_and_not_the_admin(bench: Bench, admin: Admin) -> None:
    bench.lock()
    assert (bench.status()["locked_ms"], bench.status()["tries_left"]) == (LOCK, 0)
    assert (admin.status()["locked_ms"], admin.status()["tries_left"]) == (None, 6)
    challenge = admin.challenge()
    assert admin.judge(challenge, bench.right(challenge)) == "accepted"
    assert bench.state == "VERIFIED"


def test_an_admin_who_mistypes_does_not_lock_the_page(bench: Bench, admin: Admin) -> None:
    challenge = admin.challenge()
    assert [admin.judge(challenge, bench.wrong(challenge)) for _ in range(6)] == ["wrong"] * 5 + ["locked"]
    assert (admin.status()["locked_ms"], bench.status()["locked_ms"]) == (LOCK, None)
    bench.verify()


def test_a_stranger_who_refreshes_does_not_void_the_qr_of_the_admin(bench: Bench, admin: Admin) -> None:
    mine, theirs = admin.challenge(), bench.challenge()
    assert (admin.status()["challenge"]["id"], bench.status()["challenge"]["id"]) == (mine["id"], theirs["id"])
    assert admin.judge(mine, bench.right(mine)) == "accepted"


def test_the_code_for_one_asker_is_none_for_the_other(bench: Bench, admin: Admin) -> None:
    mine, theirs = admin.challenge(), bench.challenge()
    assert bench.judge(mine, bench.right(mine)) == "superseded"
    assert admin.judge(theirs, bench.right(theirs)) == "superseded"
    assert (bench.status()["tries_left"], admin.status()["tries_left"]) == (6, 6)


def test_a_stranger_never_sees_the_qr_of_the_admin(bench: Bench, admin: Admin) -> None:
    challenge = admin.challenge()
    assert bench.status()["challenge"] is None
    assert challenge["url"] not in bench.client.get(api.PAGE).text


def test_the_page_is_a_strangers_whatever_its_browser_shows(bench: Bench, admin: Admin) -> None:
    challenge = admin.challenge()
    assert challenge["url"] not in bench.client.get(api.PAGE, headers=admin.headers).text
    form = {"action": "enter", "challenge": challenge["id"], "code": bench.right(challenge)}
    assert bench.client.post(api.PAGE, data=form, headers=admin.headers).status_code == 410


def test_strangers_cannot_use_up_the_admins_rate(bench: Bench, admin: Admin) -> None:
    statuses = [
        bench.client.post(api.CHALLENGES, json={}, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"}).status_code
        for number in range(130)
    ]
    assert (statuses.count(201), statuses[-1]) == (120, 429)
    assert admin.post(api.CHALLENGES, {}).status_code == 201


def test_the_status_says_for_whom_it_is(bench: Bench, admin: Admin) -> None:
    assert (bench.status()["asker"], admin.status()["asker"]) == ("anonymous", "admin")
