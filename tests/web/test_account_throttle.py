"""Guessing passwords costs time, whoever is guessed; those who have signed in before do not pay for it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash

from app import assemble
from tests.desk import FakeDesk
from tests.factories import an_account
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from tests.web.conftest import HOME, PASSWORD
from wizard.domain.person import Role
from wizard.domain.throttle import ADDRESS, NAME, PLACE
from wizard.steps import FLOW
from wizard.store import SqlAccounts, migrate

WRONG = "a wrong password"
QUICKLY = "pbkdf2:sha256:1"
"""A method of hashing, so that a test of many tries is done soon."""


@pytest.fixture
def eve(accounts: MemoryAccounts) -> str:
    """An account with a password; nobody has signed in with it yet."""
    hashed = generate_password_hash(PASSWORD, QUICKLY)
    accounts.add_account(an_account(name="eve", password_hash=hashed, role=Role.OBSERVER))
    return "eve"


def send(client: FlaskClient, name: str, password: str, address: str = "192.0.2.1") -> "tuple[int, str]":
    """The status, and the seconds to wait."""
    client.application.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/sign-in", data={"name": name, "password": password}, environ_base={"REMOTE_ADDR": address})
    return answer.status_code, answer.headers.get("Retry-After", "")


def spent(app: Flask, name: str, address: str = "192.0.2.1") -> FlaskClient:
    """Somebody at that address who has used up what is tolerated of that name."""
    client = app.test_client()
    for _ in range(6):
        assert send(client, name, WRONG, address) == (422, "")
    assert send(client, name, WRONG, address)[0] == 429
    return client


@pytest.mark.parametrize("name", ["eve", "nobody"])
def test_the_seventh_guess_waits_and_each_wait_is_twice_the_one_before(
    app: Flask, eve: str, desk: FakeDesk, name: str
) -> None:
    """An unknown name is throttled like a known one."""
    client = spent(app, name)
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        assert send(client, name, WRONG) == (429, str(seconds))
        desk.clock.advance(seconds=seconds - 0.001)
        assert send(client, name, WRONG) == (429, "1")
        desk.clock.advance(seconds=0.001)
        assert send(client, name, WRONG) == (422, "")


def test_what_comes_too_soon_is_not_looked_at_and_says_so(stranger: Visitor, eve: str, desk: FakeDesk) -> None:
    stranger.open("/sign-in")
    for _ in range(6):
        stranger.press("Sign in", name="eve", password=WRONG)
    stranger.press("Sign in", name="eve", password=PASSWORD)
    assert stranger.status == 429
    assert "Too many wrong passwords: this one was not looked at." in stranger.text
    assert "Try again in 30 s" in stranger.text
    desk.clock.advance(seconds=30)
    assert stranger.press("Sign in", name="eve", password=PASSWORD).status == 200


def test_the_right_password_forgives_the_wrong_ones_of_this_place(app: Flask, eve: str) -> None:
    client = app.test_client()
    for _ in range(3):
        for _ in range(5):
            assert send(client, eve, WRONG)[0] == 422
        assert send(client, eve, PASSWORD)[0] == 303


def test_a_guess_at_another_name_from_the_same_address_is_looked_at(app: Flask, eve: str) -> None:
    spent(app, "nobody")
    assert send(app.test_client(), eve, PASSWORD)[0] == 303


def test_a_guess_at_the_same_name_from_another_address_is_looked_at(app: Flask, eve: str) -> None:
    spent(app, eve)
    assert send(app.test_client(), eve, PASSWORD, "192.0.2.2")[0] == 303


def test_many_addresses_together_get_no_more_than_twenty_one_guesses_at_a_name(app: Flask, eve: str) -> None:
    client = app.test_client()
    outcomes = [send(client, eve, WRONG, f"192.0.2.{number}")[0] for number in range(60)]
    assert outcomes.count(422) == NAME.tolerated + 1
    assert send(client, eve, PASSWORD, "198.51.100.1")[0] == 429


def test_a_browser_that_has_signed_in_before_is_not_kept_out_by_strangers(app: Flask, eve: str) -> None:
    known = app.test_client()
    assert send(known, eve, PASSWORD)[0] == 303
    for number in range(60):
        send(app.test_client(), eve, WRONG, f"192.0.2.{number % 30}")
    assert send(app.test_client(), eve, PASSWORD)[0] == 429
    assert send(known, eve, PASSWORD)[0] == 303
    assert send(known, eve, PASSWORD, "198.51.100.9")[0] == 303


def test_a_browser_that_has_signed_in_before_is_throttled_by_its_own_guesses(app: Flask, eve: str) -> None:
    known = app.test_client()
    send(known, eve, PASSWORD)
    outcomes = [send(known, eve, WRONG, f"192.0.2.{number}")[0] for number in range(20)]
    assert outcomes.count(422) == PLACE.tolerated + 1
    assert send(known, "nobody", WRONG)[0] == 422


def test_a_known_browser_is_known_by_its_own_names_alone(app: Flask, eve: str, accounts: MemoryAccounts) -> None:
    accounts.add_account(an_account(name="zoe", password_hash=generate_password_hash(PASSWORD, QUICKLY)))
    known = app.test_client()
    send(known, eve, PASSWORD)
    for number in range(30):
        send(app.test_client(), "zoe", WRONG, f"192.0.2.{number}")
    assert send(known, "zoe", PASSWORD)[0] == 429


@pytest.mark.parametrize("made_up", ["", "x", "WyJhIixbImV2ZSJdXQ.x", "WyJhIixbImV2ZSJdXQ"])
def test_a_made_up_cookie_makes_no_known_browser(app: Flask, eve: str, made_up: str) -> None:
    spent(app, eve)
    client = app.test_client()
    client.set_cookie(f"{app.config['SESSION_COOKIE_NAME']}-device", made_up)
    assert send(client, eve, PASSWORD)[0] == 429


def test_one_address_with_ever_new_names_is_slowed_down_and_free_again_soon(
    app: Flask, eve: str, accounts: MemoryAccounts, desk: FakeDesk
) -> None:
    """Behind a proxy a whole company has one address: others of it wait ten seconds at most."""
    hashed = generate_password_hash(PASSWORD, QUICKLY)
    for number in range(105):
        accounts.add_account(an_account(name=f"name {number}", password_hash=hashed))
    client = app.test_client()
    outcomes = [send(client, f"name {number}", WRONG)[0] for number in range(105)]
    assert outcomes.count(422) == ADDRESS.tolerated + 1
    for number in range(3):
        desk.clock.advance(seconds=10)
        assert send(client, f"name {number}", WRONG) == (422, "")
    desk.clock.advance(seconds=10)
    assert send(app.test_client(), eve, PASSWORD)[0] == 303


def test_the_addresses_of_one_ipv6_network_count_as_one(app: Flask, eve: str) -> None:
    spent(app, eve, "2001:db8:1:2::1")
    assert send(app.test_client(), eve, PASSWORD, "2001:db8:1:2:ffff::2")[0] == 429
    assert send(app.test_client(), eve, PASSWORD, "2001:db8:1:3::1")[0] == 303


def test_a_forged_header_makes_no_other_address(app: Flask, eve: str) -> None:
    client = spent(app, eve)
    for number in range(5):
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        answer = client.post(
            "/sign-in",
            data={"name": eve, "password": WRONG},
            headers=headers,
            environ_base={"REMOTE_ADDR": "192.0.2.1"},
        )
        assert answer.status_code == 429


def test_fifty_guesses_at_once_over_a_database_are_six(tmp_path: Path, desk: FakeDesk) -> None:
    """Two replicas of one installation, and the right password is the last of the fifty."""
    url = f"sqlite:///{tmp_path}/wizard.sqlite"
    migrate(url)
    stores = [SqlAccounts(url), SqlAccounts(url)]
    stores[0].add_account(an_account(name="eve", password_hash=generate_password_hash(PASSWORD, QUICKLY)))
    replicas = [assemble(FLOW, desk.services, store, secret_key="one secret") for store in stores]
    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(lambda n: send(replicas[n % 2].test_client(), "eve", WRONG)[0], range(50)))
    assert (outcomes.count(422), outcomes.count(429)) == (6, 44)
    assert send(replicas[0].test_client(), "eve", PASSWORD)[0] == 429
    for store in stores:
        store.close()


def test_nothing_that_was_typed_is_kept(tmp_path: Path, desk: FakeDesk) -> None:
    """Some type their password where the name should be."""
    url = f"sqlite:///{tmp_path}/wizard.sqlite"
    migrate(url)
    store = SqlAccounts(url)
    send(assemble(FLOW, desk.services, store, secret_key="one secret").test_client(), "my secret password", "x")
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("wizard.sqlite*"))
    assert b"my secret password" not in kept
    assert b"192.0.2.1" not in kept


def test_signing_in_is_noted_and_shown(app: Flask, eve: str, accounts: MemoryAccounts, desk: FakeDesk) -> None:
    person = Visitor(InnerBrowser(app), HOME).open("/sign-in").press("Sign in", name=f"  {eve} ", password=PASSWORD)
    account = accounts.account(eve)
    assert account is not None
    assert account.signed_in_at == desk.now
    assert "2026-11-24 09:00 UTC" in person.open("/people").text
