"""The whole journey by the keyboard alone: Tab, Enter, Space, arrows and digits, from the link to the registration."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import FOCUSED, MOST_STOPS
from tests.browser.walk import PASSWORD, SLOW, at, read_qr
from tests.instance import Instance
from tests.journey import NODE, download

NAME = """(() => {
  const it = document.activeElement;
  const labels = [...(it.labels ?? [])].map((one) => one.textContent.trim());
  return [it.id, it.value, it.textContent.trim(), ...labels].join(" ");
})()"""


@dataclass(frozen=True)
class Keys:
    """A person without a mouse. Each stop on the way must show that it is there."""

    page: Page

    def reach(self, name: str) -> None:
        """By Tab, to what has that name, label or id."""
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(FOCUSED)
            assert stop is None or stop[1] == "", stop
            if name in self.page.evaluate(NAME):
                return
        raise AssertionError(f"{name!r} is not reached by the keyboard")

    def press(self, name: str, key: str = "Enter") -> None:
        self.reach(name)
        self.page.keyboard.press(key)

    def fill(self, name: str, text: str) -> None:
        self.reach(name)
        self.page.keyboard.type(text)

    def choose_file(self, path: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.press("file", "Space")
        chooser.value.set_files(path)
        expect(self.page.locator("[data-seen]")).to_be_visible()

    def choose_node(self) -> None:
        """The one of the radio buttons by the arrows: they are one stop."""
        self.reach("demo")
        for _ in range(MOST_STOPS):
            if self.page.evaluate("document.activeElement.value") == NODE:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError("the arrows do not reach the node")

    def arrives(self, slug: str) -> None:
        """At the step, whose heading has the focus: the next Tab goes to what is beneath it, and it is read out."""
        at(self.page, slug)
        expect(self.page.locator("h1")).to_be_focused()


def come_in(keys: Keys, link: str) -> None:
    keys.page.goto(link)
    keys.fill("New password", PASSWORD)
    keys.fill("The same password again", PASSWORD)
    keys.press("Save and sign in")
    expect(keys.page.get_by_role("button", name="Register a project")).to_be_visible()
    keys.press("Register a project", "Space")
    at(keys.page, "upload")


def prepare(keys: Keys, folder: Path) -> None:
    """Image, node and port."""
    page = keys.page
    offered = page.get_by_role("link", name="Download").get_attribute("href") or ""
    keys.choose_file(download(offered, folder))
    keys.press("Upload the image")
    expect(page.get_by_role("button", name="Use this image")).to_be_visible(timeout=SLOW)
    keys.press("Use this image")
    keys.arrives("node")
    keys.choose_node()
    keys.press("Use this node", "Space")
    keys.arrives("port")
    keys.press("Check and use this port")
    expect(page.locator("#step[data-step=deploy], #problem")).to_be_visible(timeout=SLOW)
    if page.locator("#problem").is_visible():  # another installation on this machine has it
        keys.press("Use ")
    keys.arrives("deploy")


def answer(keys: Keys, phone: Keys, folder: Path) -> None:
    """What the phone shows is entered."""
    phone.page.goto(read_qr(keys.page, folder))
    phone.press("Issue the code")
    code = str(phone.page.locator("#code").get_attribute("data-code"))
    keys.page.bring_to_front()
    keys.press("Enter the six digits")
    keys.arrives("code")
    keys.fill("Six-digit code", "12")
    keys.page.keyboard.press("Enter")
    expect(keys.page.locator("#problem")).to_be_visible()
    expect(keys.page.locator("#code")).to_be_focused()  # what was wrong can be mended at once
    keys.page.keyboard.press("Control+A")
    keys.page.keyboard.type(code)
    keys.page.keyboard.press("Enter")


def test_the_whole_journey_by_the_keyboard_alone(context: BrowserContext, instance: Instance, tmp_path: Path) -> None:
    page = context.new_page()
    keys, phone = Keys(page), Keys(context.new_page())
    page.bring_to_front()
    come_in(keys, instance.link)
    prepare(keys, tmp_path)
    keys.press("Deploy to")
    expect(page.get_by_text("The authorization application answers.")).to_be_visible(timeout=SLOW)
    keys.press("Show the QR code")
    keys.arrives("scan")
    answer(keys, phone, tmp_path)
    keys.arrives("register")
    keys.press("Register ")
    expect(page.get_by_role("heading", name="is registered")).to_be_visible(timeout=SLOW)
    expect(page.locator("h1")).to_be_focused()


def test_the_first_stop_leads_past_what_every_page_begins_with(context: BrowserContext, instance: Instance) -> None:
    keys = Keys(context.new_page())
    come_in(keys, instance.link)
    keys.page.reload()
    keys.page.keyboard.press("Tab")
    expect(keys.page.locator(".skip")).to_be_focused()
    expect(keys.page.locator(".skip")).to_be_in_viewport()
    keys.page.keyboard.press("Enter")
    keys.page.keyboard.press("Tab")
    assert keys.page.evaluate("document.activeElement.closest('#content') !== null")
