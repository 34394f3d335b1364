"""An upload in real Chromium, over a line that is slow or cut: it arrives whole, and says what is going on."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_walk import findings, listen
from tests.browser.uploading import UNBOUNDED, Place, choose, has_arrived, heard, percent, place, send
from tests.browser.walk import press


@pytest.fixture(scope="module")
def wizard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("wizard")) as found:
        yield found


@pytest.fixture
def archive(wizard: Place) -> Path:
    return wizard.archive


@pytest.fixture
def digest(archive: Path) -> str:
    return hashlib.sha256(archive.read_bytes()).hexdigest()


@pytest.fixture
def page(wizard: Place, context: BrowserContext) -> Page:
    return wizard.visit(context)


def test_it_is_shown_before_it_is_sent_and_its_progress_is_heard_at_each_quarter(
    page: Page, archive: Path, digest: str
) -> None:
    complaints = listen(page)
    choose(page, archive)
    for word in ("A tar archive", "fanruan_license_server:1.0.0", "at 2.5 MB/s"):
        expect(page.locator("[data-seen]")).to_contain_text(word)
    assert findings(page) == []
    send(page, archive, seconds=4, until=40)
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    expect(page.locator("[data-pace]")).to_contain_text("left")
    expect(page.locator("[data-passport]")).to_contain_text("amd64")
    has_arrived(page, digest)
    assert heard(page)[-7:] == [
        "fanruan_license_server.tar, 6.5 MB, fanruan_license_server:1.0.0",
        "Sending. If the connection breaks, it goes on by itself.",
        *(f"{quarter} % has arrived." for quarter in (25, 50, 75)),
        "All of it has arrived. Checking what is in it…",
        "Upload the licence image",
    ]
    assert complaints == []


def test_a_pause_keeps_what_has_arrived_and_it_goes_on_by_the_keyboard(page: Page, archive: Path, digest: str) -> None:
    line = send(page, archive, seconds=4, until=20)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Go on")).to_be_focused()
    expect(page.locator("[data-doing]")).to_contain_text("Paused")
    paused_at = percent(page)
    assert findings(page) == []
    line.carries(UNBOUNDED)
    page.keyboard.press("Enter")
    has_arrived(page, digest)
    [going_on] = [it for it in heard(page) if it.startswith("Going on at")]
    assert 0 < int(going_on.split()[3]) <= paused_at + 2


def test_after_a_reload_the_same_file_goes_on_from_where_it_was(page: Page, archive: Path, digest: str) -> None:
    line = send(page, archive, seconds=4, until=30)
    page.reload()
    expect(page.locator(".unfinished")).to_contain_text("Choose the same file again")
    assert findings(page) == []
    line.carries(UNBOUNDED)
    choose(page, archive)
    expect(page.locator("[data-here]")).to_contain_text("of this file is here already")
    with page.expect_request(lambda it: it.method == "PATCH") as sent:
        press(page, "Go on with the upload")
    assert int(sent.value.headers["upload-offset"]) > archive.stat().st_size // 10
    has_arrived(page, digest)
    assert any(it.startswith("Going on at") for it in heard(page))


@pytest.mark.long
def test_another_file_of_the_same_name_does_not_go_on_from_there(page: Page, archive: Path, tmp_path: Path) -> None:
    send(page, archive, seconds=4, until=10)
    page.reload()
    content = bytearray(archive.read_bytes())
    content[len(content) // 17] ^= 1  # where the first sample lies
    other = tmp_path / archive.name
    other.write_bytes(content)
    choose(page, other)
    expect(page.locator("[data-here]")).to_be_empty()
    press(page, "Discard these")
    expect(page.locator(".unfinished")).to_have_count(0)


def test_a_line_that_is_cut_is_said_once_and_it_goes_on_by_itself(page: Page, archive: Path, digest: str) -> None:
    line = send(page, archive, seconds=4, until=20)
    line.is_cut()
    expect(page.locator("[data-doing]")).to_have_text("The connection is gone. Trying again in 2 s.")
    line.carries(UNBOUNDED)
    has_arrived(page, digest)
    assert heard(page).count("The upload was interrupted. It goes on by itself.") == 1


@pytest.mark.long
def test_a_session_that_has_ended_is_said_and_what_has_arrived_is_found_again(
    page: Page, archive: Path, wizard: Place, context: BrowserContext
) -> None:
    cookies = context.cookies()
    line = send(page, archive, seconds=4, until=10)
    context.clear_cookies()
    line.is_cut()
    expect(page.locator("[data-doing]")).to_contain_text("Trying again")
    line.carries(UNBOUNDED)
    problem = page.locator("#problem")
    expect(problem).to_contain_text("You are not signed in any more.")
    expect(problem).to_be_focused()
    assert findings(page) == []
    address = page.url
    page.get_by_role("link", name="Sign in again").click()
    expect(page.get_by_label("Your name")).to_be_visible()
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto(address)
    expect(page.locator(".unfinished")).to_contain_text("% is here")


def test_what_was_stopped_is_gone_and_said_so(page: Page, archive: Path) -> None:
    send(page, archive, seconds=4, until=5)
    press(page, "Stop, and discard")
    expect(page.locator("#problem")).to_have_text("The upload was stopped. Nothing was kept.")
    expect(page.get_by_role("button", name="Upload the image")).to_be_focused()
    page.reload()
    expect(page.locator(".unfinished")).to_have_count(0)


def test_an_upload_that_arrived_while_nobody_looked_is_checked_without_the_file(
    page: Page, archive: Path, digest: str
) -> None:
    page.route("**/upload", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    send(page, archive, seconds=1, until=100)
    expect(page.locator("[data-doing]")).to_contain_text("Trying again")
    page.unroute("**/upload")
    page.reload()
    press(page, "Check what has arrived")
    has_arrived(page, digest)


@pytest.mark.long
def test_nobody_answers_when_it_is_handed_in_so_it_is_handed_in_again(page: Page, archive: Path, digest: str) -> None:
    page.route("**/upload", lambda route: route.abort(), times=1)
    send(page, archive, seconds=1, until=90)
    has_arrived(page, digest)
    reaches_all = [it for it in heard(page) if it.startswith("All of it has arrived.")]
    assert len(reaches_all) == 2


def test_without_scripts_the_form_sends_the_file_in_one_piece(
    browser: Browser, wizard: Place, archive: Path, digest: str
) -> None:
    with closing(browser.new_context(java_script_enabled=False)) as context:
        page = wizard.visit(context)
        page.locator("#file").set_input_files(archive)
        press(page, "Upload the image")
        has_arrived(page, digest)
