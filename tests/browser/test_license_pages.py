"""The authorization application's page in each state, and in each trouble: as axe and the browser's console see it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_walk import findings
from tests.browsing import served as serving
from tests.licensing.server.troubled import WORLDS, Troubled
from wizard.licensing.protocol import api
from wizard.licensing.rules.limits import DAY, HOUR, LOCK, QR_VALID
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server.rate import CHALLENGES

ADDRESS = "127.0.0.6"
EXPECTED = ("status of 429", "status of 503")
"""How a browser reports that such a page has come."""


def expire(bench: Troubled) -> None:
    bench.challenge()
    bench.now += QR_VALID + 1


def crowd(bench: Troubled) -> None:
    bench.lock()
    bench.now += LOCK - 1
    for _ in range(CHALLENGES.burst):
        bench.post(api.CHALLENGES, {})
    bench.now += 1


def fail(bench: Troubled) -> None:
    bench.verify()
    bench.member.register()
    bench.now += DAY + 1


def set_the_clock(bench: Troubled) -> None:
    mark = Mark(now=bench.now, boottime=5, boot_id="one", doubted=HOUR, anomaly=bench.now, jump=HOUR)
    bench.authorization.store.keep_mark(mark)


def block(bench: Troubled) -> None:
    for _ in range(5):
        bench.lock()
        bench.now += LOCK


def break_down(bench: Troubled) -> None:
    """Damaged, and started again."""
    bench.damage()
    bench.kill()
    bench.boot()


STATES: Mapping[str, Callable[[Troubled], object]] = {
    **WORLDS,
    "expired": expire,
    "crowded": crowd,
    "failed": fail,
    "clock set": set_the_clock,
    "blocked": block,
    "broken down": break_down,
}


@contextmanager
def served(bench: Troubled) -> Iterator[str]:
    """The address of its page, while its application is served to a browser."""
    try:
        with serving(bench.client.application, ADDRESS) as address:
            yield f"{address}{api.PAGE}"
    finally:
        bench.behind = False
        bench.kill()


def listen(page: Page) -> list[str]:
    complaints: list[str] = []

    def heard(text: str) -> None:
        if not any(expected in text for expected in EXPECTED):
            complaints.append(text)

    page.on("console", lambda message: heard(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


@pytest.mark.parametrize("state", STATES)
def test_no_state_of_the_page_has_a_fault_that_a_tool_finds(browser: Browser, tmp_path: Path, state: str) -> None:
    bench = Troubled(tmp_path)
    STATES[state](bench)
    with served(bench) as url:
        page = browser.new_page()
        complaints = listen(page)
        page.goto(url)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert findings(page) == []
        assert complaints == []
        page.context.close()


def test_a_page_in_trouble_goes_on_by_itself_when_the_trouble_is_over(browser: Browser, tmp_path: Path) -> None:
    bench = Troubled(tmp_path)
    bench.behind = True
    with served(bench) as url:
        page = browser.new_page()
        page.goto(url)
        expect(page.get_by_role("heading", level=1)).to_have_text("The clock of this server is behind")
        bench.behind = False
        expect(page.get_by_role("heading", level=1)).to_have_text("Scan the code with a phone", timeout=15_000)
        page.context.close()
