"""What somebody may do who was let in, whatever the way they came by."""

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from tests.desk import FakeDesk
from tests.factories import an_account
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from tests.web.conftest import HOME
from wizard.domain.person import Role

PASSWORD = "a long password"


@pytest.fixture
def observer(app: Flask, visitor: Visitor, accounts: MemoryAccounts) -> Visitor:
    """Somebody beside the admin, who may look."""
    hashed = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
    accounts.add_account(an_account(name="eve", password_hash=hashed, role=Role.OBSERVER))
    return Visitor(InnerBrowser(app), HOME).open("/sign-in").press("Sign in", name="eve", password=PASSWORD)


def test_an_observer_sees_every_page_and_changes_nothing(visitor: Visitor, observer: Visitor, desk: FakeDesk) -> None:
    address = visitor.press("Register a project").url
    assert observer.open(address).heading == visitor.heading
    token = str(observer.one("[name=csrf_token]")["value"])
    refused = observer.browser.post(address, {"csrf_token": token})
    assert refused.status == 403
    assert "You can look at everything here, and change nothing." in refused.text
    assert [registration.version for registration in desk.services.store.registrations()] == [1]


def test_an_observer_may_sign_out(observer: Visitor) -> None:
    assert observer.press("Sign out").heading == "Sign in"


def test_another_browser_of_the_admin_may_do_all(another: Callable[[], Visitor]) -> None:
    assert another().press("Register a project").status == 200
