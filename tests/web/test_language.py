"""Every word that a person reads passes through gettext."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from wizard.text import say
from wizard.web import language

AS_THEY_ARE = {
    "SHA-256",
    "fanruan_license_server.tar",
    "System Management › Registration Management › Register Now",
    "Private Cloud",
    "https:// : /license/qrcode",
    "flask --app app nodes check",
}
"""Names, and what stands in the FanRuan application's own menus."""


@pytest.mark.parametrize("template", sorted(Path("templates").rglob("*.html")), ids=str)
def test_a_template_holds_no_words_of_its_own(template: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", template.read_text(), flags=re.DOTALL)
    text = re.sub(r"""[\w:-]+=("[^"]*"|'[^']*')""", " ", text)  # of a tag that is written in another file
    pieces = re.split(r"<[^>]*>", text)
    words = {re.sub(r"\s+", " ", piece).strip() for piece in pieces if re.search(r"[A-Za-z]{2}", piece)}
    assert words - AS_THEY_ARE == set()


def test_a_sentence_within_a_sentence_is_said_too(app: Flask) -> None:
    with app.test_request_context():
        assert language.said(say("In %(step)s.", step=say("Deploy"))) == "In Deploy."


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (83_886_080, "84 MB"), (2_147_483_648, "2.1 GB")],
)
def test_sizes_are_said_in_the_unit_that_fits(app: Flask, count: int, words: str) -> None:
    with app.test_request_context():
        assert language.size(count) == words


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=12.4), "12 s"),
        (timedelta(minutes=4, seconds=12), "4 min 12 s"),
        (timedelta(hours=23, minutes=59, seconds=59), "23 h 59 min"),
    ],
)
def test_spans_are_said_in_their_two_largest_units(app: Flask, time: timedelta, words: str) -> None:
    with app.test_request_context():
        assert language.duration(time) == words


def test_times_are_said_in_utc_and_say_so(app: Flask) -> None:
    with app.test_request_context():
        assert language.clock(datetime(2026, 11, 24, 14, 7, tzinfo=UTC)) == "14:07 UTC"
