"""A file that cannot be the licence image is said to be wrong at once, and nothing of it is sent."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.archive.build import END, entry
from tests.browser.test_walk import findings
from tests.browser.uploading import Place, choose, heard, place, sent_requests
from tests.browser.walk import at, press


def tar(*members: tuple[str, bytes]) -> bytes:
    return b"".join(entry(name, content) for name, content in members) + END


def saved(tag: str) -> bytes:
    """An archive as `docker save` writes it, as far as the browser reads it."""
    manifest = json.dumps([{"Config": "c.json", "RepoTags": [tag], "Layers": []}]).encode()
    return tar(("c.json", b"{}"), ("manifest.json", manifest), ("repositories", b"{}"))


def index(tag: str) -> bytes:
    notes = {"annotations": {"io.containerd.image.name": tag}}
    return tar(("oci-layout", b"{}"), ("index.json", json.dumps({"manifests": [notes]}).encode()))


OURS = saved("fanruan_license_server:1.0.0")
CERTAIN = {
    "empty.tar": (b"", "This file is empty."),
    "image.zip": (b"PK\3\4" + bytes(600), "This is a zip file"),
    "setup.exe": (b"MZ" + bytes(600), "This is a program"),
    "letter.pdf": (b"%PDF-1.7" + bytes(600), "This is a document"),
    "letter.docx": (b"PK\3\4" + bytes(600), "This is a document"),
    "image.tar.bz2": (b"BZh91AY" + bytes(600), "packed in a way that the wizard does not read"),
    "holiday.jpg": (b"\xff\xd8\xff" * 600, "This is no image archive."),
    "zeros.tar": (bytes(2048), "This is no image archive."),
    "backup.tar": (tar(("etc/", b""), ("etc/passwd", b"root")), "There is no image in this archive."),
}
DOUBTFUL = {
    "nginx.tar": (saved("nginx:latest"), "This seems to be another image: nginx:latest"),
    "cut.tar": (OURS[:600], "This archive seems to be damaged."),
    "mixed.tar": (entry("a", b"1") + b"x" * 2048, "This archive seems to be damaged."),
}
GOOD = {
    "docker.tar": (OURS, "fanruan_license_server:1.0.0"),
    "registry.tar": (saved("registry:5000/vendor/fanruan_license_server:1.0.0"), "registry:5000/vendor/"),
    "podman.tar": (index("fanruan_license_server:1.0.0"), "fanruan_license_server:1.0.0"),
    "unnamed.tar": (tar(("manifest.json", b"[{}]")), "This shows while it is sent"),
    "broken.tar": (tar(("manifest.json", b"{")), "This shows while it is sent"),
    "image.tar.gz": (gzip.compress(OURS), "Packed with gzip"),
    "image.tar.xz": (b"\xfd7zXZ\0" + bytes(600), "Packed with xz"),
    "image.tar.zst": (b"\x28\xb5\x2f\xfd" + bytes(600), "Packed with zstd"),
}


@dataclass
class Visit:
    page: Page
    folder: Path

    def choose(self, name: str, content: bytes) -> None:
        file = self.folder / name
        file.write_bytes(content)
        choose(self.page, file)


@pytest.fixture(scope="module")
def wizard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("wizard")) as found:
        yield found


@pytest.fixture
def visit(wizard: Place, context: BrowserContext, tmp_path: Path) -> Visit:
    return Visit(wizard.visit(context), tmp_path)


def test_what_is_certainly_wrong_is_said_at_once_and_cannot_be_sent(visit: Visit) -> None:
    page, problem = visit.page, visit.page.locator("#problem")
    with sent_requests(page) as sent:
        for name, (content, words) in CERTAIN.items():
            visit.choose(name, content)
            expect(problem).to_contain_text(words)
            assert heard(page)[-1] in problem.inner_text()
            expect(page.locator("#file")).to_have_attribute("aria-describedby", "problem")
            expect(page.locator("[data-go]")).to_be_hidden()
            page.locator("form[data-upload]").evaluate("form => form.requestSubmit()")
            expect(problem).to_be_focused()
    assert sent == []
    assert findings(page) == []


def test_what_may_be_wrong_is_said_at_once_and_can_be_sent_all_the_same(visit: Visit) -> None:
    for name, (content, words) in DOUBTFUL.items():
        visit.choose(name, content)
        expect(visit.page.locator("#problem")).to_contain_text(words)
        expect(visit.page.get_by_role("button", name="Send it all the same")).to_be_visible()
    press(visit.page, "Send it all the same")
    problem = visit.page.locator("#step > #problem")  # the server's
    expect(problem).to_contain_text("The archive")
    expect(problem).to_be_focused()


def test_what_can_be_seen_of_a_good_file_is_shown(visit: Visit) -> None:
    for name, (content, words) in GOOD.items():
        visit.choose(name, content)
        expect(visit.page.locator("[data-seen]")).to_contain_text(words)
        expect(visit.page.locator("#problem")).to_have_count(0)


def test_a_good_file_takes_the_problem_of_the_one_before_away(visit: Visit) -> None:
    visit.choose("letter.pdf", CERTAIN["letter.pdf"][0])
    visit.choose("docker.tar", OURS)
    expect(visit.page.locator("#problem")).to_have_count(0)
    expect(visit.page.get_by_role("button", name="Upload the image")).to_be_visible()


def test_a_file_that_is_gone_when_it_is_to_be_sent_is_said(visit: Visit) -> None:
    visit.choose("docker.tar", OURS)
    (visit.folder / "docker.tar").write_bytes(OURS + END)
    press(visit.page, "Upload the image")
    expect(visit.page.locator("#problem")).to_contain_text("The file cannot be read any more.")
    expect(visit.page.locator("#problem")).to_be_focused()
    at(visit.page, "upload")


def test_an_upload_that_is_not_taken_in_says_why(visit: Visit, wizard: Place) -> None:
    owner = f"person {visit.page.url.split('/')[-2].removeprefix('r')}"
    for name in ("one.tar", "two.tar"):
        wizard.uploads.create(owner, 1000, name, "", wizard.desk.now)
    visit.choose("docker.tar", OURS)
    press(visit.page, "Upload the image")
    expect(visit.page.locator("#problem")).to_contain_text("Two uploads of yours have not ended yet.")
    expect(visit.page.locator("#problem")).to_be_focused()


def test_nothing_scrolls_sideways_while_a_file_is_shown(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 380, "height": 800})
    visit.choose("a_file_with_a_long_name_that_cannot_be_broken_anywhere_1.0.0.tar", OURS)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 380
    visit.page.evaluate("document.querySelector('.sending').hidden = false")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 380
