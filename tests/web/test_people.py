"""Who has an account, who is invited, and who may change that."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from app import assemble
from tests.desk import FakeDesk
from tests.factories import an_account
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from tests.web.conftest import HOME, PASSWORD
from wizard.domain.person import Role
from wizard.steps import FLOW
from wizard.web.account import Entrance

MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def observer(app: Flask, visitor: Visitor, accounts: MemoryAccounts) -> Visitor:
    hashed = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
    accounts.add_account(an_account(name="eve", password_hash=hashed, role=Role.OBSERVER))
    return Visitor(InnerBrowser(app), HOME).open("/sign-in").press("Sign in", name="eve", password=PASSWORD)


@pytest.fixture
def guest(app: Flask) -> Visitor:
    """Whoever got the link."""
    return Visitor(InnerBrowser(app), HOME)


def invite(admin: Visitor, role: str = "observer") -> str:
    """The path of the link."""
    admin.open("/people").press("Make a link", role=role)
    return urlsplit(admin.one("#invitation").get_text()).path


def join(guest: Visitor, link: str, name: str = "zoe") -> Visitor:
    return guest.open(link).press("Save and sign in", name=name, password=PASSWORD, again=PASSWORD)


@pytest.mark.parametrize("role", list(Role))
def test_an_invitation_makes_an_account_of_the_role_it_says(
    visitor: Visitor, guest: Visitor, accounts: MemoryAccounts, role: Role
) -> None:
    assert f"has invited you as {role}" in guest.open(invite(visitor, role)).text
    assert join(guest, guest.url).heading == "Bring a licence to life"
    account = accounts.account("zoe")
    assert account is not None
    assert account.role is role
    assert (guest.open("/people").page.find("button", string="Make a link") is not None) is (role is Role.ADMIN)


def test_the_role_of_an_invitation_cannot_be_talked_up(
    visitor: Visitor, guest: Visitor, accounts: MemoryAccounts
) -> None:
    guest.open(invite(visitor)).press(
        "Save and sign in", name="zoe", password=PASSWORD, again=PASSWORD, role="admin", epoch="9"
    )
    account = accounts.account("zoe")
    assert account is not None
    assert (account.role, account.epoch) == (Role.OBSERVER, 1)


def test_an_invitation_works_once(app: Flask, visitor: Visitor, guest: Visitor) -> None:
    link = invite(visitor)
    join(guest, link)
    other = Visitor(InnerBrowser(app), HOME).open(link)
    assert (other.status, other.heading) == (404, "This invitation does not work any more.")


def test_looking_at_an_invitation_does_not_use_it_up(visitor: Visitor, guest: Visitor) -> None:
    link = invite(visitor)
    for _ in range(3):
        assert guest.open(link).heading == "Choose a password"


def test_an_invitation_is_good_for_three_days_and_no_longer(visitor: Visitor, guest: Visitor, desk: FakeDesk) -> None:
    link = invite(visitor)
    desk.clock.advance(hours=72)
    assert guest.open(link).heading == "Choose a password"
    desk.clock.advance(seconds=MOMENT.total_seconds())
    guest.press("Save and sign in", name="zoe", password=PASSWORD, again=PASSWORD)
    assert guest.status == 404


def test_a_revoked_invitation_lets_nobody_in(visitor: Visitor, guest: Visitor) -> None:
    guest.open(invite(visitor))
    assert "ends in 72 h 0 min" in visitor.open("/people").text
    assert "The invitation was revoked" in visitor.press("Revoke").text
    assert "Open invitations" not in visitor.text
    guest.press("Save and sign in", name="zoe", password=PASSWORD, again=PASSWORD)
    assert (guest.status, guest.heading) == (404, "This invitation does not work any more.")


def test_an_invitation_of_who_is_no_admin_any_more_lets_nobody_in(visitor: Visitor, guest: Visitor) -> None:
    join(guest, invite(visitor, "admin"))
    link = invite(guest, "admin")
    visitor.open("/people").press("Make an observer zoe", name="zoe")
    assert guest.open(link).status == 404


def test_a_name_that_is_taken_is_said_and_the_invitation_stays_open(visitor: Visitor, guest: Visitor) -> None:
    join(guest, invite(visitor), "admin")
    assert guest.status == 422
    assert "There is already an account" in guest.text
    assert join(guest, guest.url).heading == "Bring a licence to life"


@pytest.mark.parametrize("name", ["", "   ", "z\x00e", "z\u202eoe", "z\noe", "z" * 65])
def test_a_name_that_nobody_can_read_is_refused(visitor: Visitor, guest: Visitor, name: str) -> None:
    assert join(guest, invite(visitor), name).status == 422


def test_the_link_begins_with_what_is_set(desk: FakeDesk, accounts: MemoryAccounts, visitor: Visitor) -> None:
    entrance = Entrance(url="http://wizard.example:8000")
    app = assemble(FLOW, desk.services, accounts, secret_key="another secret", entrance=entrance)
    person = Visitor(InnerBrowser(app), HOME).open("/sign-in")
    person.press("Sign in", name="admin", password=PASSWORD).open("/people").press("Make a link")
    assert person.one("#invitation").get_text().startswith("http://wizard.example:8000/join/")


def test_the_secret_of_an_invitation_is_neither_kept_nor_shown_again(
    visitor: Visitor, accounts: MemoryAccounts, desk: FakeDesk
) -> None:
    secret = invite(visitor).rpartition("/")[2]
    assert secret not in str(accounts.invitations(desk.now))
    assert secret not in str(visitor.open("/people").page)


def test_an_observer_sees_the_list_and_nothing_to_press(visitor: Visitor, observer: Visitor) -> None:
    invite(visitor)
    observer.open("/people")
    assert observer.has("admin")
    assert observer.has("eve")
    assert not observer.page.select("main form, main a")
    assert not observer.has("Open invitations")
    assert observer.open("/people/removal?name=admin").status == 403


@pytest.mark.parametrize(
    "path", ["/people/invitations", "/people/role", "/people/removal", "/people/invitations/revoke"]
)
def test_an_observer_changes_nobody(observer: Visitor, accounts: MemoryAccounts, path: str) -> None:
    token = str(observer.open("/people").one("input[name=csrf_token]")["value"])
    answer = observer.browser.post(path, {"csrf_token": token, "name": "eve", "role": "admin"})
    assert answer.status == 403
    assert [(it.name, it.role) for it in accounts.accounts()] == [("admin", "admin"), ("eve", "observer")]


@pytest.mark.parametrize("path", ["/people", "/people/removal?name=admin", "/account", "/account/standing"])
def test_strangers_see_none_of_it(stranger: Visitor, path: str) -> None:
    assert stranger.open(path).heading == "Sign in"


def test_the_only_admin_is_neither_demoted_nor_removed(
    visitor: Visitor, observer: Visitor, accounts: MemoryAccounts
) -> None:
    assert "the only admin: stays one" in visitor.open("/people").text
    token = str(visitor.one("input[name=csrf_token]")["value"])
    for path in ("/people/role", "/people/removal"):
        answer = visitor.browser.post(path, {"csrf_token": token, "name": "admin", "role": "observer"})
        assert answer.status == 422
        assert "admin is the only admin" in answer.text
    owner = accounts.owner()
    assert owner is not None
    assert owner.name == "admin"


def test_a_role_counts_from_the_next_click_on(visitor: Visitor, observer: Visitor) -> None:
    assert "The role was changed" in visitor.open("/people").press("Make an admin eve").text
    assert observer.open("/").press("Register a project").status == 200
    visitor.press("Make an observer eve", name="eve")
    assert observer.open("/people").page.find("button", string="Make a link") is None


@pytest.mark.parametrize("role", ["", "root", "Admin"])
def test_a_role_that_there_is_not_is_refused(visitor: Visitor, observer: Visitor, role: str) -> None:
    visitor.open("/people").press("Make an admin eve", role=role)
    assert visitor.status == 422


def test_who_is_removed_is_signed_out_and_cannot_come_back(
    visitor: Visitor, observer: Visitor, accounts: MemoryAccounts
) -> None:
    visitor.open("/people").follow("Remove eve")
    assert "Every browser that is signed in with it is signed out at once." in visitor.text
    assert accounts.account("eve") is not None
    assert "The account was removed" in visitor.press("Remove eve").text
    assert observer.open("/nodes").heading == "Sign in"
    assert observer.press("Sign in", name="eve", password=PASSWORD).status == 422


def test_who_gets_the_name_of_one_who_was_removed_does_not_get_the_sessions(
    visitor: Visitor, observer: Visitor, guest: Visitor
) -> None:
    visitor.open("/people").follow("Remove eve").press("Remove eve")
    join(guest, invite(visitor), "eve")
    assert guest.open("/nodes").heading == "Nodes"
    assert observer.open("/nodes").heading == "Sign in"


def test_an_admin_may_go_when_another_one_stays(app: Flask, visitor: Visitor, guest: Visitor) -> None:
    join(guest, invite(visitor, "admin"))
    visitor.open("/people").follow("Remove admin").press("Remove admin")
    assert visitor.heading == "Sign in"
    assert "Your account was removed" in visitor.text
    assert guest.open("/people").heading == "People"


def test_to_remove_one_who_is_gone_is_said(visitor: Visitor, observer: Visitor) -> None:
    visitor.open("/people/removal?name=eve")
    visitor.press("Remove eve")
    assert visitor.open("/people/removal?name=eve").status == 404


def test_each_name_is_shown_as_it_is_and_never_as_markup(
    visitor: Visitor, guest: Visitor, another: Callable[[], Visitor]
) -> None:
    name = "<img src=x onerror=alert(1)>'\"&{{7*7}}/../"
    join(guest, invite(visitor), name)
    visitor.open("/people")
    assert not visitor.page.select("main img")
    assert visitor.page.find("th", string=name) is not None
    assert visitor.follow(f"Remove {name}").heading == f"Remove {name}"
    visitor.press(f"Remove {name}")
    assert name not in visitor.text


def test_a_link_page_tells_other_sites_no_more_than_its_origin(visitor: Visitor, guest: Visitor) -> None:
    assert isinstance(guest.browser, InnerBrowser)
    assert guest.browser.client.get(invite(visitor)).headers["Referrer-Policy"] == "origin"
