"""The wizard is light: what a browser fetches at first, and what it fetches at each step."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.uploading import Place, place
from tests.browser.wire import LARGEST_PARTIAL, MOST_BYTES, MOST_REQUESTS, first_look, partials
from tests.factories import a_registration


@pytest.fixture(scope="module")
def wizard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("wizard")) as found:
        yield found


def test_the_first_look_at_a_step_takes_little(wizard: Place, context: BrowserContext) -> None:
    wizard.sign_in(context, "newcomer")
    registration = wizard.desk.store.save(a_registration(id="light"))
    page = context.new_page()
    load = first_look(page, f"{wizard.url}/registrations/{registration.id}/upload")
    expect(page.locator("#file")).to_be_visible()
    assert load.size < MOST_BYTES
    assert 1 < load.requests <= MOST_REQUESTS


def test_the_next_page_takes_nothing_but_itself(wizard: Place, context: BrowserContext) -> None:
    wizard.sign_in(context, "regular")
    page = context.new_page()
    first_look(page, wizard.url)
    assert first_look(context.new_page(), f"{wizard.url}/nodes").requests == 1


def test_a_step_alone_takes_less_than_8_kb_in_each_state(wizard: Place, browser: Browser) -> None:
    sizes = partials(browser, wizard)
    assert len(sizes) > 40
    assert {name: it for name, it in sizes.items() if it >= LARGEST_PARTIAL} == {}
