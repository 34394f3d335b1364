"""Takes the pictures in docs/screenshots anew (`make screenshots`): each state, light and dark, wide and narrow."""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from tests.browser.uploading import choose, send
from tests.browser.walk import begin, press, walk
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


def upload_states(page: Page, archive: Path, url: str) -> None:
    """What the first step looks like on the way: of another registration, at which nothing was uploaded yet."""
    page.goto(url)
    begin(page)
    letter = archive.with_name("letter.pdf")
    letter.write_bytes(b"%PDF-1.7" + bytes(100_000))
    choose(page, letter)
    take(page, "1-upload-wrong-file")
    choose(page, archive)
    take(page, "1-upload-chosen")
    send(page, archive, seconds=25, until=40)
    take(page, "1-upload-sending")
    press(page, "Pause")
    take(page, "1-upload-paused")
    page.reload()
    take(page, "1-upload-unfinished")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running(PORT=PORT) as instance, sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(**LAUNCH)
        context = browser.new_context(viewport={"width": WIDTHS[0], "height": 800})
        page, phone = context.new_page(), context.new_page()
        walk(page, phone, instance, Path(folder), lambda state: take(page, state))
        take(phone, "phone")
        upload_states(page, Path(folder) / "fanruan_license_server.tar", instance.url)
        browser.close()


if __name__ == "__main__":
    main()
