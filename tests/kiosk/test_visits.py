"""A visit is its visitor's alone, leads nowhere else, and nothing of it is left."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import psutil
import pytest
import requests

from tests.kiosk.visiting import MACHINE, STAGE, WIZARD, Kiosk, KioskVisitor, running
from tests.visitor import Visitor
from tests.waiting import until
from wizard.kiosk.front import COOKIE

PLACES = (STAGE, WIZARD, MACHINE, "/phone/static/vendor.css")
OUTSIDE = (
    "/registrations",
    "/nodes",
    "/sign-in",
    "/uploads/",
    "/audit",
    "/metrics",
    "/phone/demonstration/fanruan_license_server.tar",
    "/phone/openapi.json",
    f"{WIZARD}/../../nodes",
    "/kiosk/other/",
    "/registrations/visitors",
)
"""What a visitor must not reach, whether it is there or not."""


@pytest.fixture
def fresh() -> Iterator[Kiosk]:
    with running() as kiosk:
        yield kiosk


def links(visitor: Visitor) -> set[str]:
    """Where the page that is open leads, by links, forms, frames, scripts and styles."""
    attributes = ("href", "src", "action", "formaction", "hx-get", "hx-post")
    found = {str(tag[name]) for tag in visitor.page.find_all(True) for name in attributes if tag.has_attr(name)}
    return {urljoin(visitor.url, link) for link in found}


def lives(process: psutil.Process) -> bool:
    """One that only waits to be buried does not."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_no_page_of_a_visit_leads_out_of_the_kiosk(kiosk: Kiosk, visitor: KioskVisitor) -> None:
    seen: set[str] = set()

    def look() -> None:
        for page in (STAGE, WIZARD, MACHINE, f"{STAGE}phone"):
            seen.update(links(visitor.open(page)))
            assert visitor.page.select("[download], [target=_blank], input[type=file]") == [], page

    look()
    visitor.take_the_sample()
    look()
    visitor.deploy()
    look()
    path = visitor.show_the_qr()
    seen.update(links(visitor))
    code = visitor.ask_the_phone(path)
    seen.update(links(visitor))
    visitor.enter(code)
    look()
    visitor.register()
    look()
    assert {urlsplit(link).netloc for link in seen} == {urlsplit(kiosk.url).netloc}
    inside = ("/static/", STAGE, "/registrations/visit", "/L/", "/phone/L/", "/phone/static/", "/end", "/language")
    assert [link for link in seen if not urlsplit(link).path.startswith(inside)] == []


def test_what_is_not_a_visitors_is_not_there(kiosk: Kiosk, visitor: KioskVisitor) -> None:
    assert {path: visitor.open(path).status for path in OUTSIDE if visitor.open(path).status not in (403, 404)} == {}


def test_without_a_visit_there_is_nothing_but_the_attract_screen(kiosk: Kiosk) -> None:
    stranger = KioskVisitor(home=kiosk.url)
    assert [stranger.open(place).status for place in PLACES] == [403] * len(PLACES)
    assert stranger.open("/").heading == "Bring a licence to life"


def test_two_visitors_see_nothing_of_each_other(fresh: Kiosk) -> None:
    one, other = KioskVisitor(home=fresh.url), KioskVisitor(home=fresh.url)
    one.begin()
    one.take_the_sample()
    one.deploy()
    other.begin()
    assert other.open(WIZARD).page.select_one("#step[data-step=upload]")
    assert other.happened() == []
    other.verify()  # the same node, the same port, at the same time
    assert one.to("scan").status == 200
    assert one.cookies != other.cookies


def test_only_so_many_visitors_are_let_in(fresh: Kiosk) -> None:
    visitors = [KioskVisitor(home=fresh.url) for _ in range(3)]
    for visitor in visitors[:2]:
        visitor.begin()
    until(lambda: len(fresh.worlds) == 3, "the third world is begun")
    visitors[2].open("/").press("Start")
    assert (visitors[2].status, visitors[2].has("Everything is taken")) == (503, True)
    visitors[0].leave()
    visitors[2].begin()


def test_nothing_is_left_of_a_visit(fresh: Kiosk) -> None:
    visitor = KioskVisitor(home=fresh.url)
    visitor.begin()
    [own] = [world for world in fresh.worlds if (world / "wizard.db").exists()][:1]
    visitor.take_the_sample()
    visitor.deploy()
    cookies = visitor.cookies
    processes = [process for process in fresh.processes() if str(own) in " ".join(process.cmdline())]
    assert processes
    visitor.leave()
    assert visitor.cookies == ""
    late = KioskVisitor(home=fresh.url)
    late.wear(cookies)
    assert [late.open(place).status for place in PLACES] == [403] * len(PLACES)
    until(lambda: not own.exists(), "the folder is gone")
    assert [process for process in processes if lives(process)] == []


@pytest.mark.long
def test_a_visitor_who_has_gone_is_forgotten() -> None:
    with running(KIOSK_IDLE="2") as kiosk:
        visitor = KioskVisitor(home=kiosk.url)
        visitor.begin()
        [own] = [world for world in kiosk.worlds if (world / "wizard.db").exists()][:1]
        until(lambda: visitor.open(STAGE).status == 403, "the visit is over", patience=30)
        until(lambda: not own.exists(), "the folder is gone")


def test_a_world_lets_nobody_in_but_the_kiosk(kiosk: Kiosk, visitor: KioskVisitor) -> None:
    for port in range(kiosk.port + 1, kiosk.port + 4):
        try:
            answer = requests.get(f"http://127.0.0.1:{port}{STAGE}", timeout=5)
        except requests.ConnectionError:
            continue
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_no_other_site_begins_or_ends_a_visit(kiosk: Kiosk, headers: dict[str, str]) -> None:
    for path in ("/begin", "/end", "/touch"):
        assert requests.post(kiosk.url + path, headers=headers, timeout=5).status_code == 403


def test_all_is_gone_when_the_kiosk_stops(tmp_path: Path) -> None:
    with running() as kiosk:
        visitor = KioskVisitor(home=kiosk.url)
        visitor.begin()
        visitor.take_the_sample()
        visitor.deploy()
        processes = kiosk.processes()
        assert COOKIE in visitor.cookies
    assert [process for process in processes if lives(process)] == []
    assert kiosk.worlds == []
