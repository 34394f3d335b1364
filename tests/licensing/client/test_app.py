"""The reference applications' pages and their interface for programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.licensing.client.wire import BenchLine
from tests.licensing.server.bench import Bench
from wizard.licensing.client.__main__ import Project, parse, project
from wizard.licensing.client.app import Applications, create_app
from wizard.licensing.client.client import Client
from wizard.licensing.client.memory import Drawer

PAGE = "/projects/sales/"
JSON = "/projects/sales/registration"
HERE = {"address": "127.0.0.5", "port": 1}


class Office:
    """One application with one project, whose authorization application answers at port 1."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder / "server")
        self.line = BenchLine({1: self.bench})
        self.registered: list[str] = []
        self.client = Client("Sales <&>", Drawer(folder / "project", ("main",)), self.line)
        app = create_app(
            Applications(
                clients={"sales": self.client}, clock=lambda: self.bench.now, registered=self.registered.append
            )
        )
        app.testing = True
        self.browser: FlaskClient = app.test_client()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.bench.kill()


def test_a_program_registers_the_project_and_its_heart_is_woken(office: Office) -> None:
    office.bench.verify()
    response = office.browser.post(JSON, json=HERE)
    assert (response.status_code, response.json) == (201, {"state": "CONNECTED"})
    assert office.registered == ["sales"]


def test_registering_twice_is_no_error(office: Office) -> None:
    office.bench.verify()
    assert [office.browser.post(JSON, json=HERE).status_code for _ in range(2)] == [201, 201]
    assert len(office.bench.status()["slots"]) == 1


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        (HERE, 409, "not_authenticated"),
        ({**HERE, "port": 2}, 502, "timeout"),
        ({**HERE, "port": "0"}, 422, "unusable"),
        ({**HERE, "port": "８０"}, 422, "unusable"),
        ({**HERE, "address": "example.test"}, 422, "unusable"),
        ({}, 422, "unusable"),
    ],
)
def test_a_failure_has_its_own_cause(office: Office, document: dict[str, object], status: int, code: str) -> None:
    response = office.browser.post(JSON, json=document)
    assert response.status_code == status
    assert response.json is not None
    assert response.json["error"]["code"] == code
    assert response.json["error"]["message"].endswith(".")
    assert office.registered == []


def test_the_maximum_is_told_as_such(office: Office) -> None:
    office.bench.verify()
    office.browser.post(JSON, json=HERE)
    client = Client("Other", Drawer(office.bench.config.parent / "other", ("a",)), office.line)
    app = create_app(Applications(clients={"sales": client}, clock=lambda: office.bench.now, registered=print))
    response = app.test_client().post(JSON, json=HERE)
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["error"]["code"] == "maximum_reached"


def test_the_page_registers_by_ip_and_port(office: Office) -> None:
    office.bench.verify()
    page = office.browser.get(PAGE)
    assert "Private Cloud" in page.text
    assert "Sales &lt;&amp;&gt;" in page.text
    form = {"action": "register", "method": "Private Cloud", "address": " 127.0.0.5 ", "port": "1"}
    response = office.browser.post(PAGE, data=form)
    assert (response.status_code, response.location) == (303, PAGE)
    office.client.beat(office.bench.now)
    office.bench.now += 60_000
    page = office.browser.get(PAGE)
    assert "127.0.0.5:1" in page.text
    assert "1 min ago" in page.text
    assert "in 1 h 59 min" in page.text


def test_the_page_says_why_it_failed_and_keeps_what_was_typed(office: Office) -> None:
    response = office.browser.post(PAGE, data={"action": "register", "address": "127.0.0.5", "port": "2"})
    assert response.status_code == 502
    assert "There is no answer." in response.text
    assert 'value="127.0.0.5"' in response.text


def test_the_page_gives_a_registration_up(office: Office) -> None:
    office.bench.verify()
    office.browser.post(JSON, json=HERE)
    office.browser.post(PAGE, data={"action": "give-up"})
    assert office.bench.status()["slots"][0]["state"] == "RELEASED"
    assert "Register Now" in office.browser.get(PAGE).text


def test_another_site_cannot_give_it_up(office: Office) -> None:
    response = office.browser.post(PAGE, data={"action": "give-up"}, headers={"Origin": "http://evil.test"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/healthz", 200), (PAGE, 200), ("/projects/none/", 404), ("/nowhere", 404)]
)
def test_every_response_carries_the_security_headers(office: Office, path: str, status: int) -> None:
    response = office.browser.get(path)
    assert response.status_code == status
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_command_line_names_projects() -> None:
    given = parse(["--data", "x", "--project", "s|Sales|a,b", "--project", "r|Reports|main"])
    assert given.project == [Project("s", "Sales", ("a", "b")), Project("r", "Reports", ("main",))]


@pytest.mark.parametrize("text", ["", "s", "s|Sales", "s|Sales|", "s|Sales|a,,b", "|Sales|a", "s|a|b|c"])
def test_a_project_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - argparse shows its own words
        project(text)
