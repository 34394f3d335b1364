"""Kill -9 of web, worker, or both, at every step: it goes on where it was, and the license server never noticed."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.instance import Instance, running, start, stop
from tests.journey import NODE, SECONDS, ask_the_vendor, deploy, download, set_port, sign_in
from tests.visitor import Visitor
from tests.waiting import until


@pytest.fixture
def instance() -> Iterator[Instance]:
    with running() as instance:
        yield instance


def license_servers(instance: Instance) -> set[int]:
    """The processes of the authorization applications of this installation."""
    found = set()
    for process in psutil.process_iter(["pid", "cmdline"]):
        words: Sequence[str] = process.info["cmdline"] or ()
        if "wizard.licensing.server" in words and any(str(instance.data) in word for word in words):
            found.add(process.info["pid"])
    return found


def kill(instance: Instance, words: Sequence[str]) -> None:
    for word in words:
        while not (victims := instance.processes(word)):  # killed a moment ago, and not yet started again
            time.sleep(0.05)
        for victim in victims:
            victim.kill()
        psutil.wait_procs(victims, timeout=10)


def deployed(instance: Instance, folder: Path) -> Visitor:
    """A visitor whose authorization application answers."""
    visitor = sign_in(Visitor(), instance.link).press("Register a project")
    visitor.upload(download(visitor.link("Download a demonstration image"), folder)).press("Use this image")
    visitor.press("Use this node", node=NODE)
    set_port(visitor)
    return deploy(visitor)


@pytest.mark.parametrize(
    "victims",
    [
        pytest.param(("wsgi:app",), marks=pytest.mark.long),
        pytest.param(("worker",), marks=pytest.mark.long),
        ("wsgi:app", "worker"),
    ],
    ids=["web", "worker", "both"],
)
def test_killed_at_every_step_it_goes_on_where_it_was(
    instance: Instance, victims: Sequence[str], tmp_path: Path
) -> None:
    visitor = sign_in(Visitor(), instance.link).press("Register a project")

    def crash() -> None:
        assert visitor.status == 200, visitor.text  # what was pressed was not refused
        kill(instance, victims)
        visitor.reload_patiently(SECONDS)

    archive = download(visitor.link("Download a demonstration image"), tmp_path)
    visitor.upload(archive)
    crash()
    visitor.press("Use this image")
    crash()
    visitor.press("Use this node", node=NODE)
    crash()
    set_port(visitor)
    visitor.press("Deploy to")
    crash()
    visitor.wait(lambda page: page.has("authorization application answers"), SECONDS)
    servers = license_servers(instance)
    crash()
    visitor.press("Show the QR code")
    crash()
    code = ask_the_vendor(visitor.one("#challenge").get_text(strip=True))
    visitor.press("Enter the six digits")
    crash()
    visitor.press("Verify the code", code=code)
    crash()
    visitor.press("Register ")
    crash()
    visitor.wait(lambda page: "is registered" in page.heading, SECONDS)
    assert license_servers(instance) == servers


def test_what_is_stopped_with_ctrl_c_is_all_of_it_and_comes_back_as_it_was(tmp_path: Path) -> None:
    first = start(tmp_path / "data")
    visitor = deployed(first, tmp_path)
    assert license_servers(first)
    stop(first)
    assert not license_servers(first)
    again = start(tmp_path / "data", PORT=first.environment["PORT"])
    try:
        until(lambda: shows_the_code(visitor), "the authorization application is back", SECONDS)
        assert license_servers(again)
    finally:
        stop(again)


def shows_the_code(visitor: Visitor) -> bool:
    """The page offers the code once the worker has seen that the container runs again."""
    visitor.reload_patiently(SECONDS)
    if visitor.has("Show the QR code"):
        visitor.press("Show the QR code")
    return bool(visitor.page.select("svg.qr"))


def test_a_killed_launcher_leaves_the_license_server_alone(tmp_path: Path) -> None:
    first = start(tmp_path / "data")
    visitor = deployed(first, tmp_path)
    servers = license_servers(first)
    first.process.kill()
    first.process.communicate(timeout=10)
    again = start(tmp_path / "data", PORT=first.environment["PORT"])
    try:
        until(lambda: shows_the_code(visitor), "the authorization application is reached", SECONDS)
        assert license_servers(again) == servers
    finally:
        stop(again)
