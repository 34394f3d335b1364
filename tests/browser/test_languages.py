"""No page overflows in any language, at any width."""

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import STATES, opened
from tests.browser.uploading import Place
from tests.catalogues import TRANSLATED

WIDTHS = (320, 380, 1280)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(
    "language",
    [language if language == "ja" else pytest.param(language, marks=pytest.mark.long) for language in TRANSLATED],
)
@pytest.mark.parametrize("name", [name for name, state in STATES.items() if not state.alone])
def test_a_page_fits_in_every_language(browser: Browser, wizard: Place, name: str, language: str) -> None:
    with opened(browser, wizard, STATES[name], language) as page:
        over = {}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            over[width] = page.evaluate(SIDEWAYS)
    assert {width: pixels for width, pixels in over.items() if pixels > 0} == {}
