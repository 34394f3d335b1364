"""The pages in real Chromium: what axe finds, narrow screens, the keyboard; in every state."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import browser_context_args, browser_type_launch_args
from tests.browsing import NEEDS_CHROMIUM
from tests.browsing import served as serving
from tests.licensing.client.scenes import ADDRESS, PORT, SCENES, Scene

__all__ = ["browser_context_args", "browser_type_launch_args"]

pytestmark = [*NEEDS_CHROMIUM]
WIDTHS = (1280, 380)
THEMES = ("light", "dark")
PAGES = [
    *((name, "") for name in SCENES),
    ("unregistered", "register"),
    ("connected", "re-register"),
    ("forked", "re-register"),
    ("forked", "register?own_key=1"),
]
"""Each state, and each other page in a state that it belongs to."""


@contextmanager
def served(scene: Scene) -> Iterator[str]:
    """The address of the project's page."""
    with serving(scene.app) as address:
        yield f"{address}/projects/sales/"
    scene.bench.kill()


def findings(page: Page) -> list[str]:
    found = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        found += [f"{theme}: {one['id']}" for one in Axe().run(page).response["violations"]]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"scrolls sideways at {width}")
    return found


@pytest.mark.parametrize(("name", "link"), PAGES)
def test_no_page_has_anything_that_axe_finds_or_scrolls_sideways(
    page: Page, tmp_path: Path, name: str, link: str
) -> None:
    scene = Scene(tmp_path)
    SCENES[name](scene)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    with served(scene) as address:
        page.goto(address + link)
        assert findings(page) == []
    assert complaints == []


def test_the_whole_way_goes_by_keyboard(page: Page, tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.bench.verify()
    with served(scene) as address:
        page.goto(address)
        page.get_by_role("link", name="Register Now").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Authentication method").focus()
        page.keyboard.press("Tab")
        page.keyboard.type(ADDRESS)
        page.keyboard.press("Tab")
        expect(page.get_by_label("Port")).to_have_value(str(PORT))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sales reports is registered")


def test_a_failure_is_told_without_anything_that_axe_finds(page: Page, tmp_path: Path) -> None:
    with served(Scene(tmp_path)) as address:
        page.goto(address + "register")
        page.get_by_label("IP").fill(ADDRESS)
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_role("alert")).to_contain_text("is not authenticated")
        assert findings(page) == []


def test_what_was_typed_wrong_has_the_focus_and_its_reason(page: Page, tmp_path: Path) -> None:
    with served(Scene(tmp_path)) as address:
        page.goto(address + "register")
        page.get_by_label("IP").fill(ADDRESS)
        page.get_by_label("Port").fill("99999")
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_label("Port")).to_be_focused()
        expect(page.get_by_label("Port")).to_have_accessible_description(
            "Enter the port of the authorization application, a number from 1 to 65535."
        )
