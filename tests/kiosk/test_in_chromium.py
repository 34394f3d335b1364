"""The kiosk in real Chromium: a whole visit with fingers, large targets, the warning, and the reset."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browsing import LAUNCH, NEEDS_CHROMIUM
from tests.kiosk.visiting import NODE, Kiosk, running
from tests.waiting import until

pytestmark = [*NEEDS_CHROMIUM]
SLOW = 60_000
"""Milliseconds for what starts processes."""
LONGEST_VISIT = 180
"""Seconds for the whole journey (issue: three minutes)."""
SMALLEST = 48
"""CSS pixels of what is touched, at the least."""
TARGETS = """() => [...document.querySelectorAll('button, a[href], summary, label.choice, .switch label')]
  .filter((it) => it.checkVisibility() && !it.classList.contains('skip') && !it.closest('.rail .steps'))
  .map((it) => ({ text: it.textContent.trim().slice(0, 40), height: it.getBoundingClientRect().height }))"""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return LAUNCH


@pytest.fixture(autouse=True)
def nothing_stays_open(browser: Browser) -> Iterator[None]:
    """The browser is that of all tests."""
    yield
    for context in browser.contexts:
        context.close()


@pytest.fixture
def hurried() -> Iterator[Kiosk]:
    """One that forgets its visitors soon."""
    with running(KIOSK_IDLE="8") as kiosk:
        yield kiosk


def enter(browser: Browser, kiosk: Kiosk) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True).new_page()
    page.goto(kiosk.url)
    start(page)
    return page


def start(page: Page) -> None:
    """Press Start; while the world is still being made, the page is asked again."""
    for _ in range(60):
        with page.expect_navigation(timeout=SLOW):
            page.get_by_role("button", name="Start").click()
        if "/kiosk/visit/" in page.url:
            return
        page.wait_for_timeout(500)


def wizard(page: Page) -> FrameLocator:
    return page.frame_locator("iframe.wizard")


def touch(frame: FrameLocator, name: str) -> None:
    frame.get_by_role("button", name=name).first.tap(timeout=SLOW)


def walk(page: Page, at_each: Callable[[], None] = lambda: None) -> None:
    """The whole journey, with fingers alone."""
    work, phone = wizard(page), page.frame_locator("[name=phone]")
    touch(work, "Upload the sample image")
    expect(work.get_by_role("button", name="Use this image")).to_be_visible(timeout=SLOW)
    at_each()
    touch(work, "Use this image")
    work.locator(f"label:has(input[value='{NODE}'])").tap(timeout=SLOW)
    at_each()
    touch(work, "Use this node")
    touch(work, "Check and use this port")
    touch(work, "Deploy to")
    touch(work, "Show the QR code")
    expect(work.locator("a.tap")).to_be_visible(timeout=SLOW)
    at_each()
    work.locator("a.tap").tap()
    touch(phone, "Issue the code")
    code = phone.locator("#code").get_attribute("data-code", timeout=SLOW) or ""
    touch(work, "Enter the six digits")
    for digit in code:
        work.locator(f"[data-digit='{digit}']").tap(timeout=SLOW)
    at_each()
    touch(work, "Verify the code")
    touch(work, "Register ")
    expect(work.get_by_text("is registered")).to_be_visible(timeout=SLOW)


def test_a_whole_visit_with_fingers_takes_less_than_three_minutes(browser: Browser, kiosk: Kiosk) -> None:
    page = enter(browser, kiosk)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    small: list[str] = []

    def look() -> None:
        for frame in page.frames:
            if "/phone/L/" not in frame.url:  # the vendor's page is made for a phone, not for this one
                found = frame.evaluate(TARGETS)
                small.extend(f"{it['text']}: {it['height']}" for it in found if it["height"] < SMALLEST - 0.5)

    began = time.monotonic()
    walk(page, look)
    machine = page.locator("#machine")
    expect(machine).to_be_visible()  # whoever has registered sees it without asking
    machine.get_by_role("button", name="+ 2 hours").tap()
    expect(machine.get_by_text("Two hours pass.")).to_be_visible(timeout=SLOW)
    expect(machine.locator("[data-rule=R9]").first).to_be_visible(timeout=SLOW)
    look()
    assert time.monotonic() - began < LONGEST_VISIT
    assert small == []
    assert complaints == []
    page.get_by_role("button", name="Finish").tap()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    assert page.context.cookies() == []
    page.context.close()


def test_axe_finds_nothing_on_the_kiosks_own_pages(browser: Browser, kiosk: Kiosk) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.goto(kiosk.url)
        assert [it["id"] for it in Axe().run(page).response["violations"]] == []
        start(page)
        expect(wizard(page).get_by_role("button", name="Upload the sample image")).to_be_visible(timeout=SLOW)
        page.locator("[name=side][value=machine]").check(force=True)
        assert [f"{it['id']}: {it['nodes'][0]['html']}" for it in Axe().run(page).response["violations"]] == []
        page.get_by_role("button", name="Finish").click()
    page.context.close()


def test_whoever_does_nothing_is_warned_and_then_forgotten(browser: Browser, hurried: Kiosk) -> None:
    page = enter(browser, hurried)
    expect(wizard(page).get_by_role("button", name="Upload the sample image")).to_be_visible(timeout=SLOW)
    warning = page.get_by_role("alertdialog")
    expect(warning).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="I am still here").tap()
    expect(warning).to_be_hidden()
    expect(warning).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Start")).to_be_visible(timeout=SLOW)
    assert page.context.cookies() == []
    until(lambda: len(hurried.worlds) == 1, "the visitor's world is gone")
    page.context.close()


def test_nothing_scrolls_sideways_on_a_small_screen(browser: Browser, kiosk: Kiosk) -> None:
    page = enter(browser, kiosk)
    page.set_viewport_size({"width": 380, "height": 800})
    expect(wizard(page).get_by_role("button", name="Upload the sample image")).to_be_visible(timeout=SLOW)
    for frame in page.frames:
        assert frame.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, frame.url
    page.context.close()
