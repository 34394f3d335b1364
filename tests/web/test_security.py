"""What every response carries, and what is refused before it does anything."""

import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.visitor import InnerBrowser, Visitor

STATIC = Path("static")
POLICY = "default-src 'none'"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/wizard.css", "/healthz", "/registrations/r1"])
def test_every_response_carries_the_strict_policy(app: Flask, path: str) -> None:
    with app.test_client().get(path) as answer:
        headers = answer.headers
    assert headers["Content-Security-Policy"].startswith(POLICY)
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_form_without_its_token_changes_nothing(visitor: Visitor, app: Flask) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    answer = visitor.browser.post("/registrations", {})
    assert answer.status == 400
    assert "Nothing was changed" in answer.text
    assert visitor.open("/").heading == "Bring a licence to life"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.example.com"},
        {"Origin": "http://localhost:8001"},
        {"Origin": "http://localhost.evil.example.com"},
        {"Origin": "null"},
    ],
)
def test_what_a_page_of_another_site_sends_changes_nothing_even_with_the_token(
    visitor: Visitor, headers: dict[str, str]
) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    token = str(visitor.open("/").one("input[name=csrf_token]")["value"])
    answer = visitor.browser.post("/registrations", {"csrf_token": token}, headers)
    assert answer.status == 403
    assert "This was sent from a page of another site." in answer.text
    assert visitor.open("/").heading == "Bring a licence to life"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_what_its_own_pages_send_is_taken(visitor: Visitor, headers: dict[str, str]) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    token = str(visitor.open("/").one("input[name=csrf_token]")["value"])
    assert visitor.browser.post("/registrations", {"csrf_token": token}, headers).status == 200


def test_pages_are_not_kept_by_caches(visitor: Visitor) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    headers = visitor.browser.client.get("/").headers
    assert headers["Cache-Control"] == "no-store"
    assert "HX-Request" in headers["Vary"]


def test_the_session_cookie_is_out_of_the_reach_of_scripts(stranger: Visitor) -> None:
    assert isinstance(stranger.browser, InnerBrowser)
    cookie = stranger.browser.client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_an_unknown_page_says_so_without_a_traceback(visitor: Visitor) -> None:
    assert visitor.open("/nowhere").status == 404
    assert visitor.heading == "There is no such page."


def test_an_unknown_registration_says_so(visitor: Visitor) -> None:
    assert visitor.open("/registrations/none/upload").status == 404


def test_htmx_is_the_file_that_its_readme_says_it_is() -> None:
    digest = hashlib.sha256((STATIC / "htmx-4.0.1.min.js").read_bytes()).hexdigest()
    assert digest in (STATIC / "README.md").read_text()


def test_no_template_holds_what_the_policy_forbids() -> None:
    for template in Path("templates").rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?! defer src)|hx-on|js:|javascript:", text), template


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda path: path.name)
def test_our_own_css_is_under_six_hundred_lines_a_surface(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 600
