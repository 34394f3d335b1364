"""How long one stays signed in, and what a session is worth afterwards."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash

from app import assemble
from tests.desk import FakeDesk
from tests.factories import a_registration, an_account
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from tests.web.conftest import HOME, PASSWORD, TOKEN
from wizard.domain.person import Role
from wizard.domain.session import SessionLimits
from wizard.steps import FLOW
from wizard.web.account import Entrance

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
MOMENT = timedelta(milliseconds=1)
POLL = {"HX-Request": "true", "HX-Current-URL": "http://localhost/nodes"}


def client(visitor: Visitor) -> FlaskClient:
    assert isinstance(visitor.browser, InnerBrowser)
    return visitor.browser.client


def cookie(visitor: Visitor) -> str:
    found = client(visitor).get_cookie(name(visitor))
    assert found is not None
    return found.value


def name(visitor: Visitor) -> str:
    return str(client(visitor).application.config["SESSION_COOKIE_NAME"])


def with_cookie(visitor: Visitor, value: str) -> Visitor:
    """Somebody else who got hold of the cookie."""
    other = Visitor(InnerBrowser(client(visitor).application), HOME)
    client(other).set_cookie(name(visitor), value)
    return other


def test_without_a_click_it_ends_after_half_an_hour_and_not_before(visitor: Visitor, desk: FakeDesk) -> None:
    desk.clock.advance(seconds=IDLE.total_seconds())
    assert visitor.open("/nodes").heading == "Nodes"
    desk.clock.advance(seconds=(IDLE + MOMENT).total_seconds())
    assert visitor.open("/nodes").heading == "Sign in"
    assert "You were signed out after 30 minutes without a click. Nothing was lost." in visitor.text


def test_with_clicks_it_ends_after_twelve_hours_and_not_before(visitor: Visitor, desk: FakeDesk) -> None:
    for _ in range(24):
        desk.clock.advance(minutes=30)
        assert visitor.open("/nodes").heading == "Nodes"
    desk.clock.advance(seconds=MOMENT.total_seconds())
    assert visitor.open("/nodes").heading == "Sign in"
    assert "as 12 hours had passed since you signed in" in visitor.text


def test_who_signs_in_again_is_back_where_they_were(visitor: Visitor, desk: FakeDesk) -> None:
    desk.clock.advance(minutes=31)
    visitor.open("/people?sorted=yes")
    assert "You will be back where you were." in visitor.text
    visitor.press("Sign in", name="admin", password=PASSWORD)
    assert (visitor.heading, visitor.url) == ("People", "http://localhost/people?sorted=yes")


def test_what_a_form_has_sent_leads_back_to_its_page(visitor: Visitor, desk: FakeDesk) -> None:
    desk.clock.advance(minutes=31)
    answer = client(visitor).post("/registrations", headers={"Referer": "http://localhost/nodes"})
    assert answer.headers["Location"] == "/sign-in?next=/nodes"
    answer = client(visitor).post("/registrations", headers={"Referer": "http://evil.example/nodes"})
    assert answer.headers["Location"] == "/sign-in"


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(visitor: Visitor, desk: FakeDesk) -> None:
    for _ in range(6):
        desk.clock.advance(minutes=5)
        assert client(visitor).get("/nodes", headers=POLL).status_code == 200
        assert client(visitor).get("/account/standing").status_code == 204
    desk.clock.advance(seconds=1)
    answer = client(visitor).get("/nodes", headers=POLL)
    assert (answer.status_code, answer.headers["Session-Left"]) == (204, "0, 0")
    assert "HX-Redirect" not in answer.headers


def test_a_page_of_a_browser_that_was_never_signed_in_is_sent_to_the_door(stranger: Visitor) -> None:
    answer = client(stranger).get("/nodes", headers=POLL)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in?next=/nodes")


def test_a_button_that_htmx_sends_is_a_click(visitor: Visitor, desk: FakeDesk) -> None:
    visitor.press("Register a project")
    token = str(visitor.one("input[name=csrf_token]")["value"])
    for _ in range(3):
        desk.clock.advance(minutes=29)
        client(visitor).post("/registrations", data={"csrf_token": token}, headers=POLL)
    assert visitor.open("/nodes").heading == "Nodes"


def test_each_answer_tells_how_long_it_goes_on(visitor: Visitor, desk: FakeDesk) -> None:
    desk.clock.advance(minutes=10)
    told = client(visitor).get("/account/standing").headers["Session-Left"]
    assert told == f"{20 * 60_000}, {(11 * 60 + 50) * 60_000}"


def test_one_click_renews_it(visitor: Visitor, desk: FakeDesk) -> None:
    desk.clock.advance(minutes=29)
    visitor.open("/nodes")
    desk.clock.advance(minutes=29)
    token = str(visitor.one("#ending input[name=csrf_token]")["value"])
    answer = client(visitor).post("/account/stay", data={"csrf_token": token})
    assert answer.status_code == 204
    assert answer.headers["Session-Left"].startswith(f"{30 * 60_000}, ")
    desk.clock.advance(minutes=29)
    assert visitor.open("/nodes").heading == "Nodes"


def test_the_page_holds_a_warning_that_a_script_can_show_two_minutes_before(visitor: Visitor) -> None:
    ending = visitor.one("#ending[hidden]")
    assert ending["data-before"] == "120000"
    assert ending["data-left"] == f"{30 * 60_000} {12 * 60 * 60_000}"
    assert ending.find("button", string="Stay signed in")


def test_an_upload_goes_on_without_a_click_but_not_for_ever(visitor: Visitor, desk: FakeDesk) -> None:
    registration = desk.store.save(a_registration())
    visitor.open(f"/registrations/{registration.id}/upload")
    headers = {"X-CSRFToken": str(visitor.one("[name=csrf_token]")["value"]), "Tus-Resumable": "1.0.0"}
    upload = client(visitor).post("/uploads/", headers=headers | {"Upload-Length": "9"}).headers["Location"]
    desk.clock.advance(hours=11)
    piece = headers | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    assert client(visitor).patch(upload, data=b"123", headers=piece).status_code == 204
    assert client(visitor).post("/uploads/", headers=headers | {"Upload-Length": "9"}).status_code == 401
    assert visitor.open("/nodes").heading == "Sign in"
    desk.clock.advance(hours=1, seconds=1)
    assert client(visitor).head(upload, headers=headers).status_code == 401


def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out(visitor: Visitor) -> None:
    thief = with_cookie(visitor, cookie(visitor))
    assert thief.open("/nodes").heading == "Nodes"
    copy = cookie(visitor)
    visitor.press("Sign out")
    assert with_cookie(visitor, copy).open("/nodes").heading == "Sign in"
    assert thief.open("/nodes").heading == "Sign in"


def test_signing_in_begins_a_session_that_nobody_knew_before(stranger: Visitor, desk: FakeDesk) -> None:
    """Session fixation: what an attacker has put into the browser beforehand is worth nothing."""
    stranger.open(f"/sign-in/{TOKEN}")
    planted, token = cookie(stranger), str(stranger.one("input[name=csrf_token]")["value"])
    stranger.press("Save and sign in", password=PASSWORD, again=PASSWORD)
    assert with_cookie(stranger, planted).open("/nodes").heading == "Sign in"
    assert str(stranger.one("input[name=csrf_token]")["value"]) != token
    before = cookie(stranger)
    stranger.open("/sign-in").press("Sign in", name="admin", password=PASSWORD)
    assert stranger.open("/nodes").heading == "Nodes"
    assert with_cookie(stranger, before).open("/nodes").heading == "Sign in"


def test_signing_out_everywhere_ends_every_session(visitor: Visitor, another: Callable[[], Visitor]) -> None:
    other = another()
    visitor.open("/account").press("Sign out everywhere")
    assert "You are signed out in every browser, this one included." in visitor.text
    assert visitor.open("/nodes").heading == "Sign in"
    assert other.open("/nodes").heading == "Sign in"
    assert "You were signed out from elsewhere" in other.text
    assert other.press("Sign in", name="admin", password=PASSWORD).heading == "Nodes"


def test_a_new_password_ends_every_session_but_this_one(visitor: Visitor, another: Callable[[], Visitor]) -> None:
    other, copy = another(), cookie(visitor)
    new = "another password"
    visitor.open("/account").press("Change the password", current=PASSWORD, password=new, again=new)
    assert "The password was changed." in visitor.text
    assert visitor.open("/nodes").heading == "Nodes"
    assert with_cookie(visitor, copy).open("/nodes").heading == "Sign in"
    assert other.open("/nodes").heading == "Sign in"
    assert other.press("Sign in", name="admin", password=PASSWORD).status == 422
    assert other.press("Sign in", name="admin", password=new).heading == "Nodes"


@pytest.mark.parametrize(
    ("current", "password", "again", "said"),
    [
        ("wrong password", "a new password", "a new password", "not the password that you have now"),
        ("", "a new password", "a new password", "that you have now"),
        (PASSWORD, "short", "short", "at least 10 characters"),
        (PASSWORD, "a new password", "an old password", "not the same"),
    ],
)
def test_a_password_is_not_changed(visitor: Visitor, current: str, password: str, again: str, said: str) -> None:
    visitor.open("/account").press("Change the password", current=current, password=password, again=again)
    assert visitor.status == 422
    assert said in visitor.text
    assert visitor.open("/account").status == 200


def test_whoever_finds_a_session_cannot_try_passwords_at_will(visitor: Visitor) -> None:
    new = "another password"
    visitor.open("/account")
    for _ in range(6):
        visitor.press("Change the password", current="wrong password", password=new, again=new)
        assert visitor.status == 422
    visitor.press("Change the password", current=PASSWORD, password=new, again=new)
    assert visitor.status == 429


def test_a_cookie_that_nobody_signed_is_nobodys(visitor: Visitor) -> None:
    head, _, tail = cookie(visitor).partition(".")
    for forged in ("", "x", f"{head}.", f"{head}x.{tail}", f"{head}.{tail[:-2]}xx"):
        assert with_cookie(visitor, forged).open("/nodes").heading == "Sign in"


@pytest.fixture
def elsewhere(desk: FakeDesk, accounts: MemoryAccounts) -> Callable[..., Flask]:
    """Other installations, over the same fakes."""

    def make(key: str = "another secret", **entrance: object) -> Flask:
        return assemble(
            FLOW,
            desk.services,
            accounts,
            secret_key=key,
            entrance=Entrance(**entrance),  # type: ignore[arg-type]
        )

    return make


def test_two_installations_on_one_host_leave_each_others_cookies_alone(
    app: Flask, elsewhere: Callable[..., Flask]
) -> None:
    """Cookies know no ports (RFC 6265, 8.5)."""
    names = {each.config["SESSION_COOKIE_NAME"] for each in (app, elsewhere("another secret"), elsewhere("a third"))}
    assert len(names) == 3
    assert all(name.startswith("wizard-") and len(name) == 15 for name in names)
    assert elsewhere("another secret").config["SESSION_COOKIE_NAME"] in names


@pytest.mark.parametrize(
    ("entrance", "headers", "is_secure"),
    [
        ({}, {}, False),
        ({}, {"X-Forwarded-Proto": "https"}, False),
        ({"url": "https://wizard.example"}, {}, True),
        ({"url": "http://wizard.example"}, {}, False),
    ],
)
def test_a_cookie_is_secure_where_the_wizard_is_served_by_https(
    elsewhere: Callable[..., Flask], entrance: dict[str, object], headers: dict[str, str], is_secure: bool
) -> None:
    sent = elsewhere(**entrance).test_client().get("/sign-in", headers=headers).headers["Set-Cookie"]
    assert ("Secure" in sent) is is_secure
    assert "HttpOnly" in sent
    assert "SameSite=Lax" in sent
    by_https = elsewhere(**entrance).test_client().get("/sign-in", base_url="https://localhost").headers["Set-Cookie"]
    assert "Secure" in by_https


def test_both_limits_can_be_set(elsewhere: Callable[..., Flask], desk: FakeDesk) -> None:
    limits = SessionLimits(idle=timedelta(minutes=5), absolute=timedelta(hours=1))
    person = Visitor(InnerBrowser(elsewhere(limits=limits)), HOME).open(f"/sign-in/{TOKEN}")
    person.press("Save and sign in", password=PASSWORD, again=PASSWORD)
    desk.clock.advance(minutes=5, seconds=1)
    assert "after 5 minutes without a click" in person.open("/nodes").text
    person.press("Sign in", name="admin", password=PASSWORD)
    for _ in range(12):
        desk.clock.advance(minutes=5)
        assert person.open("/nodes").heading == "Nodes"
    desk.clock.advance(seconds=1)
    assert "as 1 hours had passed" in person.open("/nodes").text


def test_an_observer_may_change_a_password_of_their_own(app: Flask, visitor: Visitor, accounts: MemoryAccounts) -> None:
    hashed = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
    accounts.add_account(an_account(name="eve", password_hash=hashed, role=Role.OBSERVER))
    person = Visitor(InnerBrowser(app), HOME).open("/sign-in").press("Sign in", name="eve", password=PASSWORD)
    new = "another password"
    person.open("/account").press("Change the password", current=PASSWORD, password=new, again=new)
    assert "The password was changed." in person.text
    assert visitor.open("/nodes").heading == "Nodes"
