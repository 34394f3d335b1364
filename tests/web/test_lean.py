"""What goes over the wire is packed, and asked for once; what was packed is the same."""

import gzip
from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.visitor import InnerBrowser, Visitor
from wizard.settings import ROOT
from wizard.web.lean import FOR_EVER, MOST_PADDING, SMALLEST

TAKES_GZIP: Mapping[str, str] = {"Accept-Encoding": "gzip, deflate"}
FOLDER = ROOT / "static"
FILES = sorted(it.name for it in FOLDER.iterdir() if it.suffix in (".css", ".js") and it.stat().st_size > 2 * SMALLEST)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def ask(client: FlaskClient, url: str, headers: Mapping[str, str] = TAKES_GZIP) -> TestResponse:
    return client.get(url, headers=headers, buffered=True)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_packed_and_is_the_same_when_it_is_unpacked(client: FlaskClient, name: str) -> None:
    answer = ask(client, f"/static/{name}")
    content = (FOLDER / name).read_bytes()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < len(content) / 2
    assert gzip.decompress(answer.data) == content
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}], ids=str)
def test_who_does_not_take_gzip_gets_it_as_it_is(client: FlaskClient, headers: Mapping[str, str]) -> None:
    answer = ask(client, "/static/wizard.css", headers)
    assert "Content-Encoding" not in answer.headers
    assert answer.data == (FOLDER / "wizard.css").read_bytes()
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_page_names_each_file_by_its_version_which_is_then_never_asked_for_again(client: FlaskClient) -> None:
    page = ask(client, "/sign-in", {}).text
    names = [it.split('"')[0] for it in page.split('"/static/')[1:]]
    assert names
    for name in names:
        assert ask(client, f"/static/{name}").headers["Cache-Control"] == FOR_EVER, name


def test_a_file_depends_on_nobody_who_asks_for_it(visitor: Visitor) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    answer = ask(visitor.browser.client, "/static/wizard.css")
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("version", ["", "?v=", "?v=000000000000"])
def test_a_file_of_another_version_is_asked_for_again(client: FlaskClient, version: str) -> None:
    assert ask(client, f"/static/wizard.css{version}").headers["Cache-Control"] == "no-cache"


def test_a_file_that_is_known_is_not_sent_again(client: FlaskClient) -> None:
    etag = ask(client, "/static/wizard.css").headers["ETag"]
    assert etag.startswith("W/")
    assert ask(client, "/static/wizard.css", {**TAKES_GZIP, "If-None-Match": etag}).status_code == 304


def test_no_file_outside_of_the_folder_is_looked_at(client: FlaskClient) -> None:
    assert ask(client, "/static/../app.py?v=1").status_code == 404


def test_the_length_of_a_packed_page_does_not_tell_what_is_in_it(client: FlaskClient) -> None:
    lengths = {len(ask(client, "/sign-in").data) for _ in range(40)}
    assert max(lengths) - min(lengths) > MOST_PADDING / 3


def test_what_is_shorter_than_a_packet_is_left_alone(client: FlaskClient) -> None:
    assert "Content-Encoding" not in ask(client, "/static/mark.svg").headers
