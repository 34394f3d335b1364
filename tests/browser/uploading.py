"""What the tests of the upload page share: a wizard to upload to, a line that can be slow or cut, and what is heard."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from app import assemble
from tests.archive.build import BASE, GOOD, VENDOR_KEYS, modern, tar
from tests.browser.walk import SLOW, at
from tests.browsing import served
from tests.desk import FakeDesk
from tests.factories import a_registration
from tests.memory_store import MemoryAccounts
from wizard.archive.spool import FileSpool
from wizard.archive.uploads import FolderUploads
from wizard.domain.account import Account
from wizard.domain.session import Session
from wizard.licensing.protocol.claims import dump_vendor_keys
from wizard.steps import FLOW
from wizard.web.sessions import packed

LISTENING = """
addEventListener("DOMContentLoaded", () => {
  const status = document.getElementById("announcement");
  window.heard = [];
  new MutationObserver(() => heard.push(status.textContent)).observe(status, { childList: true, characterData: true });
});
"""
UNBOUNDED = -1
SIZE = 6 << 20
"""Bytes of the licence image that is uploaded here."""


@dataclass
class Line:
    """The browser's way to the server, as its developer tools imitate it; speeds in bytes a second."""

    page: Page

    def __post_init__(self) -> None:
        self._tools = self.page.context.new_cdp_session(self.page)
        self._tools.send("Network.enable")

    def carries(self, speed: float) -> None:
        self._set(speed, is_cut=False)

    def is_cut(self) -> None:
        self._set(UNBOUNDED, is_cut=True)

    def _set(self, speed: float, *, is_cut: bool) -> None:
        conditions = {"latency": 0, "downloadThroughput": UNBOUNDED, "uploadThroughput": speed, "offline": is_cut}
        self._tools.send("Network.emulateNetworkConditions", conditions)


@dataclass
class Place:
    """A wizard whose uploads are real and whose other rooms are fakes; each visitor is another person."""

    url: str
    app: Flask
    desk: FakeDesk
    accounts: MemoryAccounts
    uploads: FolderUploads
    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def visit(self, context: BrowserContext) -> Page:
        """A page at the first step of a registration of its own."""
        number = next(self._numbers)
        self.sign_in(context, f"person {number}")
        registration = self.desk.store.save(a_registration(id=f"r{number}"))
        context.add_init_script(LISTENING)
        page = context.new_page()
        page.goto(f"{self.url}/registrations/{registration.id}/upload")
        return page

    def sign_in(self, context: BrowserContext, account: str) -> None:
        self.accounts.add_account(Account(name=account, password_hash="", created_at=self.desk.now))
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        now = self.desk.now
        begun = Session(id=account, account=account, epoch=1, begun_at=now, used_at=now)
        cookie = {
            "name": self.app.config["SESSION_COOKIE_NAME"],
            "value": signer.dumps(packed(begun)),
            "url": self.url,
        }
        context.add_cookies([cookie])  # type: ignore[list-item]

    @property
    def archive(self) -> Path:
        return self.folder / "fanruan_license_server.tar"


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    keys = folder / "vendor.pub"
    keys.write_bytes(dump_vendor_keys(VENDOR_KEYS))
    spool = FileSpool(folder / "spool", keys)
    desk = FakeDesk.in_folder(folder)
    uploads = FolderUploads(folder / "uploads", spool)
    services = replace(desk.services, spool=spool, uploads=uploads)
    accounts = MemoryAccounts()
    app = assemble(FLOW, services, accounts, secret_key="a secret")
    with served(app) as url:
        found = Place(url, app, desk, accounts, uploads, folder)
        filler = tar({"data": random.Random(1).randbytes(SIZE)})
        found.archive.write_bytes(tar(modern(GOOD.but(base=(*BASE, filler)))))
        yield found


def choose(page: Page, file: Path) -> None:
    """Choose it, and wait until it was looked at."""
    page.locator("#file").set_input_files(file)
    expect(page.locator("[data-seen], #problem").filter(visible=True).first).to_be_visible()


def send(page: Page, file: Path, seconds: float, until: int) -> Line:
    """Send it over a line on which it takes so long, until so many percent have arrived."""
    choose(page, file)
    line = Line(page)
    line.carries(file.stat().st_size / seconds)
    page.locator("[data-go]").click()
    reaches(page, until)
    return line


def percent(page: Page) -> int:
    return int(page.locator(".sending progress").evaluate("it => it.value"))


def reaches(page: Page, share: int) -> None:
    """Until so many percent have arrived."""
    page.wait_for_function("it => document.querySelector('.sending progress').value >= it", arg=share, timeout=SLOW)


def has_arrived(page: Page, digest: str) -> None:
    """The image is there; its SHA-256 is this."""
    expect(page.locator("#sha256")).to_have_text(digest, timeout=SLOW)
    at(page, "upload")


def heard(page: Page) -> list[str]:
    """What the page has announced since it was loaded."""
    return list(page.evaluate("heard"))


@contextmanager
def sent_requests(page: Page) -> Iterator[list[str]]:
    """What is sent meanwhile, and changes something."""
    sent: list[str] = []
    page.on("request", lambda it: sent.append(it.url) if it.method in ("POST", "PATCH", "PUT") else None)
    yield sent
