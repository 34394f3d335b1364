"""The activation page in the hands of a phone that runs no script."""

import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.licensing.vendor.instances import NOW, ORDER, Instance, issued, small_office
from wizard.licensing.protocol.qr import Reason, to_path
from wizard.licensing.protocol.words import fingerprint_words
from wizard.licensing.vendor.app import create_app
from wizard.licensing.vendor.office import Office


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Phone:
    """A browser without JavaScript: it opens an address, reads the page, presses a button."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self.page = BeautifulSoup("", "html.parser")
        self.status = 0

    def open(self, scan: str) -> "Phone":
        return self._show(self._client.get(f"/L/{scan}", follow_redirects=True))

    def press(self, label: str, scan: str) -> "Phone":
        form = self.page.select_one("form")
        assert form is not None
        fields = {field["name"]: field["value"] for field in form.select("input")}
        [button] = [button for button in form.select("button") if button.text == label]
        fields[button["name"]] = button["value"]
        return self._show(self._client.post(f"/L/{scan}", data=fields, follow_redirects=True))

    @property
    def code(self) -> str | None:
        shown = self.page.select_one("#code")
        return None if shown is None else str(shown["data-code"])

    @property
    def heading(self) -> str:
        heading = self.page.select_one("h1")
        return "" if heading is None else heading.text

    @property
    def text(self) -> str:
        return " ".join(self.page.text.split())

    def _show(self, response: TestResponse) -> "Phone":
        self.page, self.status = BeautifulSoup(response.text, "html.parser"), response.status_code
        return self


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The same folder as the page's, with a small base."""
    office = small_office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def app(tmp_path: Path, office: Office, clock: Clock) -> Iterator[Flask]:
    app = create_app(tmp_path, activation="http://127.0.0.1:8001", clock=clock)
    yield app
    app.extensions["office"].close()


@pytest.fixture
def phone(app: Flask) -> Phone:
    return Phone(app.test_client())


@pytest.fixture
def instance(office: Office) -> Instance:
    return Instance(issued(office))


def test_a_scan_shows_who_asks_and_why_before_any_code(phone: Phone, instance: Instance) -> None:
    phone.open(instance.scan(reason=Reason.REAUTHENTICATION))
    assert phone.status == 200
    for shown in ("Example <Co> Ltd", "Sales & Reports", "Re-authentication", *fingerprint_words(instance.key)):
        assert shown in phone.text
    assert phone.code is None
    assert [button.text for button in phone.page.select("button")] == ["Issue the code", "Decline"]


def test_issuing_shows_the_six_digits_that_the_instance_expects(phone: Phone, instance: Instance) -> None:
    qr = instance.challenge()
    phone.open(to_path(qr)).press("Issue the code", to_path(qr))
    assert phone.code == instance.code(qr)
    shown = phone.page.select_one("#code")
    assert shown is not None
    assert shown.text == phone.code
    assert "Valid until about 14:07 UTC" in phone.text
    assert phone.open(to_path(qr)).code == instance.code(qr)


def test_declining_shows_no_code_then_or_later(phone: Phone, instance: Instance) -> None:
    scan = instance.scan()
    phone.open(scan).press("Decline", scan)
    assert (phone.heading, phone.code) == ("No code was issued", None)
    assert phone.open(scan).code is None


def test_a_decision_is_answered_with_a_redirect_so_that_a_reload_sends_nothing(app: Flask, instance: Instance) -> None:
    scan = instance.scan()
    client = app.test_client()
    token = BeautifulSoup(client.get(f"/L/{scan}").text, "html.parser").select_one("input[name=token]")
    assert token is not None
    response = client.post(f"/L/{scan}", data={"token": token["value"], "decision": "issue"})
    assert (response.status_code, response.location) == (303, f"/L/{scan}")


@pytest.mark.parametrize("fields", [{}, {"decision": "issue"}, {"decision": "issue", "token": "é"}, {"token": "x"}])
def test_a_form_that_did_not_come_from_the_page_decides_nothing(
    app: Flask, phone: Phone, instance: Instance, fields: dict[str, str]
) -> None:
    scan = instance.scan()
    response = app.test_client().post(f"/L/{scan}", data=fields)
    assert response.status_code == 400
    assert phone.open(scan).heading == "Issue an activation code?"


def test_the_token_of_one_qr_does_not_decide_about_another(phone: Phone, instance: Instance) -> None:
    first, second = instance.scan(), instance.scan()
    assert phone.open(first).press("Issue the code", second).status == 400


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(0), "about 5 min left"),
        (timedelta(minutes=4), "about 1 min left"),
        (timedelta(minutes=5), "expired at about 14:07 UTC"),
        (timedelta(days=3), "expired at about 14:07 UTC"),
        (-timedelta(hours=1), "clock of the authorization application is ahead"),
    ],
)
def test_the_page_says_how_long_the_qr_is_still_good_for(
    phone: Phone, instance: Instance, clock: Clock, age: timedelta, words: str
) -> None:
    scan = instance.scan(at=NOW)
    clock.now = NOW + age
    assert words in phone.open(scan).text
    assert phone.status == 200


def cut_off(instance: Instance, office: Office) -> str:
    return instance.scan()[:-3]


def tampered(instance: Instance, office: Office) -> str:
    qr = instance.challenge()
    return to_path(qr[:-1] + bytes([qr[-1] ^ 1]))


def of_a_stranger(instance: Instance, office: Office) -> str:
    other = issued(office)
    return Instance(replace(other, licence="f" * 16)).scan()


def of_another_instance(instance: Instance, office: Office) -> str:
    office.decide(instance.scan(), issue=True, now=NOW)
    return Instance(instance.claims).scan()


def of_a_copy(instance: Instance, office: Office) -> str:
    office.decide(instance.scan(), issue=True, now=NOW)
    instance.counter -= 1
    return instance.scan()


def put_back(instance: Instance, office: Office) -> str:
    instance.counter = 5
    office.decide(instance.scan(), issue=True, now=NOW)
    instance.counter = 2
    return instance.scan(at=NOW + timedelta(minutes=1))


def destroyed(instance: Instance, office: Office) -> str:
    office.destroy(instance.claims.licence, NOW)
    return instance.scan()


def taken_over_from(instance: Instance, office: Office) -> str:
    office.decide(instance.scan(), issue=True, now=NOW)
    successor = Instance(issued(office, replace(ORDER, supersedes=instance.claims.licence)))
    office.decide(successor.scan(), issue=True, now=NOW)
    return instance.scan()


def older_than_the_last(instance: Instance, office: Office) -> str:
    older = instance.scan()
    office.decide(instance.scan(), issue=True, now=NOW)
    return older


def after_twenty(instance: Instance, office: Office) -> str:
    for _ in range(20):
        office.decide(instance.scan(), issue=True, now=NOW)
    return instance.scan()


REFUSED: list[tuple[Callable[[Instance, Office], str], int, str]] = [
    (cut_off, 400, "This address is incomplete"),
    (tampered, 403, "This QR code is not genuine"),
    (of_a_stranger, 404, "This licence is not known here"),
    (of_another_instance, 409, "This licence belongs to another installation"),
    (of_a_copy, 409, "There seem to be two copies of this installation"),
    (put_back, 409, "This installation was put back to an earlier state"),
    (destroyed, 410, "This licence was destroyed"),
    (taken_over_from, 410, "This licence is no longer active"),
    (older_than_the_last, 410, "This QR code is outdated"),
    (after_twenty, 429, "Too many QR codes in one day"),
]
"""How a scan comes to be refused, with which status and heading."""


@pytest.mark.parametrize(("scan", "status", "heading"), REFUSED)
def test_each_refusal_is_a_page_of_its_own_that_says_what_to_do(
    phone: Phone, instance: Instance, office: Office, scan: Callable[[Instance, Office], str], status: int, heading: str
) -> None:
    phone.open(scan(instance, office))
    assert (phone.status, phone.heading, phone.code) == (status, heading, None)
    assert "What to do next" in phone.text
    assert not phone.page.select("button")


def test_too_many_says_until_when_to_wait(app: Flask, instance: Instance, office: Office) -> None:
    response = app.test_client().get(f"/L/{after_twenty(instance, office)}")
    assert "There is room again in about 24 h (<time" in response.text
    assert "2026-11-25 14:02 UTC" in response.text
    assert response.headers["Retry-After"] == "Wed, 25 Nov 2026 14:02:20 GMT"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/L/", 404),
        ("GET", "/L/A", 400),
        ("DELETE", "/L/A", 405),
        ("POST", "/L/A", 400),
        ("GET", "/healthz", 200),
        ("GET", "/static/vendor.css", 200),
        ("GET", "/static/nothing.css", 404),
    ],
)
def test_every_response_carries_the_strict_headers(app: Flask, method: str, path: str, status: int) -> None:
    response = app.test_client().open(path, method=method)
    assert response.status_code == status
    policy = response.headers["Content-Security-Policy"]
    for rule in (
        "default-src 'none'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    response.close()


def test_a_failure_of_our_own_is_a_page_with_the_strict_headers(tmp_path: Path, instance: Instance) -> None:
    def broken() -> datetime:
        raise OSError("no clock")

    app = create_app(tmp_path, activation="http://127.0.0.1:8001", clock=broken)
    response = app.test_client().get(f"/L/{instance.scan()}")
    assert response.status_code == 500
    assert "Something failed on our side" in response.text
    assert "no clock" not in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    app.extensions["office"].close()


def test_a_page_holds_no_inline_style_or_script(phone: Phone, instance: Instance) -> None:
    scan = instance.scan()
    for page in (phone.open(scan).page, phone.press("Issue the code", scan).page):
        assert not page.select("[style], style, script:not([src])")
        assert not [name for element in page.find_all(True) for name in element.attrs if name.startswith("on")]


def test_pages_are_kept_by_no_cache(app: Flask, instance: Instance) -> None:
    assert app.test_client().get(f"/L/{instance.scan()}").headers["Cache-Control"] == "no-store"


def test_each_demonstration_download_is_a_licence_of_its_own(app: Flask) -> None:
    names = set()
    for _ in range(2):
        response = app.test_client().get("/demonstration/fanruan_license_server.tar")
        assert response.status_code == 200
        assert response.headers["Content-Disposition"] == "attachment; filename=fanruan_license_server.tar"
        data = response.data
        assert len(data) == int(response.headers["Content-Length"]) >= 50_000_000
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            names.add(frozenset(archive.getnames()))
    assert len(names) == 2
    licences = [record.licence.claims for record in app.extensions["office"].records()]
    assert {claims.company for claims in licences} == {"Demonstration Company"}
    assert {claims.registrations for claims in licences} == {3}
    assert len({claims.licence for claims in licences}) == 2
