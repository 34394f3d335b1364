"""The journey in real Chromium: nothing in the console, nothing that axe finds, at any step."""

import sqlite3
from contextlib import closing
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.browser.walk import at, begin, press, sign_in, upload_the_demonstration, walk
from tests.instance import Instance
from tests.journey import NODE

THEMES = ("light", "dark")


def listen(page: Page) -> list[str]:
    """What the browser complains about from now on."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        expected = message.type == "error" and "status of 422" in message.text  # how a browser reports a refused form
        if message.type in ("error", "warning") and not expected:
            complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def findings(page: Page) -> list[str]:
    """What axe finds in both themes."""
    found = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        report = Axe().run(page).response
        found += [f"{theme}: {violation['id']}: {violation['nodes'][0]['html']}" for violation in report["violations"]]
    return found


def test_the_whole_journey_with_the_phone_in_a_second_tab(
    context: BrowserContext, instance: Instance, tmp_path: Path
) -> None:
    page, phone = context.new_page(), context.new_page()
    complaints = listen(page)
    found: list[str] = []
    walk(page, phone, instance, tmp_path, lambda state: found.extend(f"{state}: {it}" for it in findings(page)))
    assert found == []
    assert complaints == []


def test_the_focus_goes_to_the_heading_of_each_new_step_and_it_is_announced(
    context: BrowserContext, instance: Instance
) -> None:
    page = context.new_page()
    sign_in(page, instance.link)
    begin(page)
    press(page, "Upload the image")
    expect(page.locator("#problem")).to_be_visible()
    expect(page.locator("#announcement")).to_have_text("No file was chosen.")
    assert page.evaluate("document.activeElement.closest('#step') !== null")


def test_a_node_that_falls_ill_is_shown_without_losing_what_was_chosen(
    context: BrowserContext, instance: Instance, tmp_path: Path
) -> None:
    page = context.new_page()
    upload_the_demonstration(page, instance.link, tmp_path)
    press(page, "Use this image")
    at(page, "node")
    page.locator(f"input[value='{NODE}']").check()
    before = page.locator("[hx-get*=since]").get_attribute("hx-get")
    with closing(sqlite3.connect(instance.data / "wizard.db")) as db, db:
        db.execute("update healths set revision = revision + 1")
    expect(page.locator("[hx-get*=since]")).not_to_have_attribute("hx-get", before or "")
    expect(page.locator(f"input[value='{NODE}']")).to_be_checked()


def test_nothing_scrolls_sideways_on_a_small_screen(context: BrowserContext, instance: Instance) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 380, "height": 800})
    sign_in(page, instance.link)
    begin(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_the_browsers_own_back_and_forward_buttons_show_the_steps(
    context: BrowserContext, instance: Instance, tmp_path: Path
) -> None:
    page = context.new_page()
    complaints = listen(page)
    upload_the_demonstration(page, instance.link, tmp_path)
    press(page, "Use this image")
    at(page, "node")
    page.locator(f"input[value='{NODE}']").check()
    press(page, "Use this node")
    at(page, "port")
    page.go_back()
    at(page, "node")
    expect(page.locator("header.top")).to_have_count(1)
    page.go_forward()
    at(page, "port")
    press(page, "Check and use this port")
    expect(page.locator("#step[data-step=deploy], #problem")).to_be_visible()
    assert complaints == []
