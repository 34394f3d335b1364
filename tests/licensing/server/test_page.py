"""The page for people, without a script (R5, R6)."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from werkzeug.test import TestResponse

from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from tests.licensing.server.troubled import Troubled
from wizard.licensing.protocol import api
from wizard.licensing.protocol.words import fingerprint_words
from wizard.licensing.rules.instance import Asker
from wizard.licensing.rules.limits import DAY, HOUR, LOCK, MINUTE
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server.rate import CHALLENGES, CODES
from wizard.licensing.server.store import DATABASE, Store


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


def test_a_failed_registration_says_why(bench: Bench) -> None:
    bench.verify()
    Member(bench).register()
    bench.now += DAY + 1
    page = read(bench.client.get(api.PAGE))
    assert [item.get_text() for item in page.select(".reason")] == ["no request for more than 24 hours"]


def test_qr_codes_that_are_asked_for_too_often_are_refused_with_the_time_to_wait(bench: Bench) -> None:
    before = link(read(bench.client.get(api.PAGE)))
    for _ in range(CHALLENGES.burst):
        response = bench.client.post(api.PAGE, data={"action": "refresh"})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
    page = read(response)
    assert heading(response) == "Scan the code with a phone"
    assert link(page) != before
    alerts = [item.get_text() for item in page.find_all(role="alert")]
    assert alerts == ["QR codes are asked for too often. The next one is possible in 2 s."]


def test_a_code_that_comes_too_often_is_not_counted_and_can_be_entered_again(bench: Bench) -> None:
    old = read(bench.client.get(api.PAGE))
    bench.client.post(api.PAGE, data={"action": "refresh"})
    for _ in range(CODES.burst):
        bench.client.post(api.PAGE, data=fill(old, "123456"))
    page = read(bench.client.get(api.PAGE))
    right = fill(page, bench.right({"url": link(page)}))
    response = bench.client.post(api.PAGE, data=right)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "10")
    problem = read(response).find(id="problem")
    assert problem is not None
    assert problem.get_text() == "Codes come too fast. This one was not counted. Enter it again in 10 s."
    assert "6 tries are left." in response.text
    bench.now += CODES.refill
    assert bench.client.post(api.PAGE, data=right).status_code == 303


def test_without_a_qr_that_can_be_had_the_page_says_when_the_next_one_comes(bench: Bench) -> None:
    bench.lock()
    bench.now += LOCK - 1
    for _ in range(CHALLENGES.burst):
        bench.post(api.CHALLENGES, {})
    bench.now += 1
    response = bench.client.get(api.PAGE)
    assert (response.status_code, heading(response)) == (429, "There is no QR code yet")
    assert read(response).select_one(".countdown .figure") is not None
    bench.now += CHALLENGES.refill
    assert heading(bench.client.get(api.PAGE)) == "Scan the code with a phone"


def test_after_damage_the_page_says_so_and_no_more_than_it_knows(bench: Bench) -> None:
    bench.verify()
    Member(bench).register()
    bench.stop()
    with closing(sqlite3.connect(bench.config / DATABASE)) as database, database:
        database.execute("UPDATE instance SET counter = 9")
    bench.boot()
    assert heading(bench.client.get(api.PAGE)) == "Locked after its storage was damaged"
    bench.now += LOCK
    response = bench.client.get(api.PAGE)
    assert heading(response) == "Scan the code with a phone"
    assert "Its storage was damaged, so it must be authenticated again" in response.text
    assert "24 hours" not in response.text


@pytest.mark.parametrize(
    ("jump", "said"),
    [
        (3 * HOUR, "The clock of this server was set forward by 3 h, 2 min ago."),
        (-90 * MINUTE, "The clock of this server was set back by 1 h 30 min, 2 min ago."),
    ],
)
def test_a_clock_that_was_set_is_told_for_an_hour(bench: Bench, jump: int, said: str) -> None:
    mark = Mark(now=bench.now, boottime=5, boot_id="one", offset=0, doubted=jump, anomaly=bench.now, jump=jump)
    bench.authorization.store.keep_mark(mark)
    bench.now += 2 * MINUTE
    assert bench.status()["clock"] == {"anomaly_ms_ago": 2 * MINUTE, "jump_ms": jump}
    notes = [" ".join(note.get_text().split()) for note in read(bench.client.get(api.PAGE)).find_all(role="note")]
    assert len(notes) == 1
    assert notes[0].startswith(said)
    bench.now += HOUR - 2 * MINUTE + 1
    assert bench.status()["clock"] == {"anomaly_ms_ago": None, "jump_ms": None}
    assert read(bench.client.get(api.PAGE)).find(role="note") is None


def test_a_clock_that_is_behind_is_told_with_what_to_do_and_until_when(tmp_path: Path) -> None:
    bench = Troubled(tmp_path)
    bench.behind = True
    response = bench.client.get(api.PAGE)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert heading(response) == "The clock of this server is behind"
    assert "3 h before this application was last alive" in response.text
    assert "Set the clock of the server right." in response.text
    assert "in 50 min at the latest" in response.text
    assert goes_on(response)
    bench.behind = False
    assert bench.client.get(api.PAGE).status_code == 200
    bench.kill()


@pytest.mark.parametrize(
    ("trouble", "said", "logged"),
    [
        (Troubled.lose_the_disk, "The storage cannot be used now", "unable to open database file"),
        (Troubled.damage, "The storage is damaged", "A row of the table instance was changed."),
    ],
)
def test_trouble_with_the_storage_is_a_calm_page_and_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trouble: Callable[[Troubled], None], said: str, logged: str
) -> None:
    bench = Troubled(tmp_path)
    trouble(bench)
    response = bench.client.get(api.PAGE)
    assert (response.status_code, heading(response)) == (503, said)
    assert goes_on(response)
    (record,) = caplog.records
    assert (logged in record.getMessage(), record.exc_info) == (True, None)
    bench.kill()


def goes_on(response: TestResponse) -> bool:
    """Whether its script looks for the end of the trouble; `test_trouble` in the browser shows that it finds it."""
    return read(response).find("script", attrs={"data-passing": True}) is not None


def test_a_page_that_is_none_does_not_wait_for_one(bench: Bench) -> None:
    response = bench.client.get("/nowhere")
    assert (response.status_code, heading(response)) == (404, "There is no such page")
    assert not goes_on(response)


class OvertakenStore(Store):
    """So many times, another thread puts a new QR in the place of the one that is being looked at."""

    overtaken = 0

    def qr(self, asker: Asker, id: str) -> bytes | None:
        self.overtaken -= 1
        return None if self.overtaken >= 0 else super().qr(asker, id)


class OvertakenBench(Bench):
    def make_store(self, config: Path, key: bytes) -> Store:
        return OvertakenStore(config, key)


def test_a_qr_that_is_replaced_while_it_is_looked_at_breaks_nothing(tmp_path: Path) -> None:
    bench = OvertakenBench(tmp_path)
    store = bench.authorization.store
    assert isinstance(store, OvertakenStore)
    bench.challenge()
    store.overtaken = 1
    assert heading(bench.client.get(api.PAGE)) == "Scan the code with a phone"
    store.overtaken = 2
    assert heading(bench.client.get(api.PAGE)) == "There is no QR code yet"
    store.overtaken = 1
    response = bench.post(api.CHALLENGES, {})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
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
