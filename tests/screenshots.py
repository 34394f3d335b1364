"""Takes the pictures in docs/screenshots anew (`make screenshots`): each state, light and dark, wide and narrow."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from tests.browser.walk import walk
from tests.browsing import LAUNCH
from tests.instance import ROOT, running

FOLDER = ROOT / "docs" / "screenshots"
WIDTHS = (1280, 380)
THEMES = ("light", "dark")
PORT = "8000"
"""The default one, so that the pictures show what a visitor sees."""


def take(page: Page, state: str) -> None:
    for theme in THEMES:
        for width in WIDTHS:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=FOLDER / f"{state}-{theme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    page.emulate_media(color_scheme="light")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running(PORT=PORT) as instance, sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(**LAUNCH)
        context = browser.new_context(viewport={"width": WIDTHS[0], "height": 800})
        page, phone = context.new_page(), context.new_page()
        walk(page, phone, instance, Path(folder), lambda state: take(page, state))
        take(phone, "phone")
        browser.close()


if __name__ == "__main__":
    main()
