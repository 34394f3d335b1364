"""The whole way in a real browser, the phone's page in a second tab, the QR code read from the screen."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.instance import Instance
from tests.journey import NODE, download
from wizard.store import SqlStore

PASSWORD = "a long password"
SLOW = 60_000
"""Milliseconds for what starts processes."""


def sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()


def begin(page: Page) -> None:
    page.get_by_role("button", name="Register a project").click()
    at(page, "upload")


def at(page: Page, slug: str, timeout: float = SLOW) -> None:
    expect(page.locator(f"#step[data-step={slug}]")).to_be_visible(timeout=timeout)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def upload(page: Page, archive: Path) -> None:
    page.locator("#file").set_input_files(archive)
    press(page, "Upload the image")
    expect(page.get_by_role("button", name="Use this image")).to_be_visible(timeout=SLOW)


def upload_the_demonstration(page: Page, link: str, folder: Path) -> None:
    """From the sign-in link to an image that was uploaded: the one that the first step offers."""
    sign_in(page, link)
    begin(page)
    upload(page, download(page.get_by_role("link", name="Download").get_attribute("href") or "", folder))


def read_qr(page: Page, folder: Path) -> str:
    """What a phone's camera sees: the address in the QR code on the screen."""
    picture = folder / "screen.png"
    page.locator(".qr-card").screenshot(path=picture)
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, text=True, check=True, timeout=30
    )
    return read.stdout.strip()


def ask_the_vendor(phone: Page, address: str) -> str:
    phone.goto(address)
    press(phone, "Issue the code")
    return str(phone.locator("#code").get_attribute("data-code"))


@contextmanager
def held(instance: Instance) -> Iterator[None]:
    """The worker stands still in the midst of a phase of the deployment; what it does goes on afterwards."""
    [worker] = instance.processes("worker")
    worker.suspend()
    try:
        with closing(SqlStore(f"sqlite:///{instance.data / 'wizard.db'}")) as store:
            while not is_within_a_phase(store):  # looked at while it stands: it cannot be over again by now
                worker.resume()
                time.sleep(0.005)
                worker.suspend()
        yield
    finally:
        worker.resume()


def is_within_a_phase(store: SqlStore) -> bool:
    """Whether a phase of the deployment is under way. It must not be over yet."""
    [registration] = store.registrations()
    deployment = store.last_operation(registration.id, "deploy")
    if deployment is None:
        return False
    assert deployment.is_active, f"the deployment was over before it could be held: {deployment}"
    return any(phase.started_at and not phase.ended_at for phase in deployment.phases)


def walk(page: Page, phone: Page, instance: Instance, folder: Path, at_each: Callable[[str], None]) -> None:
    """From the link to the success page. `at_each` is called with a name of each state worth looking at."""
    sign_in(page, instance.link)
    at_each("home-empty")
    begin(page)
    at_each("1-upload")
    with page.expect_download(timeout=SLOW) as started:
        page.get_by_role("link", name="Download a demonstration image").click()
    archive = folder / "fanruan_license_server.tar"
    started.value.save_as(archive)
    upload(page, archive)
    at_each("1-upload-passport")
    press(page, "Use this image")
    at(page, "node")
    at_each("2-node")
    page.locator(f"input[value='{NODE}']").check()
    press(page, "Use this node")
    at(page, "port")
    at_each("3-port")
    press(page, "Check and use this port")
    expect(page.locator("#step[data-step=deploy], #problem")).to_be_visible(timeout=SLOW)
    if page.locator("#problem").is_visible():  # another installation on this machine has it
        press(page, "Use ")
    at(page, "deploy")
    at_each("4-deploy")
    press(page, "Deploy to")
    with held(instance):  # it is over in a second or two: hold it to be looked at
        expect(page.locator(".phases .running")).to_be_visible(timeout=SLOW)
        at_each("4-deploy-running")
    expect(page.get_by_text("The authorization application answers.")).to_be_visible(timeout=SLOW)
    at_each("4-deploy-done")
    press(page, "Show the QR code")
    at(page, "scan")
    at_each("5-scan")
    code = ask_the_vendor(phone, read_qr(page, folder))
    press(page, "Enter the six digits")
    at(page, "code")
    page.locator("#code").fill("000000" if code != "000000" else "000001")
    press(page, "Verify the code")
    expect(page.locator("#problem")).to_contain_text("The code is wrong.")
    at_each("6-code")
    page.locator("#code").fill(code)
    press(page, "Verify the code")
    at(page, "register")
    at_each("7-register")
    press(page, "Register ")
    expect(page.get_by_role("heading", name="is registered")).to_be_visible(timeout=SLOW)
    at_each("7-register-done")
