"""Two at one registration in real browsers: who is at work, taking over, watching by a link, going on elsewhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.security import generate_password_hash

from app import assemble
from tests.browser import uploading
from tests.browser.test_walk import findings, listen
from tests.browsing import served
from tests.desk import FakeDesk
from tests.factories import a_placed_registration, an_account, an_observer_link
from tests.memory_store import MemoryAccounts
from wizard.domain.turn import HEARD_BY_LOADS, Place
from wizard.steps import FLOW
from wizard.web.account import hashed

PASSWORD = "a long password"
SECRET = "the-secret-of-an-observer-link"
PATIENCE = 15_000
"""Milliseconds: a page on which nothing changes by itself asks every ten seconds who is at work."""


@dataclass(frozen=True)
class House:
    """The wizard over fakes. Its clock stands until a test moves it on."""

    url: str
    desk: FakeDesk
    accounts: MemoryAccounts
    open_page: Callable[[], Page]

    def come(self, name: str) -> Page:
        """An admin of that name, in a browser of their own, at the port."""
        password_hash = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
        self.accounts.add_account(an_account(name=name, password_hash=password_hash))
        page = self.open_page()
        page.goto(f"{self.url}/sign-in")
        page.get_by_label("Your name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{self.url}/registrations/r1/port")
        return page

    def watch(self) -> Page:
        """A stranger who has the link."""
        page = self.open_page()
        page.goto(f"{self.url}/observe/{SECRET}")
        return page


@pytest.fixture
def house(browser: Browser, tmp_path: Path) -> Iterator[House]:
    desk, accounts = FakeDesk.in_folder(tmp_path), MemoryAccounts()
    desk.store.save(a_placed_registration(preflight=None, port=None))
    desk.shares.add_link(an_observer_link(token_hash=hashed(SECRET)))
    contexts = []

    def open_page() -> Page:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        return contexts[-1].new_page()

    with served(assemble(FLOW, desk.services, accounts, secret_key="a secret")) as url:
        yield House(url, desk, accounts, open_page)
        for context in contexts:
            context.close()


def test_the_second_reads_along_takes_over_and_what_the_first_had_typed_is_still_there(house: House) -> None:
    ann, bob = house.come("Ann"), house.come("Bob")
    expect(bob.get_by_text("Ann is at work here since")).to_be_visible()
    expect(bob.get_by_role("button", name="Check and use this port")).to_have_count(0)
    ann.locator("#port").fill("18090")
    bob.get_by_role("button", name="Take over").click()
    expect(bob.get_by_role("button", name="Check and use this port")).to_be_enabled()
    expect(ann.get_by_text("Bob took over at")).to_be_visible(timeout=PATIENCE)
    assert ann.locator("form.work").evaluate("it => it.inert")
    assert ann.locator("#port").input_value() == "18090"
    ann.get_by_role("button", name="Take over").click()
    expect(ann.get_by_text("Bob took over at")).to_have_count(0)
    assert ann.locator("#port").input_value() == "18090"
    ann.get_by_role("button", name="Check and use this port").click()
    expect(bob.get_by_text("Ann took over at")).to_be_visible(timeout=PATIENCE)
    assert house.desk.store.registration("r1").port == 18090


def test_what_is_sent_after_another_took_over_is_refused_and_stays_in_the_form(house: House) -> None:
    ann, bob = house.come("Ann"), house.come("Bob")
    bob.get_by_role("button", name="Take over").click()
    expect(bob.locator("#port")).to_be_visible()
    ann.locator("#port").fill("18090")
    ann.get_by_role("button", name="Check and use this port").click()
    expect(ann.locator("#problem")).to_contain_text("Nothing was changed: somebody else is at work here by now.")
    assert ann.locator("#port").input_value() == "18090"
    assert house.desk.store.registration("r1").port is None
    assert findings(ann) == []
    ann.get_by_role("button", name="Take over").click()
    expect(ann.locator("#problem")).to_have_count(0)
    assert ann.locator("#port").input_value() == "18090"


def test_a_page_that_was_closed_frees_the_work_by_itself(house: House) -> None:
    ann, bob = house.come("Ann"), house.come("Bob")
    with ann.expect_response(lambda answer: "seat=" in answer.url, timeout=PATIENCE):
        pass
    ann.close()
    house.desk.clock.advance(seconds=31)
    expect(bob.get_by_role("button", name="Check and use this port")).to_be_visible(timeout=PATIENCE)


def test_an_observer_sees_the_step_go_on_and_is_told_when_the_link_is_revoked(house: House) -> None:
    ann, observer = house.come("Ann"), house.watch()
    assert SECRET not in observer.url
    expect(observer.get_by_text("You are watching.")).to_be_visible()
    assert findings(observer) == []
    ann.get_by_role("button", name="Check and use this port").click()
    expect(ann.get_by_text("Trying port 18081")).to_be_visible()
    expect(observer.get_by_text("Trying port 18081")).to_be_visible()
    house.desk.perform()
    expect(observer.locator("#step[data-step=deploy]")).to_be_visible()
    expect(observer.locator("#content form")).to_have_count(0)
    ann.get_by_text("Share, or go on in another browser").click()
    ann.get_by_role("button", name="Revoke").click()
    expect(ann.locator(".links li")).to_have_count(0)
    expect(observer.get_by_role("heading", name="You are not watching any more.")).to_be_visible()
    assert findings(observer) == []


def test_an_upload_stops_when_another_takes_over_and_what_has_arrived_is_kept(
    context: BrowserContext, tmp_path: Path
) -> None:
    with uploading.place(tmp_path) as wizard:
        page = wizard.visit(context)
        complaints = listen(page)
        uploading.choose(page, wizard.archive)
        line = uploading.send(page, wizard.archive, seconds=30, until=10)
        wizard.desk.turns.take_over("r0", Place(person="Bob"), wizard.desk.now, HEARD_BY_LOADS)
        expect(page.get_by_text("Bob took over at")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("[data-upload]")).to_have_count(0)
        line.carries(uploading.UNBOUNDED)
        page.get_by_role("button", name="Take over").click()
        expect(page.get_by_text("Choose the same file again: it goes on from where it was.")).to_be_visible()
        page.locator("#file").set_input_files(wizard.archive)
        page.get_by_role("button", name="Go on with the upload").click()
        expect(page.get_by_role("button", name="Use this image")).to_be_visible(timeout=PATIENCE)
        assert complaints == []


def test_an_observer_is_told_when_the_link_has_expired(house: House) -> None:
    observer = house.watch()
    expect(observer.get_by_text("This link is good until")).to_be_visible()
    house.desk.clock.advance(hours=1, seconds=1)
    expect(observer.get_by_role("heading", name="You are not watching any more.")).to_be_visible()
    expect(observer.locator("[hx-trigger]")).to_have_count(0)


def test_a_phone_goes_on_where_the_first_browser_was_and_the_first_is_told(house: House) -> None:
    ann, phone = house.come("Ann"), house.open_page()
    ann.get_by_text("Share, or go on in another browser").click()
    ann.get_by_role("button", name="Show a link to go on with").click()
    expect(ann.locator("svg.qr")).to_be_visible()
    assert findings(ann) == []
    address = ann.locator("#hand-over-link").get_attribute("href") or ""
    phone.set_viewport_size({"width": 380, "height": 800})
    phone.goto(address)
    phone.get_by_role("button", name="Go on here").click()
    expect(phone.get_by_role("button", name="Check and use this port")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 380
    expect(ann.get_by_text("Another browser went on at")).to_be_visible()
    phone.goto(address)
    expect(phone.get_by_role("heading", name="Nothing can be taken over by this link any more.")).to_be_visible()
    ann.get_by_role("button", name="Sign out here").click()
    expect(ann.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_link_is_made_copied_and_read_on_a_small_screen(house: House) -> None:
    ann = house.come("Ann")
    ann.set_viewport_size({"width": 380, "height": 800})
    ann.get_by_text("Share, or go on in another browser").click()
    ann.get_by_role("button", name="7 days").click()
    expect(ann.locator("#observer-link")).to_contain_text("/observe/")
    expect(ann.locator("#announcement")).to_have_text("The link was made. Copy it now: it is not shown again.")
    assert ann.evaluate("document.documentElement.scrollWidth") <= 380
    assert findings(ann) == []
