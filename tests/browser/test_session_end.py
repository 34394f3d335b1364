"""Before a session ends the page says so, and one press renews it (WCAG 2.2, 2.2.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app import assemble
from tests.browser.uploading import UNBOUNDED, percent, place, send
from tests.browsing import served
from tests.desk import FakeDesk
from tests.memory_store import MemoryAccounts
from wizard.steps import FLOW
from wizard.web.account import hashed

TOKEN, PASSWORD = "token", "a long password"


@dataclass
class Visit:
    """An admin who has just signed in. The browser and the wizard have one clock, which stands still in between."""

    page: Page
    url: str
    desk: FakeDesk

    def wait(self, **time: float) -> None:
        self.desk.clock.advance(**time)
        self.page.clock.fast_forward(timedelta(**time) // timedelta(milliseconds=1))


@pytest.fixture
def visit(context: BrowserContext, tmp_path: Path) -> Iterator[Visit]:
    desk, accounts = FakeDesk.in_folder(tmp_path), MemoryAccounts()
    accounts.add_link(hashed(TOKEN), desk.now, desk.now + timedelta(hours=24))
    with served(assemble(FLOW, desk.services, accounts, secret_key="a secret")) as url:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{url}/sign-in/{TOKEN}")
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same password again").fill(PASSWORD)
        page.get_by_role("button", name="Save and sign in").click()
        page.goto(f"{url}/people")
        yield Visit(page, url, desk)


def test_two_minutes_before_the_end_it_says_so_and_one_press_renews_it(visit: Visit) -> None:
    warning, stay = visit.page.get_by_role("alert").filter(has_text="signed out soon"), "Stay signed in"
    visit.wait(minutes=27, seconds=59)
    expect(warning).to_be_hidden()
    visit.wait(seconds=2)
    expect(warning).to_be_visible()
    expect(warning.locator(".countdown").first).to_have_text("1 min 59 s")
    visit.wait(seconds=60)
    expect(warning.locator(".countdown").first).to_have_text("59 s")
    visit.page.get_by_role("button", name=stay).click()
    expect(warning).to_be_hidden()
    visit.wait(minutes=27)
    expect(warning).to_be_hidden()
    visit.wait(minutes=1, seconds=1)
    expect(warning).to_be_visible()


def test_at_the_end_the_page_leads_to_signing_in_and_from_there_back(visit: Visit) -> None:
    visit.wait(minutes=28, seconds=1)
    expect(visit.page.get_by_text("signed out soon").first).to_be_visible()
    visit.wait(minutes=2, seconds=2)
    expect(visit.page.get_by_text("You were signed out after 30 minutes without a click.")).to_be_visible()
    visit.page.get_by_label("Your name").fill("admin")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    expect(visit.page.get_by_role("heading", name="People")).to_be_visible()


def test_a_click_in_another_tab_is_one_in_this_tab_too(visit: Visit) -> None:
    visit.desk.clock.advance(minutes=20)
    visit.page.context.request.get(f"{visit.url}/nodes")
    visit.desk.clock.advance(minutes=8, seconds=1)
    with visit.page.expect_response("**/account/standing"):
        visit.page.clock.fast_forward("28:01")
    expect(visit.page.locator("#ending")).to_be_hidden()


def test_before_the_longest_session_is_over_it_offers_to_sign_in_again(visit: Visit) -> None:
    for _ in range(26):
        visit.wait(minutes=27, seconds=20)
        visit.page.reload()
    visit.wait(minutes=7, seconds=30)
    expect(visit.page.get_by_text("as you have been signed in for as long as one can")).to_be_visible()
    visit.page.get_by_role("link", name="Sign in again").click()
    visit.page.get_by_label("Your name").fill("admin")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    expect(visit.page.get_by_role("heading", name="People")).to_be_visible()
    visit.wait(minutes=20)
    expect(visit.page.locator("#ending")).to_be_hidden()


def test_a_file_that_is_on_its_way_arrives_although_nobody_has_clicked(context: BrowserContext, tmp_path: Path) -> None:
    """The page stays until it is there; whoever has come back by then signs in, and checks what has arrived."""
    with place(tmp_path) as wizard:
        context.clock.install()
        page = wizard.visit(context)
        address = page.url
        line = send(page, wizard.archive, seconds=15, until=20)
        wizard.desk.clock.advance(minutes=30, seconds=2)
        page.clock.fast_forward("30:02")
        expect(page.get_by_text("You were signed out. What is being sent goes on")).to_be_visible()
        before = percent(page)
        expect(page.locator("[data-pace]")).to_contain_text("left")
        assert page.url == address
        line.carries(UNBOUNDED)
        expect(page.get_by_text("You were signed out after 30 minutes without a click.")).to_be_visible(timeout=30_000)
        assert before < 100
        [upload] = wizard.uploads.unfinished("person 0", wizard.desk.now)
        assert upload.is_whole
