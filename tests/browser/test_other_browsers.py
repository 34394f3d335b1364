"""The whole journey in Firefox and in WebKitGTK, as in Chromium (test_walk.py), each with a tab as the phone."""

import subprocess
from pathlib import Path

import pytest

from tests.browser.drivers import BROWSERS, Driver, lacking
from tests.browser.walk import PASSWORD
from tests.instance import Instance
from tests.journey import NODE, download

LOOK = """
const { scrollWidth } = document.documentElement;
return [document.activeElement.localName, scrollWidth > innerWidth ? `${scrollWidth} > ${innerWidth}` : ""];
"""


def at(driver: Driver, slug: str) -> None:
    """The step is there, in the page that was loaded at the first one; the focus is at its heading."""
    driver.see(f"#step[data-step={slug}] h1")
    assert driver.run("return window.isTheSamePage") is True, f"{slug} is another page"
    assert driver.run(LOOK) == ["h1", ""], slug


def read(picture: Path) -> str:
    command = ["zbarimg", "--quiet", "--raw", str(picture)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def begin(driver: Driver, link: str) -> None:
    driver.open(link)
    for field in ("password", "again"):
        driver.fill(f"#{field}", PASSWORD)
    driver.press("Save and sign in")
    driver.press("Register a project")
    driver.see("#step[data-step=upload]")
    driver.run("window.isTheSamePage = true")


def choose_image_node_and_port(driver: Driver, folder: Path) -> None:
    offered = driver.run("return document.querySelector('a[download]').href")
    driver.choose("#file", str(download(offered, folder)))
    driver.see("[data-seen]", "fanruan_license_server:1.0.0")
    driver.press("Upload the image")
    driver.press("Use this image")
    at(driver, "node")
    driver.press("", f"input[value='{NODE}']")
    driver.press("Use this node")
    at(driver, "port")
    driver.press("Check and use this port")
    driver.see("#step[data-step=deploy], #problem")
    if driver.run("return document.getElementById('problem') !== null"):  # another installation has it
        driver.press("Use ", "#problem button")
    at(driver, "deploy")


def carry_the_code_across(driver: Driver, folder: Path) -> None:
    picture = folder / "screen.png"
    picture.write_bytes(driver.picture(".qr-card"))
    with driver.tab():
        driver.open(read(picture))
        driver.press("Issue the code")
        driver.see("#code")
        code = driver.run("return document.getElementById('code').dataset.code")
    driver.press("Enter the six digits")
    at(driver, "code")
    driver.fill("#code", str(code))
    driver.press("Verify the code")


@pytest.mark.parametrize("name", BROWSERS)
def test_another_browser_goes_the_whole_way(name: str, instance: Instance, tmp_path: Path) -> None:
    if missing := lacking(name):
        pytest.skip(f"not installed: {', '.join(missing)}")
    profile = tmp_path / "profile"
    profile.mkdir()
    with BROWSERS[name](profile) as driver:
        begin(driver, instance.link)
        choose_image_node_and_port(driver, tmp_path)
        driver.press("Deploy to")
        driver.see("main", "The authorization application answers.")
        driver.press("Show the QR code")
        at(driver, "scan")
        carry_the_code_across(driver, tmp_path)
        at(driver, "register")
        driver.press("Register ")
        driver.see("h1", "is registered")
        assert driver.run("return window.isTheSamePage") is True
