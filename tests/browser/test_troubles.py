"""The wizard's pages while the wizard itself is in trouble: they say so, stay, and go on when it is back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app import assemble
from tests.browser.walk import SLOW, at, press, sign_in, upload_the_demonstration
from tests.browsing import served
from tests.desk import FakeDesk
from tests.factories import a_placed_registration
from tests.fakes import FakeJobs
from tests.instance import Instance
from tests.memory_store import MemoryAccounts, MemoryStore
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
class Deploying:
    """The page of a deployment that waits for the worker."""

    page: Page
    desk: FakeDesk
    store: FailingStore


@pytest.fixture
def deploying(context: BrowserContext, tmp_path: Path) -> Iterator[Deploying]:
    store = FailingStore()
    desk = replace(FakeDesk.in_folder(tmp_path), store=store, jobs=FakeJobs(store))
    accounts = MemoryAccounts()
    accounts.add_link(hashed(TOKEN), desk.now, desk.now + timedelta(hours=24))
    store.save(a_placed_registration())
    with served(assemble(FLOW, desk.services, accounts, secret_key="a secret")) as url:
        page = context.new_page()
        sign_in(page, f"{url}/sign-in/{TOKEN}")
        page.goto(f"{url}/registrations/r1/deploy")
        press(page, "Deploy to")
        expect(page.locator(".phases")).to_be_visible()
        yield Deploying(page, desk, store)


def test_a_page_that_asks_in_vain_stays_and_says_so_and_goes_on_afterwards(deploying: Deploying) -> None:
    page = deploying.page
    title = page.title()
    deploying.store.fails = True
    expect(page.locator("#silence")).to_be_visible()
    expect(page.locator(".phases")).to_be_visible()
    expect(page).to_have_title(title)
    deploying.store.fails = False
    press(page, "Abort and undo")
    deploying.desk.perform()
    expect(page.get_by_text("The deployment was aborted and undone")).to_be_visible()
    expect(page.locator("#silence")).to_be_hidden()


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
