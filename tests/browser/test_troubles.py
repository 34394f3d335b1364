"""The wizard's pages while the wizard itself is in trouble: they say so, stay, and go on when it is back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app import assemble
from tests.browser.walk import SLOW, at, press, sign_in, upload_the_demonstration
from tests.browsing import served
from tests.desk import FakeDesk
from tests.factories import NOW, a_challenge, a_deployed_registration, a_placed_registration
from tests.instance import Instance
from tests.memory_store import MemoryAccounts, MemoryStore
from wizard.domain.registration import Registration
from wizard.steps import FLOW
from wizard.web.account import hashed

TOKEN = "a-token-of-a-one-time-link"


class FailingStore(MemoryStore):
    """A store that does not say what has changed, as a database does that is locked for too long."""

    fails = False

    def revision(self, registration_id: str) -> str:
        if self.fails:
            raise OSError("database is locked")
        return super().revision(registration_id)


@dataclass
class Visit:
    """A wizard over fakes, whose store can fail, and a browser that is signed in there."""

    page: Page
    url: str
    desk: FakeDesk
    store: FailingStore

    def open(self, registration: Registration, slug: str) -> Page:
        self.store.save(registration)
        self.page.goto(f"{self.url}/registrations/{registration.id}/{slug}")
        return self.page


@pytest.fixture
def visit(context: BrowserContext, tmp_path: Path) -> Iterator[Visit]:
    store = FailingStore()
    desk = FakeDesk.in_folder(tmp_path, store)
    accounts = MemoryAccounts()
    accounts.add_link(hashed(TOKEN), desk.now, desk.now + timedelta(hours=24))
    with served(assemble(FLOW, desk.services, accounts, secret_key="a secret")) as url:
        page = context.new_page()
        sign_in(page, f"{url}/sign-in/{TOKEN}")
        yield Visit(page, url, desk, store)


def test_a_page_that_asks_in_vain_stays_and_says_so_and_goes_on_afterwards(visit: Visit) -> None:
    page = visit.open(a_placed_registration(), "deploy")
    press(page, "Deploy to")
    expect(page.locator(".phases")).to_be_visible()
    title = page.title()
    visit.store.fails = True
    expect(page.locator("#silence")).to_be_visible()
    expect(page.locator(".phases")).to_be_visible()
    expect(page).to_have_title(title)
    visit.store.fails = False
    press(page, "Abort and undo")
    expect(page.get_by_role("button", name="Undoing…")).to_be_disabled()
    visit.desk.perform()
    expect(page.get_by_text("The deployment was aborted and undone")).to_be_visible()
    expect(page.locator("#silence")).to_be_hidden()


def test_a_countdown_whose_end_found_the_wizard_in_trouble_asks_until_it_is_answered(visit: Visit) -> None:
    challenge = a_challenge(expires_at=NOW + timedelta(seconds=2))
    page = visit.open(a_deployed_registration(challenge=challenge), "scan")
    expect(page.locator("#step .countdown")).to_be_visible()
    with page.expect_response(lambda answer: answer.url.endswith("since=") and answer.status == 500):
        visit.store.fails = True
    expect(page.locator("#silence")).to_be_visible()
    expect(page.locator("#step .countdown")).to_have_text("0 s")
    visit.desk.clock.sleep(3)
    visit.store.fails = False
    expect(page.get_by_text("The QR code has expired.")).to_be_visible()
    expect(page.locator("#silence")).to_be_hidden()


def test_what_is_shown_in_place_of_a_step_is_within_the_main_of_the_page(visit: Visit) -> None:
    page = visit.open(a_placed_registration(), "deploy")
    visit.store.fails = True
    press(page, "Deploy to")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("h1")).to_have_text("Something went wrong in the wizard.")
    expect(page.locator("main")).to_have_count(1)


def test_a_press_that_nobody_answered_is_done_by_pressing_again(
    context: BrowserContext, instance: Instance, tmp_path: Path
) -> None:
    page = context.new_page()
    upload_the_demonstration(page, instance.link, tmp_path)
    killed = instance.processes("wsgi:app")
    for process in killed:
        process.suspend()
    press(page, "Use this image")
    for process in killed:
        process.kill()
    expect(page.locator("#silence")).to_be_visible(timeout=SLOW)
    psutil.wait_procs(killed)
    page.wait_for_function("fetch('/healthz').then((answer) => answer.ok, () => false)", timeout=SLOW)
    press(page, "Use this image")
    at(page, "node")
    expect(page.locator("#silence")).to_be_hidden()
