"""Which language somebody reads."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from wizard.licensing.language import LANGUAGES
from wizard.text import say
from wizard.web import language

FORM = {"language": "ja", "next": "/sign-in"}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", "en"),
        ("fr", "en"),
        ("de, ko;q=0.5, en;q=0.3", "ko"),
        ("ja-JP", "ja"),
        ("zh-CN, en;q=0.9", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("zh-TW", "zh-Hans"),
        ("zh;q=0, en;q=0.1", "en"),
        ("*", "en"),
    ],
)
def test_the_browser_decides_until_somebody_has_chosen(app: Flask, asked: str, spoken: str) -> None:
    answer = app.test_client().get("/sign-in", headers={"Accept-Language": asked})
    assert f'<html lang="{spoken}">' in answer.text


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def test_a_choice_in_the_footer_outweighs_the_browser(client: FlaskClient) -> None:
    answer = client.post("/language", data=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert '<html lang="ja">' in client.get("/sign-in", headers={"Accept-Language": "ko"}).text


def test_the_footer_has_every_language_by_its_own_name(client: FlaskClient) -> None:
    page = client.get("/sign-in").text
    assert all(f">{name}</button>" in page for name in LANGUAGES.values())


def test_one_comes_back_to_the_address_that_the_page_has_by_now(client: FlaskClient) -> None:
    answer = client.post("/language", data=FORM, headers={"Referer": "http://localhost/sign-in?next=/nodes"})
    assert answer.headers["Location"] == "/sign-in?next=/nodes"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", ""]
)
def test_a_choice_leads_nowhere_else(client: FlaskClient, elsewhere: str) -> None:
    answer = client.post(
        "/language", data=FORM | {"next": elsewhere}, headers={"Referer": "https://evil.example/nodes"}
    )
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("unknown", ["", "fr", "../zh", "zh_CN"])
def test_a_language_that_there_is_not_is_not_kept(client: FlaskClient, unknown: str) -> None:
    answer = client.post("/language", data=FORM | {"language": unknown})
    assert answer.status_code == 404
    assert "language=" not in answer.headers.get("Set-Cookie", "")


def test_a_choice_needs_the_token_of_a_page_of_ours(app: Flask) -> None:
    assert app.test_client().post("/language", data=FORM).status_code == 400


@pytest.mark.parametrize(
    ("code", "day", "time", "size"),
    [
        ("en", "2026-11-24 14:07 UTC", "4 min 12 s", "999 bytes"),
        ("zh", "2026年11月24日 14:07 UTC", "4 分 12 秒", "999 字节"),
        ("ja", "2026年11月24日 14:07 UTC", "4 分 12 秒", "999 バイト"),
        ("ko", "2026. 11. 24. 14:07 UTC", "4분 12초", "999바이트"),
    ],
)
def test_dates_spans_and_sizes_are_said_as_the_language_has_them(
    app: Flask, code: str, day: str, time: str, size: str
) -> None:
    with app.test_request_context(headers={"Accept-Language": code}):
        g.person = None
        assert language.clock(datetime(2026, 11, 24, 14, 7, tzinfo=UTC), "yyyy-MM-dd HH:mm") == day
        assert language.duration(timedelta(minutes=4, seconds=12)) == time
        assert language.size(999).replace(" ", "") == size.replace(" ", "")


def test_a_sentence_within_a_sentence_is_translated_too(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert language.said(say("Back to %(step)s", step=say("Deploy"))) == "返回“部署”"
