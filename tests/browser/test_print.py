"""What the last page is on paper: the certificate of the registration, on one sheet, black on white."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import STATES, opened
from tests.browser.uploading import Place, place
from tests.factories import PIN
from wizard.licensing.language import LANGUAGES

SHEET = re.compile(rb"/Type\s*/Page\b(?!s)")
CERTIFICATES = ("registered", "registered by hand")
INK = """[...document.querySelectorAll("main *")].filter((it) => it.checkVisibility()).map((it) => {
  const { color, backgroundColor } = getComputedStyle(it);
  return [color, backgroundColor].map((one) => one.match(/[\\d.]+/g).map(Number));
})"""


@pytest.fixture(scope="module")
def wizard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("wizard")) as found:
        yield found


@pytest.fixture(params=("light", "dark"))
def page(browser: Browser, wizard: Place, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The certificate, as it is printed from a page in either theme."""
    with opened(browser, wizard, STATES["registered"]) as found:
        found.emulate_media(media="print", color_scheme=request.param)
        yield found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CERTIFICATES)
def test_the_certificate_is_one_sheet_of_a4(browser: Browser, wizard: Place, name: str, language: str) -> None:
    with opened(browser, wizard, STATES[name], language) as page:
        assert len(SHEET.findall(page.pdf(prefer_css_page_size=True))) == 1


def test_it_says_what_was_registered_when_and_where_and_by_which_key(page: Page) -> None:
    for words in ("Sales reports", "127.0.0.1:18081", "2026-11-24", " ".join([PIN[:8]] * 8), "0011 2233 4455 66ff"):
        expect(page.get_by_text(words, exact=False).filter(visible=True).first).to_be_visible()


def test_nothing_is_printed_that_can_only_be_pressed(page: Page) -> None:
    expect(page.locator(".brand")).to_be_visible()
    expect(page.locator("nav, footer, button, form, .rail, .buttons").filter(visible=True)).to_have_count(0)


def test_it_is_black_on_white_whatever_the_theme(page: Page) -> None:
    for ink, ground in page.evaluate(INK):
        assert max(ink[:3]) <= 0x33, ink
        assert ground[3:] == [0] or min(ground[:3]) == 0xFF, ground
