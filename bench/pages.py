"""The pages as Lighthouse sees them, and how little goes over the wire for them (`make bench BENCH=pages`)."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright

from bench.rivals import Lacking, npm_install
from tests import figures, journey
from tests.browser.uploading import place
from tests.browser.wire import LARGEST_PARTIAL, MOST_BYTES, MOST_REQUESTS, partials
from tests.browsing import CHROMIUM, LAUNCH
from tests.instance import free_ports, running
from tests.kiosk import visiting
from tests.visitor import RealBrowser, Visitor

LIGHTHOUSE = "lighthouse@12.8.2"
RUNS, TRIES = 3, 3
"""Of the runs the best counts: a busy machine makes a page slower, never faster. Not each browser starts there."""
GOALS: Mapping[str, tuple[str, int]] = {
    "accessibility": ("=", 100),
    "best-practices": ("=", 100),
    "performance": (">=", 98),
}
"""By Lighthouse's categories, on the slow phone that it imitates."""


class Sight(NamedTuple):
    """A page to be looked at, with the cookies of who does."""

    url: str
    cookies: str = ""


Sights = Mapping[str, Sight]
Report = Mapping[str, Any]
Look = Callable[[Sight], Report]


@contextmanager
def wizard() -> Iterator[Sights]:
    """An installation in which somebody has begun a registration."""
    with running() as instance:
        browser = RealBrowser()
        visitor = journey.sign_in(Visitor(browser), instance.link)
        visitor.open("/").press("Register a project")
        pages = {"home": instance.url, "first-step": visitor.url, "nodes": f"{instance.url}/nodes"}
        yield {name: Sight(url, browser.cookies) for name, url in pages.items()}


@contextmanager
def kiosk() -> Iterator[Sights]:
    """A kiosk that nobody is at, and what its visitor sees."""
    with visiting.running(KIOSK_IDLE="3600") as found:
        browser = RealBrowser()
        visitor = visiting.KioskVisitor(browser, found.url).begin()
        yield {"attract": Sight(found.url), "stage": Sight(visitor.url, browser.cookies)}


SURFACES: Mapping[str, Callable[[], AbstractContextManager[Sights]]] = {"wizard": wizard, "kiosk": kiosk}
"""What is looked at, by the name of its figures."""
WEIGHED = frozenset({"wizard"})
"""Those whose pages are to be light. A kiosk is its own server."""


def run() -> bool:
    """Print the figures; whether all of them meet their goals."""
    with TemporaryDirectory(prefix="lighthouse-") as name:
        try:
            look = installed(Path(name))
            met = [measure(look, name, surface) for name, surface in SURFACES.items()]
        except Lacking as lacking:
            print(f"pages: not measured, as this machine lacks {lacking}")
            return False
    return all([*met, weigh_partials()])


def installed(folder: Path) -> Look:
    """Lighthouse, ready to look. Lacking when it cannot be installed."""
    if CHROMIUM is None:
        raise Lacking("chromium")
    npm_install(folder, LIGHTHOUSE)
    program = folder / "node_modules" / "lighthouse" / "cli" / "index.js"

    def look(sight: Sight) -> Report:
        options = [
            "--quiet",
            "--disable-storage-reset",
            "--output=json",
            "--output-path=stdout",
            f"--only-categories={','.join(GOALS)}",
        ]
        for _ in range(TRIES):
            with browsing(sight) as port:
                command = [str(shutil.which("node")), str(program), sight.url, f"--port={port}", *options]
                done = subprocess.run(command, cwd=folder, capture_output=True)
            if done.returncode == 0:
                report: Report = json.loads(done.stdout)
                return report
        raise Lacking(f"a Lighthouse that can look at {sight.url}: {done.stderr.decode()}")

    return look


@contextmanager
def browsing(sight: Sight) -> Iterator[int]:
    """The port by which a new browser is driven; it has the cookies, as a header would be lost by a redirection."""
    port = free_ports(1)
    cookies = [
        {"name": name, "value": morsel.value, "url": sight.url} for name, morsel in SimpleCookie(sight.cookies).items()
    ]
    launch = LAUNCH | {"args": [*LAUNCH["args"], f"--remote-debugging-port={port}"]}
    with TemporaryDirectory(prefix="browser-") as folder, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(folder, **launch)
        context.add_cookies(cookies)  # type: ignore[arg-type]
        yield port
        context.close()


def measure(look: Look, name: str, surface: Callable[[], AbstractContextManager[Sights]]) -> bool:
    met = []
    with surface() as sights:
        for page, sight in sights.items():
            reports = [look(sight) for _ in range(RUNS)]
            met += [tell_score(f"pages.{name}.{page}", category, reports) for category in GOALS]
            if name in WEIGHED:
                met += tell_weight(f"pages.{name}.{page}", reports[0])
    return all(met)


def tell_score(name: str, category: str, reports: list[Report]) -> bool:
    score = max(100 * report["categories"][category]["score"] for report in reports)
    return figures.tell(f"{name}.{category}", score, *GOALS[category])


def tell_weight(name: str, report: Report) -> list[bool]:
    """Of what came over the wire; what was at hand already is in the report, too, with no bytes."""
    sizes = [it.get("transferSize", 0) for it in report["audits"]["network-requests"]["details"]["items"]]
    return [
        figures.tell(f"{name}.bytes", sum(sizes), "<=", MOST_BYTES),
        figures.tell(f"{name}.requests", sum(size > 0 for size in sizes), "<=", MOST_REQUESTS),
    ]


def weigh_partials() -> bool:
    """The largest step in any of its states, as htmx asks for it."""
    with TemporaryDirectory(prefix="wizard-") as folder, place(Path(folder)) as found, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**LAUNCH)
        sizes = partials(browser, found)
        browser.close()
    return figures.tell("pages.partial.bytes", max(sizes.values()), "<=", LARGEST_PARTIAL)
