"""Signing in."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.desk import FakeDesk
from tests.memory_store import MemoryAccounts
from tests.visitor import Visitor
from tests.web.conftest import TOKEN
from wizard.web.account import hashed, inside


def test_without_a_session_every_page_leads_to_signing_in(stranger: Visitor) -> None:
    assert stranger.open("/registrations/r1/upload").heading == "Sign in"
    assert "next=/registrations/r1/upload" in stranger.url


def test_the_first_link_lets_its_holder_choose_a_password(stranger: Visitor) -> None:
    assert stranger.open(f"/sign-in/{TOKEN}").heading == "Choose a password"
    stranger.press("Save and sign in", password="a long password", again="a long password")
    assert stranger.heading == "Bring a licence to life"


def test_looking_at_the_link_does_not_use_it_up(stranger: Visitor) -> None:
    for _ in range(3):
        assert stranger.open(f"/sign-in/{TOKEN}").heading == "Choose a password"


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", "short", "at least 10 characters"),
        ("a long password", "another password", "not the same"),
        ("", "", "at least 10 characters"),
    ],
)
def test_a_password_that_will_not_do_is_said_and_the_link_stays_good(
    stranger: Visitor, password: str, again: str, said: str
) -> None:
    stranger.open(f"/sign-in/{TOKEN}").press("Save and sign in", password=password, again=again)
    assert stranger.status == 422
    assert said in stranger.text
    stranger.press("Save and sign in", password="a long password", again="a long password")
    assert stranger.heading == "Bring a licence to life"


def test_a_link_works_once(visitor: Visitor) -> None:
    visitor.press("Sign out") if visitor.page.find("button", string="Sign out") else None
    assert "does not work any more" in visitor.open(f"/sign-in/{TOKEN}").text
    assert visitor.status == 404


def test_a_link_expires(stranger: Visitor, desk: FakeDesk) -> None:
    desk.clock.advance(hours=24, seconds=1)
    assert "does not work any more" in stranger.open(f"/sign-in/{TOKEN}").text


def test_a_later_link_signs_the_owner_in_without_a_password(
    visitor: Visitor, accounts: MemoryAccounts, desk: FakeDesk
) -> None:
    visitor.press("Sign out")
    accounts.add_link(hashed("another"), desk.now, desk.now + timedelta(hours=1))
    visitor.open("/sign-in/another").press("Sign in with this link")
    assert visitor.heading == "Bring a licence to life"


def test_a_password_signs_in_from_another_browser(another: Callable[[], Visitor]) -> None:
    assert another().heading == "Bring a licence to life"


@pytest.mark.parametrize(("name", "password"), [("admin", "wrong password"), ("nobody", "a long password")])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(visitor: Visitor, name: str, password: str) -> None:
    visitor.press("Sign out")
    visitor.press("Sign in", name=name, password=password)
    assert visitor.status == 422
    assert "do not belong together" in visitor.text


def test_signing_out_ends_the_session(visitor: Visitor) -> None:
    visitor.press("Sign out")
    assert visitor.open("/").heading == "Sign in"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", None, ""])
def test_signing_in_never_leads_elsewhere(target: str | None) -> None:
    assert inside(target) is None


def test_signing_in_goes_on_to_where_one_wanted_to_go() -> None:
    assert inside("/registrations/r1") == "/registrations/r1"
