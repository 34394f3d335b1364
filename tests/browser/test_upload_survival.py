"""An upload to a whole installation that is killed, stands still, or is away: it arrives whole all the same."""

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.uploading import LISTENING, UNBOUNDED, choose, has_arrived, heard, percent, reaches, send
from tests.browser.walk import SLOW, begin, press, sign_in
from tests.instance import Instance
from tests.journey import download

pytestmark = pytest.mark.long
QUIET = 90_000
"""Milliseconds in which a browser surely has given up a connection on which nothing moves."""


@pytest.fixture
def page(context: BrowserContext, instance: Instance) -> Page:
    context.add_init_script(LISTENING)
    page = context.new_page()
    sign_in(page, instance.link)
    begin(page)
    return page


@pytest.fixture
def archive(page: Page, tmp_path: Path) -> Path:
    return download(page.get_by_role("link", name="Download").get_attribute("href") or "", tmp_path)


def digest(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_server_that_is_killed_again_and_again_loses_nothing(page: Page, instance: Instance, archive: Path) -> None:
    line = send(page, archive, seconds=20, until=10)
    for _ in range(3):
        before = percent(page)
        for process in instance.processes("wsgi:app"):
            process.kill()
        expect(page.locator("[data-doing]")).to_contain_text("Trying again", timeout=SLOW)
        expect(page.locator("[data-doing]")).to_contain_text("Going on at", timeout=SLOW)
        reaches(page, min(before + 5, 95))
    line.carries(UNBOUNDED)
    has_arrived(page, digest(archive))
    assert heard(page).count("The upload was interrupted. It goes on by itself.") == 3


def test_a_server_that_stands_still_is_left_and_found_again(page: Page, instance: Instance, archive: Path) -> None:
    line = send(page, archive, seconds=10, until=10)
    processes = instance.processes("wsgi:app")
    for process in processes:
        process.suspend()
    try:
        expect(page.locator("[data-doing]")).to_contain_text("Trying again", timeout=QUIET)
    finally:
        for process in processes:
            process.resume()
    line.carries(UNBOUNDED)
    has_arrived(page, digest(archive))


def test_a_pause_a_reload_and_a_choice_later_it_arrives(page: Page, archive: Path) -> None:
    line = send(page, archive, seconds=10, until=20)
    press(page, "Pause")
    expect(page.locator("[data-doing]")).to_contain_text("Paused")
    page.reload()
    expect(page.locator(".unfinished")).to_contain_text("Choose the same file again")
    choose(page, archive)
    line.carries(UNBOUNDED)
    press(page, "Go on with the upload")
    has_arrived(page, digest(archive))
    assert any(it.startswith("Going on at") for it in heard(page))
