"""The application over fakes, and people who visit it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from app import assemble
from tests.desk import FakeDesk
from tests.factories import an_account
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from wizard.steps import FLOW
from wizard.web.account import hashed

HOME = "http://localhost/"
TOKEN = "a-token-of-a-one-time-link"
PASSWORD = "a long password"


@pytest.fixture
def desk(tmp_path: Path) -> FakeDesk:
    return FakeDesk.in_folder(tmp_path)


@pytest.fixture
def accounts(desk: FakeDesk) -> MemoryAccounts:
    accounts = MemoryAccounts()
    accounts.add_link(hashed(TOKEN), desk.now, desk.now + timedelta(hours=24))
    return accounts


@pytest.fixture
def app(desk: FakeDesk, accounts: MemoryAccounts) -> Flask:
    app = assemble(FLOW, desk.services, accounts, secret_key="a secret for tests", demonstration_image="/demo.tar")
    app.testing = True
    return app


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """Someone who has not signed in."""
    return Visitor(InnerBrowser(app), HOME)


@pytest.fixture
def visitor(stranger: Visitor) -> Visitor:
    """The admin, who has used the link and chosen a password."""
    stranger.open(f"/sign-in/{TOKEN}")
    return stranger.press("Save and sign in", password="a long password", again="a long password")


@pytest.fixture
def somebody(app: Flask, accounts: MemoryAccounts) -> Callable[[str], Visitor]:
    """An admin of that name, in a browser of their own."""
    password_hash = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")

    def sign_in(name: str) -> Visitor:
        if accounts.account(name) is None:
            accounts.add_account(an_account(name=name, password_hash=password_hash))
        return Visitor(InnerBrowser(app), HOME).open("/sign-in").press("Sign in", name=name, password=PASSWORD)

    return sign_in


@pytest.fixture
def another(app: Flask, visitor: Visitor) -> Callable[[], Visitor]:
    """More browsers, in which the same admin signs in by password."""

    def sign_in() -> Visitor:
        other = Visitor(InnerBrowser(app), HOME).open("/sign-in")
        return other.press("Sign in", name="admin", password="a long password")

    return sign_in
