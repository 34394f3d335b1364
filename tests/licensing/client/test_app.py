"""The reference applications' interface for programs, and how they are started."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.licensing.client.wire import BenchLine
from tests.licensing.server.bench import Bench
from wizard.licensing.client import Client, Drawer
from wizard.licensing.client.__main__ import Project, main, parse, project
from wizard.licensing.client.app import create_app
from wizard.licensing.client.site import Applications

PAGE = "/projects/sales/"
JSON = "/projects/sales/registration"
HERE = {"address": "127.0.0.5", "port": 1}


class Office:
    """One application with one project, whose authorization application answers at port 1."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder / "server")
        self.line = BenchLine({1: self.bench})
        self.registered: list[str] = []
        self.folder = folder / "project"
        self.client = Client("Sales <&>", Drawer(self.folder, ("main",)), self.line)
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
        ({**HERE, "port": "９９"}, 422, "unusable"),
        ({**HERE, "port": "1" * 5000}, 422, "unusable"),
        ({**HERE, "port": True}, 422, "unusable"),
        ({**HERE, "address": "example.test"}, 422, "unusable"),
        ({**HERE, "address": "0.0.0.0"}, 422, "unusable"),
        ({**HERE, "address": "224.0.0.1"}, 422, "unusable"),
        ({**HERE, "address": "fe80::1%eth0"}, 422, "unusable"),
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


@pytest.mark.parametrize(("content", "status"), [("[1]", 400), ("{", 400), ("[" * 60_000, 400)])
def test_what_is_no_object_is_refused_as_json(office: Office, content: str, status: int) -> None:
    response = office.browser.post(JSON, data=content, content_type="application/json")
    assert response.status_code == status
    assert response.json is not None
    assert response.json["error"]["code"] == "bad_request"


def test_the_maximum_is_told_as_such(office: Office) -> None:
    office.bench.verify()
    office.browser.post(JSON, json=HERE)
    client = Client("Other", Drawer(office.folder.with_name("other"), ("a",)), office.line)
    app = create_app(Applications(clients={"sales": client}, clock=lambda: office.bench.now, registered=print))
    response = app.test_client().post(JSON, json=HERE)
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["error"]["code"] == "maximum_reached"


def test_a_disk_that_cannot_be_written_is_told_as_such(office: Office) -> None:
    office.bench.verify()
    office.folder.rename(office.folder.with_name("away"))
    office.folder.write_text("a file where the folder should be")
    response = office.browser.post(JSON, json=HERE)
    assert response.status_code == 500
    assert response.json is not None
    assert response.json["error"]["code"] == "not_saved"
    page = office.browser.post("/projects/sales/register", data={"address": "127.0.0.5", "port": "1"})
    assert page.status_code == 500
    assert "cannot be read or written, so nothing was sent" in page.text


@pytest.mark.parametrize("path", ["/projects/sales/register", "/projects/sales/re-register"])
def test_another_site_can_neither_register_nor_give_up(office: Office, path: str) -> None:
    response = office.browser.post(path, data={}, headers={"Origin": "http://evil.test"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/healthz", 200),
        (PAGE, 200),
        ("/projects/sales/register", 200),
        ("/projects/sales/re-register", 303),
        ("/projects/none/", 404),
        ("/nowhere", 404),
    ],
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


def test_applications_that_cannot_remember_do_not_start_and_say_why(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(SystemExit, match="The applications cannot run: "):
        main(["--data", str(tmp_path / "data"), "--project", "s|Sales|a"])
