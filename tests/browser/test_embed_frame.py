"""How the page behaves in a frame: its size, its life, what it tells, and what it does without scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Frame, Page, Playwright, expect

from app import assemble
from examples.fineops.application import AUDIENCE, ISSUER, Launcher, create_app
from tests.browser.embedding import ALGORITHM, HOST, as_page, embedded, messages, without_third_party_cookies
from tests.browser.test_walk import THEMES
from tests.browser.walk import SLOW, at, press
from tests.browsing import LAUNCH, served
from tests.desk import FakeDesk
from tests.embedding import MemoryLaunches, private_key, public_key
from tests.instance import free_ports
from tests.journey import NODE, download
from tests.memory_store import MemoryAccounts
from tests.waiting import until
from wizard.domain.launch import Issuer
from wizard.steps import FLOW
from wizard.web.frames import Embedding

ON_A_GROUND = "document.documentElement.style.background = getComputedStyle(document.body).getPropertyValue('--ground')"
"""The frame has none of its own: axe cannot see the one of the page around it."""


@dataclass(frozen=True)
class Site:
    """The wizard over fakes within FineOps; the clock of both is in our hands, and the browser's as well."""

    desk: FakeDesk
    page: Page
    frame: Frame

    def passes(self, **time: float) -> None:
        span = timedelta(**time)
        self.desk.clock.now += span
        self.page.clock.fast_forward(int(span.total_seconds() * 1000))

    @property
    def inside(self) -> Page:
        return as_page(self.frame)


@pytest.fixture
def browser_type_launch_args() -> dict[str, object]:
    return LAUNCH | {"args": [*LAUNCH["args"], f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]}


@pytest.fixture
def site(tmp_path: Path, playwright: Playwright, browser_type_launch_args: dict[str, object]) -> Iterator[Site]:
    desk, port = FakeDesk.in_folder(tmp_path), free_ports(1)
    launcher = Launcher(private_key=private_key(ALGORITHM), algorithm=ALGORITHM.value, clock=desk.clock)
    with served(create_app(f"http://127.0.0.1:{port}", launcher, {"sales": "Sales reports"})) as address:
        fineops = address.replace("127.0.0.1", HOST)
        issuer = Issuer(
            name="FineOps",
            iss=ISSUER,
            aud=AUDIENCE,
            algorithm=ALGORITHM,
            key=public_key(ALGORITHM),
            origins=(fineops,),
        )
        embedding = Embedding(issuers=(issuer,), launches=MemoryLaunches())
        app = assemble(FLOW, desk.services, MemoryAccounts(), secret_key="a secret for tests", embedding=embedding)
        browser = playwright.chromium.launch(**browser_type_launch_args)  # type: ignore[arg-type]
        with served(app, port=port), browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.clock.install()
            page.goto(f"{fineops}/ops/decision/projects/sales/registration")
            frame = page.frame(name="wizard")
            assert frame is not None
            at(as_page(frame), "upload")
            yield Site(desk, page, frame)


def test_the_frame_is_as_high_as_what_is_in_it_and_shrinks_again(site: Site) -> None:
    heights = [height_of(site)]
    press(site.inside, "Upload the image")
    expect(site.inside.locator("#problem")).to_be_visible()
    heights.append(height_of(site))
    site.page.set_viewport_size({"width": 600, "height": 900})
    expect(site.inside.locator(".rail-short")).to_be_visible()
    heights.append(height_of(site))
    site.page.set_viewport_size({"width": 1280, "height": 900})
    expect(site.inside.locator(".rail-long")).to_be_visible()
    heights.append(height_of(site))
    assert heights[0] < heights[1] < heights[2]
    assert heights[3] == heights[1]


def test_a_frame_that_is_hidden_for_a_while_asks_for_no_other_height(site: Site) -> None:
    before = height_of(site)
    for width in ("0", "100%"):
        site.page.locator("iframe").evaluate("(frame, width) => { frame.style.width = width; }", width)
        until(partial(site.frame.evaluate, f"(innerWidth === 0) === {str(width == '0').lower()}"), "it is so wide")
        site.frame.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert height_of(site) == before
    assert {message["height"] for message in messages(site.page, "resize")} == {before}


def height_of(site: Site) -> int:
    """Of the frame, once it is as high as what is in it: nothing scrolls in it, and nothing is left over."""
    fits = "Math.abs(innerHeight - document.body.getBoundingClientRect().height) < 2"
    until(lambda: site.frame.evaluate(fits), "the frame is as high as its page")
    assert site.frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
    return int(messages(site.page, "resize")[-1]["height"])


def test_a_frame_that_nobody_uses_says_that_it_will_end_and_ends(site: Site) -> None:
    site.passes(minutes=13, seconds=30)
    expect(site.inside.get_by_text("Are you still there?")).to_be_visible()
    expect(site.inside.locator("[data-ending]")).to_contain_text("1 min")
    site.passes(minutes=1, seconds=40)
    expect(site.inside.get_by_role("heading", name="This page has ended.")).to_be_visible()
    expect(site.inside.get_by_text("Open it again from FineOps")).to_be_visible()
    expect(site.page.locator("#messages li[data-type=ended]")).to_have_count(1)


def test_whoever_says_so_stays(site: Site) -> None:
    site.passes(minutes=13, seconds=30)
    site.inside.get_by_role("button", name="Stay here").click()
    expect(site.inside.get_by_text("Are you still there?")).to_be_hidden()
    site.passes(minutes=10)
    press(site.inside, "Upload the image")
    expect(site.inside.locator("#problem")).to_be_visible()
    assert messages(site.page, "ended") == []


def test_a_frame_that_is_used_goes_on_by_itself(site: Site) -> None:
    for _ in range(4):
        site.inside.locator("h1").click()
        site.passes(minutes=8)
        site.page.clock.run_for(6000)
        expect(site.inside.get_by_text("Are you still there?")).to_be_hidden()
    press(site.inside, "Upload the image")
    expect(site.inside.locator("#problem")).to_be_visible()


def test_a_bearer_that_the_wizard_no_longer_takes_ends_the_frame_at_the_next_press(site: Site) -> None:
    site.desk.clock.now += timedelta(hours=13)
    press(site.inside, "Upload the image")
    expect(site.inside.get_by_role("heading", name="This page has ended.")).to_be_visible()
    expect(site.page.locator("#messages li[data-type=ended]")).to_have_count(1)


def test_axe_finds_nothing_in_any_state_of_a_frame(site: Site) -> None:
    found = {"begun": findings(site)}
    site.passes(minutes=13, seconds=30)
    expect(site.inside.get_by_text("Are you still there?")).to_be_visible()
    found["ending"] = findings(site)
    press(site.inside, "Upload the image")
    expect(site.inside.locator("#problem")).to_be_visible()
    found["refused form"] = findings(site)
    site.desk.clock.now += timedelta(hours=13)
    press(site.inside, "Upload the image")
    expect(site.inside.get_by_role("heading", name="This page has ended.")).to_be_visible()
    found["ended"] = findings(site)
    site.page.evaluate("document.getElementById('launch').submit()")
    expect(site.inside.get_by_role("heading", name="This launch has expired.")).to_be_visible()
    found["refused launch"] = findings(site)
    assert {state: it for state, it in found.items() if it} == {}


def findings(site: Site) -> list[str]:
    """What axe finds in the frame, in both themes."""
    found: list[str] = []
    for theme in THEMES:
        site.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        site.frame.evaluate(ON_A_GROUND)
        report = Axe().run(site.inside).response
        found += [f"{theme}: {violation['id']}: {violation['nodes'][0]['html']}" for violation in report["violations"]]
    return found


def test_an_answer_of_the_wizard_is_told_to_the_origin_of_the_token_alone() -> None:
    script = Path("static/embed.js").read_text()
    assert script.count("postMessage(") == 1
    assert '"*"' not in script


def test_without_scripts_the_frame_works_over_https(playwright: Playwright, tmp_path: Path) -> None:
    with (
        embedded(tmp_path, "https") as site,
        without_third_party_cookies(playwright, tmp_path, java_script_enabled=False) as context,
    ):
        frame = opened_by_hand(site.open(context.new_page()), context)
        inside = as_page(frame)
        link = inside.get_by_role("link", name="Download a demonstration image").get_attribute("href")
        inside.locator("#file").set_input_files(download(link or "", tmp_path))
        press(inside, "Upload the image")
        expect(inside.get_by_role("button", name="Use this image")).to_be_visible(timeout=SLOW)
        press(inside, "Use this image")
        at(inside, "node")
        inside.locator(f"input[value='{NODE}']").check()
        press(inside, "Use this node")
        at(inside, "port")
        inside.get_by_role("link", name="Back to").click()
        at(inside, "node")
        expect(inside.locator("header.top")).to_have_count(0)


def opened_by_hand(frame: Frame, context: BrowserContext) -> Frame:
    """Without scripts FineOps' own button sends the token."""
    frame.page.get_by_role("button", name="Open the wizard").click()
    at(as_page(frame), "upload")
    return frame
