"""The whole journey in a browser that runs no script: forms, links, and pages that load themselves again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.walk import SLOW, ask_the_vendor, at, begin, press, read_qr, sign_in, upload
from tests.instance import Instance
from tests.journey import NODE, download


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with closing(browser.new_context(java_script_enabled=False, ignore_https_errors=True)) as context:
        yield context.new_page()


def use_port(page: Page) -> None:
    """The default one, or the one that is offered for it."""
    press(page, "Check and use this port")
    settled = page.get_by_role("link", name="Continue").or_(page.locator("#problem"))
    expect(settled.first).to_be_visible(timeout=SLOW)
    if page.locator("#problem").is_visible():  # another installation on this machine has it
        press(page, "Use ")
        expect(page.get_by_role("link", name="Continue")).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Continue").click()


def test_the_whole_journey_without_scripts(page: Page, instance: Instance, tmp_path: Path) -> None:
    sign_in(page, instance.link)
    begin(page)
    upload(page, download(page.get_by_role("link", name="Download").get_attribute("href") or "", tmp_path))
    press(page, "Use this image")
    at(page, "node")
    page.locator(f"input[value='{NODE}']").check()
    press(page, "Use this node")
    at(page, "port")
    use_port(page)
    at(page, "deploy")
    press(page, "Deploy to")
    expect(page.get_by_text("The authorization application answers.")).to_be_visible(timeout=SLOW)
    press(page, "Show the QR code")
    at(page, "scan")
    code = ask_the_vendor(page.context.new_page(), read_qr(page, tmp_path))
    press(page, "Enter the six digits")
    at(page, "code")
    page.locator("#code").fill(code)
    press(page, "Verify the code")
    at(page, "register")
    press(page, "Register ")
    expect(page.get_by_role("heading", name="is registered")).to_be_visible(timeout=SLOW)
