"""The page for people, without a script (R5, R6)."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from werkzeug.test import TestResponse

from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from wizard.licensing.protocol import api
from wizard.licensing.protocol.words import fingerprint_words
from wizard.licensing.rules.limits import DAY, LOCK, MINUTE


def read(response: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def heading(response: TestResponse) -> str:
    page = read(response)
    assert page.h1 is not None
    return page.h1.get_text()


def link(page: BeautifulSoup) -> str:
    anchor = page.find("a", href=re.compile("^HTTP://"))
    assert isinstance(anchor, Tag)
    return str(anchor["href"])


def fill(page: BeautifulSoup, code: str) -> dict[str, str]:
    hidden = page.find("input", attrs={"name": "challenge"})
    assert isinstance(hidden, Tag)
    return {"challenge": str(hidden["value"]), "code": code, "action": "enter"}


def test_the_first_visit_shows_a_qr_and_a_second_one_the_same(bench: Bench) -> None:
    first, second = read(bench.client.get(api.PAGE)), read(bench.client.get(api.PAGE))
    assert link(first) == link(second) == bench.status()["challenge"]["url"]
    svg = first.find("svg")
    assert isinstance(svg, Tag)
    assert svg["role"] == "img"
    assert "style=" not in str(svg)


def test_the_page_shows_the_words_of_the_instance(bench: Bench) -> None:
    words = fingerprint_words(bytes.fromhex(bench.status()["instance"]))
    page = read(bench.client.get(api.PAGE))
    assert [item.get_text() for item in page.select(".words li")] == list(words)


def test_entering_the_code_of_the_phone_leads_to_what_to_do_next(bench: Bench) -> None:
    page = read(bench.client.get(api.PAGE))
    digits = bench.vendor.answer(link(page))
    response = bench.client.post(api.PAGE, data=fill(page, f" {digits[:3]} {digits[3:]} "), follow_redirects=True)
    assert heading(response) == "Verified. Register the project now"
    assert "127.0.0.5" in response.text
    assert "18081" in response.text


def test_a_wrong_code_is_said_beside_the_field_with_the_tries_left(bench: Bench) -> None:
    page = read(bench.client.get(api.PAGE))
    response = bench.client.post(api.PAGE, data=fill(page, bench.wrong({"url": link(page)})))
    assert response.status_code == 422
    again = read(response)
    problem, tries = again.find(id="problem"), again.find(id="tries")
    assert problem is not None
    assert tries is not None
    assert problem.get_text() == "This is not the code for this QR code."
    assert tries.get_text() == "5 tries are left."
    assert link(again) == link(page)


def test_the_last_try_is_announced(bench: Bench) -> None:
    page = read(bench.client.get(api.PAGE))
    for _ in range(5):
        response = bench.client.post(api.PAGE, data=fill(page, bench.wrong({"url": link(page)})))
    assert "One try is left. A wrong code locks the entry for 15 minutes." in response.text


def test_a_lock_shows_the_time_left_and_no_qr(bench: Bench) -> None:
    bench.lock()
    bench.now += MINUTE
    response = bench.client.get(api.PAGE)
    page = read(response)
    assert heading(response) == "Locked after six wrong codes"
    assert (page.find("svg"), page.find("input")) == (None, None)
    assert page.select_one(".figure") is not None
    assert "14:00" in response.text


def test_after_the_lock_a_new_qr_comes_by_itself(bench: Bench) -> None:
    bench.lock()
    bench.now += LOCK
    assert heading(bench.client.get(api.PAGE)) == "Scan the code with a phone"


def test_the_sixth_wrong_code_answers_with_the_lock(bench: Bench) -> None:
    page = read(bench.client.get(api.PAGE))
    for _ in range(6):
        response = bench.client.post(api.PAGE, data=fill(page, bench.wrong({"url": link(page)})))
    assert response.status_code == 423
    assert "15:00" in response.text


def test_an_expired_qr_is_refreshed_by_hand(bench: Bench) -> None:
    first = link(read(bench.client.get(api.PAGE)))
    bench.now += 300_001
    for _ in range(2):
        assert heading(bench.client.get(api.PAGE)) == "The QR code has expired"
    response = bench.client.post(api.PAGE, data={"action": "refresh"})
    assert (response.status_code, response.location) == (303, api.PAGE)
    assert link(read(bench.client.get(api.PAGE))) != first


def test_a_code_for_an_earlier_qr_is_told_apart_from_a_wrong_one(bench: Bench) -> None:
    page = read(bench.client.get(api.PAGE))
    bench.client.post(api.PAGE, data={"action": "refresh"})
    response = bench.client.post(api.PAGE, data=fill(page, "123456"))
    assert response.status_code == 410
    assert "That code was for an earlier QR code. It was not counted." in response.text
    assert "6 tries are left." in response.text


def test_something_that_is_no_code_is_not_counted(bench: Bench) -> None:
    page = read(bench.client.get(api.PAGE))
    response = bench.client.post(api.PAGE, data=fill(page, "hello"))
    assert response.status_code == 400
    assert "6 tries are left." in response.text


def test_an_active_instance_shows_its_projects(tmp_path: Path) -> None:
    bench = Bench(tmp_path, registrations=2)
    bench.verify()
    member = Member(bench, name="<Sales & more>")
    member.register()
    bench.now += 3 * MINUTE
    response = bench.client.get(api.PAGE)
    assert heading(response) == "Active"
    assert "&lt;Sales &amp; more&gt;" in response.text
    assert "none yet" in response.text
    member.beat()
    bench.now += 61 * MINUTE
    assert "1 h 1 min ago" in bench.client.get(api.PAGE).text
    bench.restart()
    assert heading(bench.client.get(api.PAGE)) == "Restarted, waiting for the projects"
    bench.restart(down=DAY + 1)
    assert "shut down for more than 24 hours" in bench.client.get(api.PAGE).text
    bench.kill()


def test_another_site_cannot_use_up_the_tries(bench: Bench) -> None:
    page = read(bench.client.get(api.PAGE))
    response = bench.client.post(api.PAGE, data=fill(page, "123456"), headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert bench.status()["tries_left"] == 6


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", api.PAGE, 200),
        ("GET", api.STATUS, 200),
        ("GET", api.HEALTH, 200),
        ("GET", "/license/static/page.js", 200),
        ("GET", "/nowhere", 404),
        ("GET", f"{api.API}/nowhere", 404),
        ("DELETE", api.PAGE, 405),
        ("POST", api.PAGE, 400),
    ],
)
def test_every_response_carries_the_security_headers(bench: Bench, method: str, path: str, status: int) -> None:
    with bench.client.open(path, method=method) as response:
        assert response.status_code == status
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


def test_no_page_has_anything_inline(bench: Bench) -> None:
    pages = [bench.client.get(api.PAGE), bench.client.get("/nowhere")]
    bench.verify()
    pages.append(bench.client.get(api.PAGE))
    for page in map(read, pages):
        assert not page.find_all("style")
        assert not page.find_all(style=True)
        assert all(script.get("src") and not script.get_text() for script in page.find_all("script"))
        assert not [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")]
