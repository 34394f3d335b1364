"""The activation page in real Chromium: on a phone and on a desk, in light and in dark."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browsing import LAUNCH, NEEDS_CHROMIUM, served
from tests.licensing.vendor.instances import Instance, issued, small_office
from tests.licensing.vendor.test_app import REFUSED
from wizard.licensing.protocol.words import WORDS
from wizard.licensing.vendor.app import assemble, utc_now
from wizard.licensing.vendor.office import Office

pytestmark = [*NEEDS_CHROMIUM]

SIZES = {"phone": (380, 800), "desk": (1280, 800)}
THEMES = ("light", "dark")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return LAUNCH


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = small_office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def site(office: Office) -> Iterator[str]:
    """Where the activation page answers, in the time that is."""
    with served(assemble(office, activation="http://127.0.0.1:8001", clock=utc_now)) as address:
        yield address


@pytest.fixture
def instance(office: Office) -> Instance:
    return Instance(issued(office, now=datetime.now(UTC)))


def opened(page: Page, site: str, instance: Instance) -> Page:
    page.goto(f"{site}/L/{instance.scan(at=datetime.now(UTC))}")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def findings(page: Page) -> list[str]:
    """What axe finds in both themes."""
    found = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        report = Axe().run(page).response
        found += [f"{theme}: {violation['id']}: {violation['nodes'][0]['html']}" for violation in report["violations"]]
    return found


@pytest.mark.parametrize("size", SIZES)
def test_issuing_and_declining_are_equally_large_side_by_side_and_in_view(
    page: Page, site: str, instance: Instance, size: str
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    opened(page, site, instance)
    issue, decline = (page.get_by_role("button", name=name).bounding_box() for name in ("Issue the code", "Decline"))
    assert issue
    assert decline
    assert (issue["y"], issue["height"]) == (decline["y"], decline["height"])
    assert issue["width"] == pytest.approx(decline["width"], abs=1)
    assert issue["height"] >= 48
    assert issue["y"] + issue["height"] <= height


@pytest.mark.parametrize("width", [320, 380, 1280])
def test_the_code_is_large_and_nothing_is_wider_than_the_screen(
    page: Page, site: str, instance: Instance, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, site, instance)
    longest = page.locator(".words li").first.evaluate(
        "(box, words) => words.filter(word => { box.textContent = word; return box.scrollWidth > box.clientWidth })",
        WORDS,
    )
    assert longest == []
    press(page, "Issue the code")
    code = page.locator("#code")
    expect(code).to_be_in_viewport(ratio=1)
    assert float(code.evaluate("box => parseFloat(getComputedStyle(box).fontSize)")) >= 48
    assert code.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_time_left_counts_down_and_ends(page: Page, site: str, instance: Instance) -> None:
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC).timestamp() + 60)
    opened(page, site, instance)
    left = page.locator(".left")
    minutes, seconds = (int(number) for number in left.inner_text().split() if number.isdigit())
    page.clock.run_for(60_000)
    expect(left).to_have_text(f"{minutes - 1} min {seconds} s left")
    page.clock.run_for(300_000)
    expect(left).to_have_text("expired")
    expect(page.locator("progress")).to_have_js_property("value", 0)


def test_times_of_day_are_the_readers_own(page: Page, site: str, instance: Instance) -> None:
    assert page.context.browser
    context = page.context.browser.new_context(timezone_id="Asia/Shanghai", service_workers="block")
    opened(context.new_page(), site, instance)
    shown = context.pages[0].locator(".time time")
    stated = datetime.fromisoformat(str(shown.get_attribute("datetime")))
    expect(shown).to_have_text(f"{(stated.hour + 8) % 24:02}:{stated.minute:02}")
    context.close()


def test_axe_finds_nothing_on_any_page_and_the_console_stays_silent(
    page: Page, site: str, instance: Instance, office: Office
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "status of" not in message.text else None)
    page.set_viewport_size({"width": 380, "height": 800})
    found = findings(opened(page, site, instance))
    press(page, "Issue the code")
    found += findings(page)
    opened(page, site, instance)
    press(page, "Decline")
    found += findings(page)
    for scan, status, heading in REFUSED:
        response = page.goto(f"{site}/L/{scan(Instance(issued(office)), office)}")
        assert response
        assert response.status == status
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        found += findings(page)
    assert found == []
    assert complaints == []
