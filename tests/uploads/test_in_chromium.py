"""On a page of the product, in Chromium: tus-js-client, the tus project's own; and a request that is refused early."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import LAUNCH, NEEDS_CHROMIUM
from tests.uploads.images import sha256_of
from tests.uploads.site import Admin, Site

pytestmark = [*NEEDS_CHROMIUM]
HERE = Path(__file__).parent
CLIENT = HERE / "tus-js-client-4.3.1.min.js"
HUGE = 400_000_000
BEGIN = """([token, options, pauseAt]) => new Promise((done, failed) => {
    const blob = document.querySelector('#image').files[0]
    window.statuses = []
    const upload = new tus.Upload(blob, {
        endpoint: '/uploads/', headers: {'X-CSRFToken': token}, metadata: {filename: '授权.tar'}, retryDelays: null,
        storeFingerprintForResuming: false, onSuccess: () => done(new URL(upload.url, location).href),
        onError: error => done(`failed: ${error.message}`),
        onAfterResponse: (request, answer) => { window.statuses.push(answer.getStatus()) },
        onProgress: sent => {
            if (!pauseAt || sent < pauseAt) return
            pauseAt = 0
            upload.abort().then(() => done(new URL(upload.url, location).href))
        },
        ...options
    })
    window.upload = upload
    upload.start()
})"""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return LAUNCH


@pytest.fixture
def page(browser: Browser, admin: Admin, image: Path) -> Iterator[Page]:
    """The home page of somebody who has signed in, with the client and a chosen file."""
    context = browser.new_context()
    context.add_cookies([{"name": it.name, "value": it.value or "", "url": admin.url} for it in admin.session.cookies])
    page = context.new_page()
    page.goto(admin.url)
    page.evaluate(CLIENT.read_text())
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'image'}))")
    page.set_input_files("#image", image)
    yield page
    context.close()


def begin(page: Page, admin: Admin, pause_at: int = 0, **options: Any) -> str:
    """The URL of the upload, once it is done, or paused; or how it failed."""
    return str(page.evaluate(BEGIN, [admin.token, options, pause_at]))


def ensure_taken(site: Site, admin: Admin, url: str, image: Path) -> None:
    verdict = admin.submit(url)
    assert verdict.status == 200, url
    taken = site.image(verdict.registration)
    assert (taken.received, taken.filename) == (sha256_of(image), "授权.tar")


def test_the_client_is_the_file_that_the_readme_says_it_is() -> None:
    assert hashlib.sha256(CLIENT.read_bytes()).hexdigest() in (HERE / "README.md").read_text()


def test_it_uploads_in_one_piece(site: Site, admin: Admin, page: Page, image: Path) -> None:
    ensure_taken(site, admin, begin(page, admin), image)


def test_it_pauses_and_resumes(site: Site, admin: Admin, page: Page, image: Path) -> None:
    url = begin(page, admin, 9_000_000, chunkSize=4_000_000)
    assert 0 < admin.offset(url) < image.stat().st_size
    assert begin(page, admin, uploadUrl=url, chunkSize=6_000_000) == url
    ensure_taken(site, admin, url, image)


def test_it_sends_the_first_bytes_with_the_announcement(site: Site, admin: Admin, page: Page, image: Path) -> None:
    url = begin(page, admin, chunkSize=8_000_000, uploadDataDuringCreation=True)
    assert page.evaluate("statuses") == [201, 204, 204, 204]
    ensure_taken(site, admin, url, image)


def test_it_terminates(admin: Admin, page: Page) -> None:
    url = begin(page, admin, 5_000_000, chunkSize=4_000_000)
    page.evaluate("upload.abort(true)")
    assert admin.head(url).status_code == 404


def test_it_uploads_where_only_post_passes(site: Site, admin: Admin, page: Page, image: Path) -> None:
    ensure_taken(site, admin, begin(page, admin, overridePatchMethod=True, chunkSize=20_000_000), image)


def test_it_says_that_a_length_is_needed_first(admin: Admin, page: Page) -> None:
    assert "response code: 400" in begin(page, admin, uploadLengthDeferred=True, chunkSize=8_000_000)


SEND = """([token, url, offset]) => new Promise(done => {
    const request = new XMLHttpRequest()
    let sent = 0
    request.open('PATCH', url)
    const headers = {'X-CSRFToken': token, 'Tus-Resumable': '1.0.0', 'Upload-Offset': offset}
    for (const name in headers) request.setRequestHeader(name, headers[name])
    request.setRequestHeader('Content-Type', 'application/offset+octet-stream')
    request.upload.onprogress = event => { sent = event.loaded }
    request.onloadend = () => done([request.status, request.responseText, sent])
    request.send(document.querySelector('#image').files[0])
})"""


def test_a_refusal_reaches_the_page_long_before_all_was_sent(admin: Admin, page: Page, tmp_path: Path) -> None:
    nonsense = tmp_path / "holes.tar"
    with nonsense.open("wb") as file:
        file.write(b"no archive" * 1000)
        file.truncate(HUGE)
    page.set_input_files("#image", nonsense)
    for offset, refusal, words in (("5", 409, "0 bytes of the file are here"), ("0", 422, "not an image archive")):
        url = admin.create(HUGE)
        status, text, sent = page.evaluate(SEND, [admin.token, url, offset])
        assert (status, words in text) == (refusal, True)
        assert sent < HUGE / 2
