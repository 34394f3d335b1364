"""The authorization application's own page in front of a camera: zbar reads the address that the API tells (R5)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.licensing.issuing import Vendor
from tests.licensing.server.process import ADDRESS, Process
from wizard.licensing.protocol import api

THEMES = ("light", "dark")
SCALES = (1, 2)
"""Pixels of the screen for each pixel of the page."""
WIDTHS = (1280, 380)
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("server"), Vendor())
    yield process
    process.end()


def shown(browser: Browser, process: Process, *, theme: str, scale: int = 1, width: int = 1280) -> Page:
    context = browser.new_context(
        color_scheme=theme,  # type: ignore[arg-type]
        device_scale_factor=scale,
        viewport={"width": width, "height": 900},
        ignore_https_errors=True,
    )
    page = context.new_page()
    page.goto(f"https://{ADDRESS}:{process.port}{api.PAGE}")
    return page


def read(picture: Path) -> list[str]:
    """Every code that is found in the picture."""
    run = subprocess.run(
        ["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, text=True, check=True, timeout=30
    )
    return run.stdout.splitlines()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("theme", THEMES)
def test_a_camera_reads_the_address_of_the_challenge(
    browser: Browser, process: Process, tmp_path: Path, theme: str, scale: int, width: int
) -> None:
    page = shown(browser, process, theme=theme, scale=scale, width=width)
    picture = tmp_path / "screen.png"
    page.screenshot(path=picture)
    page.context.close()
    assert read(picture) == [process.get(api.STATUS)["challenge"]["url"]]


def test_the_dark_page_is_another_picture_than_the_light_one(browser: Browser, process: Process) -> None:
    pages = [shown(browser, process, theme=theme) for theme in THEMES]
    light, dark = (page.evaluate(BACKGROUND) for page in pages)
    for page in pages:
        page.context.close()
    assert light != dark
