"""WCAG 2.2 AA, as far as a program can tell, on every page in every state, however it is looked at."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.pages import STATES, opened
from tests.browser.uploading import Place, place
from wizard.licensing.language import LANGUAGES, TAGS

AXE = Axe()
OPTIONS = {"rules": {"target-size": {"enabled": True}}}
"""Beside what axe looks at anyway: targets of at least 24 px, or with as much room (WCAG 2.5.8)."""
NARROW = {"width": 320, "height": 256}
"""1280 x 1024 at 400 % (WCAG 1.4.10)."""
SPACED = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"
"""What a reader may set (WCAG 1.4.12)."""
SPACE = "rules => { const it = new CSSStyleSheet(); it.replaceSync(rules); document.adoptedStyleSheets = [it]; }"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MOVING = """[...document.querySelectorAll("*")].filter((it) => {
  const { animationName, transitionDuration } = getComputedStyle(it);
  return animationName !== "none" || transitionDuration.split(", ").some((one) => parseFloat(one) > 0);
}).map((it) => it.outerHTML.slice(0, 80))"""
FOCUSED = """(() => {
  const it = document.activeElement;
  if (it === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(it);
  const box = it.getBoundingClientRect();
  const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const name = it.outerHTML.slice(0, 80);
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) return [name, "its focus does not show"];
  return [name, over && (it.contains(over) || over.contains(it)) ? "" : "something covers it"];
})()"""
MOST_STOPS = 80
EDGED = "button:not(.plain), .button, input:not([type=radio], [type=checkbox], [type=file]), .card, .note, .mark"
WITHOUT_EDGE = "all => all.filter((it) => getComputedStyle(it).borderStyle === 'none').map((it) => it.outerHTML)"


def axe(page: Page, **media: Any) -> list[str]:
    page.emulate_media(**{"reduced_motion": "reduce"} | media)
    violations = AXE.run(page, options=OPTIONS).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in violations for node in one["nodes"]]


def scrolls_sideways(page: Page) -> list[str]:
    """At 400 %, and with the spacing that a reader sets there."""
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    found = [page.evaluate(SIDEWAYS)]
    page.evaluate(SPACE, SPACED)
    found.append(page.evaluate(SIDEWAYS))
    page.evaluate(SPACE, "")
    page.set_viewport_size({"width": 1280, "height": 900})
    return [f"{pixels} px" for pixels in found if pixels > 0]


def moves(page: Page) -> list[str]:
    """Although the reader asked for no motion."""
    page.emulate_media(reduced_motion="reduce")
    return list(page.evaluate(MOVING))


def loses_the_keyboard(page: Page) -> list[str]:
    """By Tab from the beginning to the end: each stop shows, none is covered, none is a trap."""
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    stops: list[list[str]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or (stops and stop == stops[0]):
            return [": ".join(it) for it in stops if it[1]]
        stops.append(stop)
    return [f"a trap: {stops[-1][0]}"]


def hides_in_forced_colours(page: Page) -> list[str]:
    """With a palette of the reader's: focus shows, a button has its edge, a bar shows how far it is."""
    page.emulate_media(forced_colors="active")
    page.keyboard.press("Tab")
    _, hidden = page.evaluate(FOCUSED)
    found = [hidden] if hidden else []
    found += page.locator(EDGED).filter(visible=True).evaluate_all(WITHOUT_EDGE)
    for bar in page.locator("progress[value]").filter(visible=True).all():
        if bar.evaluate("it => it.value > 0") and colours(bar.screenshot()) < 3:
            found.append(f"the bar looks the same at any value: {bar.evaluate('it => it.outerHTML')}")
    page.emulate_media(forced_colors="none")
    return found


def colours(picture: bytes) -> int:
    return len(Image.open(BytesIO(picture)).convert("RGB").getcolors(1 << 16) or [])


CHECKS: Mapping[str, Callable[[Page], list[str]]] = {
    "light": lambda page: axe(page, color_scheme="light"),
    "dark": lambda page: axe(page, color_scheme="dark"),
    "400 %": scrolls_sideways,
    "no motion": moves,
    "keyboard": loses_the_keyboard,
    "forced colours": hides_in_forced_colours,
}


@pytest.mark.parametrize(
    "language",
    [language if language == "en" else pytest.param(language, marks=pytest.mark.long) for language in LANGUAGES],
)
@pytest.mark.parametrize("name", STATES)
def test_no_state_of_a_page_has_a_fault_that_a_program_finds(
    browser: Browser, wizard: Place, tmp_path_factory: pytest.TempPathFactory, name: str, language: str
) -> None:
    state = STATES[name]
    with ExitStack() as stack:
        where = stack.enter_context(place(tmp_path_factory.mktemp("alone"))) if state.alone else wizard
        page = stack.enter_context(opened(browser, where, state, language))
        assert page.locator("html").get_attribute("lang") == TAGS.get(language, language)
        assert [f"{check}: {fault}" for check, look in CHECKS.items() for fault in look(page)] == []
