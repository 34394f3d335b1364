"""The wizard inside FineOps, in real Chromium: on another site, with third-party cookies blocked."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, Playwright, expect

from tests.browser.embedding import HOST, as_page, embedded, messages, without_third_party_cookies
from tests.browser.test_walk import listen
from tests.browser.walk import SLOW, ask_the_vendor, at, press, read_qr, upload
from tests.journey import NODE, download

STEPS = ["upload", "node", "port", "deploy", "scan", "code", "register"]


def drive(frame: Frame, phone: Page, folder: Path) -> None:
    """The whole journey, by what is in the frame alone, there and back again on the way."""
    inside = as_page(frame)
    at(inside, "upload")
    link = inside.get_by_role("link", name="Download a demonstration image").get_attribute("href")
    upload(inside, download(link or "", folder))
    press(inside, "Use this image")
    at(inside, "node")
    inside.locator(f"input[value='{NODE}']").check()
    press(inside, "Use this node")
    at(inside, "port")
    inside.get_by_role("link", name="Back to").click()
    at(inside, "node")
    press(inside, "Use this node")
    at(inside, "port")
    press(inside, "Check and use this port")
    expect(inside.locator("#step[data-step=deploy], #problem")).to_be_visible(timeout=SLOW)
    if inside.locator("#problem").is_visible():  # another installation on this machine has it
        press(inside, "Use ")
    at(inside, "deploy")
    press(inside, "Deploy to")
    expect(inside.get_by_text("The authorization application answers.")).to_be_visible(timeout=SLOW)
    press(inside, "Show the QR code")
    at(inside, "scan")
    code = ask_the_vendor(phone, read_qr(inside, folder))
    press(inside, "Enter the six digits")
    at(inside, "code")
    inside.locator("#code").fill("000000" if code != "000000" else "000001")
    press(inside, "Verify the code")
    expect(inside.locator("#problem")).to_contain_text("The code is wrong.")
    inside.locator("#code").fill(code)
    press(inside, "Verify the code")
    at(inside, "register")
    press(inside, "Register ")
    expect(inside.get_by_role("heading", name="is registered")).to_be_visible(timeout=SLOW)


def cookies_of_the_wizard(context: BrowserContext) -> list[str]:
    return [cookie["name"] for cookie in context.cookies() if cookie["domain"] != HOST]


def ensure_blocked(frame: Frame) -> None:
    """Third-party cookies are, as the browser itself has it; partitioned ones are not."""
    kept = frame.evaluate(
        """() => {
          document.cookie = "plain=1; SameSite=None; Secure";
          document.cookie = "partitioned=1; SameSite=None; Secure; Partitioned; Max-Age=60";
          return document.cookie;
        }"""
    )
    assert kept == "partitioned=1"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_whole_journey_inside_fineops(playwright: Playwright, tmp_path: Path, scheme: str) -> None:
    with embedded(tmp_path, scheme) as site, without_third_party_cookies(playwright, tmp_path) as context:
        page, phone = context.new_page(), context.new_page()
        complaints = listen(page)
        frame = site.open(page)
        at(as_page(frame), "upload")
        assert cookies_of_the_wizard(context) == ([] if scheme == "http" else ["__Host-frame"])
        drive(frame, phone, tmp_path)
        ensure_told(page)
        assert "ended" not in {message["type"] for message in messages(page)}
        assert complaints == []
        if scheme == "http":
            assert cookies_of_the_wizard(context) == []
        ensure_blocked(frame)


def ensure_told(page: Page) -> None:
    """What FineOps has heard of it, in its order."""
    expect(page.locator("#messages li[data-type=registered]")).to_have_count(1)
    steps = [message["step"] for message in messages(page, "step")]
    assert list(dict.fromkeys(steps)) == STEPS
    assert "The code is wrong." in [message["happened"] for message in messages(page, "failed")]
    [registered] = messages(page, "registered")
    assert registered["project"] == "demo-cluster"
    assert all(message["version"] == 1 for message in messages(page))


def test_a_parent_that_is_not_configured_sees_nothing(playwright: Playwright, tmp_path: Path) -> None:
    other = "http://other.example.com"
    with embedded(tmp_path, configured=other) as site, without_third_party_cookies(playwright, tmp_path) as context:
        page = context.new_page()
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            frame = site.open(page)
        assert frame.locator("#step").count() == 0
        assert "Registration Wizard" not in frame.content()
        assert messages(page) == []
