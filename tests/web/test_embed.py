"""Being sent here by FineOps: what a launch opens, who is in a frame, and what is refused there."""

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import assemble
from tests.desk import FakeDesk
from tests.embedding import ORIGIN, MemoryLaunches, Token, an_issuer
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from wizard.domain.launch import Algorithm, Issuer
from wizard.domain.registration import Registration
from wizard.steps import FLOW
from wizard.web.frames import LIFE, LONGEST, Embedding

FRAME = {"Sec-Fetch-Dest": "iframe"}
HTTPS = "https://localhost/"


def embedded(desk: FakeDesk, accounts: MemoryAccounts, *issuers: Issuer) -> Flask:
    embedding = Embedding(issuers=issuers or (an_issuer(),), launches=MemoryLaunches())
    app = assemble(FLOW, desk.services, accounts, secret_key="a secret for tests", embedding=embedding)
    app.testing = True
    return app


@pytest.fixture
def app(desk: FakeDesk, accounts: MemoryAccounts) -> Flask:
    return embedded(desk, accounts)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def token(desk: FakeDesk) -> Token:
    return Token(now=desk.now)


def launch(client: FlaskClient, token: Token | str, base_url: str | None = None, **headers: str) -> TestResponse:
    sent = {"Origin": ORIGIN} | headers
    return client.post("/embed", data={"token": str(token)}, headers=sent, base_url=base_url)


def bearer(answer: TestResponse) -> dict[str, str]:
    """What the page makes htmx send."""
    return {
        "Authorization": f"Bearer {answer.headers['Wizard-Bearer']}",
        "HX-Request": "true",
        "HX-Request-Type": "full",
    }


def heading(answer: TestResponse) -> str:
    found = BeautifulSoup(answer.text, "html.parser").select_one("#content h1, #step h1")
    return found.get_text(" ", strip=True) if found else ""


def test_a_launch_opens_a_new_registration_of_its_project(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    answer = launch(client, token)
    assert answer.status_code == 200
    assert heading(answer) == "Upload the licence image"
    [registration] = desk.store.registrations()
    assert registration.for_project == "sales"


def test_a_launch_goes_on_with_the_newest_registration_that_is_unfinished(
    client: FlaskClient, token: Token, desk: FakeDesk
) -> None:
    begun = desk.store.save(Registration(id="begun", created_at=desk.now, for_project="sales"))
    desk.store.save(Registration(id="done", created_at=desk.now, for_project="sales", registered_at=desk.now))
    desk.store.save(Registration(id="other", created_at=desk.now, for_project="finance"))
    assert f"/registrations/{begun.id}/" in launch(client, token).text
    assert len(desk.store.registrations()) == 3


@pytest.mark.parametrize("algorithm", Algorithm)
def test_each_agreed_algorithm_opens_the_wizard(
    desk: FakeDesk, accounts: MemoryAccounts, token: Token, algorithm: Algorithm
) -> None:
    client = embedded(desk, accounts, an_issuer(algorithm)).test_client()
    assert launch(client, Token(now=desk.now, algorithm=algorithm)).status_code == 200


def test_the_page_in_a_frame_has_no_header_and_sets_no_cookie_on_plain_http(client: FlaskClient, token: Token) -> None:
    answer = launch(client, token)
    assert "Set-Cookie" not in answer.headers
    assert '<header class="top">' not in answer.text
    assert "Sign out" not in answer.text


def test_everything_of_a_frame_works_with_the_bearer_alone(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    begun = launch(client, token)
    [registration] = desk.store.registrations()
    path = f"/registrations/{registration.id}/upload"
    shown = client.get(path, headers=bearer(begun))
    sent = client.post(path, data={"version": "1"}, headers=bearer(begun))
    announced = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"} | bearer(begun)
    assert (shown.status_code, sent.status_code) == (200, 422)
    assert client.post("/uploads/", headers=announced).status_code == 201
    assert all("Set-Cookie" not in answer.headers for answer in (begun, shown, sent))


def test_whoever_carries_nothing_is_not_let_in(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    launch(client, token)
    assert client.get("/").status_code == 303
    assert client.get("/", headers=FRAME).status_code == 401


@pytest.mark.parametrize("carried", ["", "x", "eyJpIjoxfQ.x", "a.b.c"])
def test_a_made_up_bearer_lets_nobody_in(client: FlaskClient, carried: str) -> None:
    assert client.get("/", headers={"Authorization": f"Bearer {carried}"}).status_code == 401


def test_a_cookie_never_lets_in_what_carries_a_bearer(visitor: Visitor) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    client = visitor.browser.client
    assert client.get("/").status_code == 200
    assert client.get("/", headers={"Authorization": "Bearer forged"}).status_code == 401


def test_a_bearer_ends_fifteen_minutes_after_its_last_use(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    first = launch(client, token)
    desk.clock.now += LIFE
    second = client.get("/", headers=bearer(first))
    assert second.status_code == 200
    desk.clock.now += LIFE
    assert client.get("/", headers=bearer(second)).status_code == 200
    desk.clock.now += timedelta(milliseconds=1)
    ended = client.get("/", headers=bearer(second))
    assert ended.status_code == 401
    assert heading(ended) == "This page has ended."
    assert "Open it again from FineOps" in ended.text


def test_a_page_that_only_asks_by_itself_is_not_used(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    carried = bearer(launch(client, token))
    [registration] = desk.store.registrations()
    desk.clock.now += timedelta(minutes=5)
    path = f"/registrations/{registration.id}/upload"
    polled = client.get(f"{path}?since=", headers=carried | {"HX-Request-Type": "partial"})
    assert polled.status_code == 200
    assert "Wizard-Bearer" not in polled.headers
    assert "Wizard-Bearer" in client.get(path, headers=carried).headers


def test_a_frame_ends_after_twelve_hours_however_much_it_is_used(
    client: FlaskClient, token: Token, desk: FakeDesk
) -> None:
    answer = launch(client, token)
    end = desk.now + LONGEST
    while desk.now + timedelta(minutes=14) < end:
        desk.clock.now += timedelta(minutes=14)
        answer = client.post("/embed/renew", headers=bearer(answer))
        assert answer.status_code == 204
    desk.clock.now = end + timedelta(milliseconds=1)
    assert client.post("/embed/renew", headers=bearer(answer)).status_code == 401


def test_a_frame_ends_when_its_application_is_no_longer_configured(
    client: FlaskClient, token: Token, desk: FakeDesk, accounts: MemoryAccounts
) -> None:
    carried = bearer(launch(client, token))
    changed = an_issuer(origins=("http://elsewhere.example.com",))
    assert embedded(desk, accounts, changed).test_client().get("/", headers=carried).status_code == 401


def test_a_frame_sees_its_own_project_alone(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    desk.store.save(Registration(id="other", created_at=desk.now, for_project="finance"))
    carried = bearer(launch(client, token))
    assert client.get("/registrations/other/upload", headers=carried).status_code == 404
    assert "other" not in client.get("/", headers=carried).text
    assert client.get("/nodes", headers=carried).status_code == 403


def test_an_observer_in_a_frame_changes_nothing(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    answer = launch(client, token.saying(role="observer"))
    assert heading(answer) == "No registration of this project was begun yet."
    assert client.post("/registrations", headers=bearer(answer)).status_code == 403
    assert desk.store.registrations() == []
    desk.store.save(Registration(id="begun", created_at=desk.now, for_project="sales"))
    assert "Upload the licence image" in launch(client, token.saying(role="observer")).text


@pytest.mark.parametrize("path", ["/", "/embed", "/sign-in", "/nowhere", "/static/wizard.css", "/healthz"])
def test_every_response_lets_the_configured_origins_alone_show_it(
    desk: FakeDesk, accounts: MemoryAccounts, path: str
) -> None:
    issuer = an_issuer(origins=(ORIGIN, "https://ops.example.com:8443"))
    with embedded(desk, accounts, issuer).test_client().get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert re.findall(r"frame-ancestors ([^;]*)", policy) == [f"{ORIGIN} https://ops.example.com:8443"]
    assert "X-Frame-Options" not in answer.headers


def test_without_configured_origins_nobody_shows_it(desk: FakeDesk, accounts: MemoryAccounts) -> None:
    client = assemble(FLOW, desk.services, accounts, secret_key="a secret for tests").test_client()
    assert "frame-ancestors 'none'" in client.get("/sign-in").headers["Content-Security-Policy"]
    assert client.post("/embed", data={"token": "x"}).status_code == 303


def test_over_https_a_partitioned_cookie_lets_plain_pages_of_the_frame_work(
    client: FlaskClient, token: Token, desk: FakeDesk
) -> None:
    answer = launch(client, token, HTTPS)
    cookie = answer.headers["Set-Cookie"]
    for part in ("__Host-frame=", "Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/", "Max-Age=900"):
        assert part in cookie
    [registration] = desk.store.registrations()
    path = f"/registrations/{registration.id}/upload"
    shown = client.get(path, headers=FRAME, base_url=HTTPS)
    page = BeautifulSoup(shown.text, "html.parser")
    field = page.select_one("form[data-upload] input[name=csrf_token]")
    assert field is not None
    fields = {"version": "1", "csrf_token": str(field["value"])}
    assert client.post(path, data=fields, headers=FRAME, base_url=HTTPS).status_code == 422
    assert '<header class="top">' not in shown.text


def test_a_form_with_the_cookie_needs_the_token_of_its_frame(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    launch(client, token, HTTPS)
    for forged in ("", "x", "WyJhIiwiYiJd.x"):
        answer = client.post("/registrations", data={"csrf_token": forged}, headers=FRAME, base_url=HTTPS)
        assert answer.status_code == 400
    assert len(desk.store.registrations()) == 1


def test_the_cookie_of_a_frame_counts_in_frames_alone(client: FlaskClient, token: Token) -> None:
    launch(client, token, HTTPS)
    assert client.get("/", headers={"Sec-Fetch-Dest": "document"}, base_url=HTTPS).status_code == 303
    assert client.get("/", headers={"Sec-Fetch-Dest": "empty"}, base_url=HTTPS).status_code == 303


def test_the_name_of_whoever_was_launched_is_escaped(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    answer = launch(client, token.saying(name="<b>Wang Fang</b>"))
    assert "<b>Wang" not in answer.text


def test_the_language_of_the_token_is_taken_along(client: FlaskClient, token: Token) -> None:
    answer = launch(client, token.saying(language="zh"), **{"Accept-Language": "ja"})
    assert '<html lang="zh-Hans">' in answer.text
