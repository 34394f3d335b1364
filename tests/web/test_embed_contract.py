"""docs/embedding.md is true: each of its tables, and its example, against the code."""

import re
from pathlib import Path

import pytest

from examples.fineops import application
from tests.embedding import AUD, ISS, public_key
from wizard.domain.launch import LEEWAY, LONGEST_LIFE, Algorithm
from wizard.issuers import SHORTEST_RSA, SHORTEST_SECRET, TEXTS, read
from wizard.settings import ROOT
from wizard.steps import FLOW
from wizard.web import frames, launch_token
from wizard.web.refusals import REFUSALS

PAGE = (ROOT / "docs" / "embedding.md").read_text()
SCRIPT = (ROOT / "static" / "embed.js").read_text()


def table(heading: str, number: int = 0) -> list[list[str]]:
    """The cells of the rows of a table that stands under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[number]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.splitlines()[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_claims_are_those_that_are_looked_at() -> None:
    rows = [(words(claim)[0], required) for claim, required, _ in table("The launch token")]
    assert rows == [(claim, "yes") for claim in launch_token.REQUIRED] + [(it, "no") for it in launch_token.OPTIONAL]


def test_the_limits_are_those_that_hold() -> None:
    assert f"at most {launch_token.LONGEST} characters" in PAGE
    assert f"at most {LONGEST_LIFE.total_seconds():.0f} s after" in PAGE
    assert f"may be {LEEWAY.total_seconds():.0f} s apart" in PAGE
    assert f"ends {frames.LIFE.total_seconds() / 60:.0f} minutes after it was last used" in PAGE
    assert f"{frames.LONGEST.total_seconds() / 3600:.0f} hours after the launch" in PAGE
    assert f"at least {SHORTEST_SECRET} bytes" in PAGE
    assert f"at least {SHORTEST_RSA} bits" in PAGE


def test_the_algorithms_are_those_that_are_taken() -> None:
    assert [words(row[0])[0] for row in table("Setting it up", 1)] == list(Algorithm)


def test_the_keys_of_the_file_are_those_that_are_read() -> None:
    assert [words(row[0])[0] for row in table("Setting it up")] == ["url", *TEXTS, "origins"]


def test_the_example_of_the_file_is_one_that_can_be_used(tmp_path: Path) -> None:
    example = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "fineops.pem").write_bytes(public_key(Algorithm.RS256))
    (tmp_path / "embed.toml").write_text(example)
    [issuer], is_https = read(tmp_path / "embed.toml")
    assert (issuer.iss, issuer.aud, is_https) == (ISS, AUD, True)


def test_the_messages_are_those_that_are_sent() -> None:
    sent = dict(re.findall(r'tell\("(\w+)"(?:, \{(.*?)\})?\)', SCRIPT, re.DOTALL))
    told = {words(kind)[0]: words(fields) for kind, fields, _ in table("Messages")}
    assert {kind: re.findall(r"(\w+)(?=[,:]|\s*$)(?!\.)", keys(fields)) for kind, fields in sent.items()} == told


def keys(literal: str) -> str:
    """The names of an object's fields, without what they are set to."""
    return ", ".join(part.partition(":")[0].strip() for part in literal.split(",") if part.strip())


def test_the_envelope_of_a_message_is_as_it_says() -> None:
    for name, value in re.findall(r'const (SOURCE|VERSION) = "?([^";]+)"?;', SCRIPT):
        assert f"`{name.lower()}` ({'`' if name == 'SOURCE' else ''}{value}" in PAGE


def test_the_steps_are_those_of_the_flow() -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("`step` is one of"))
    assert words(line)[1:] == [step.slug for step in FLOW.steps]


@pytest.mark.parametrize("name", [frames.RENEWED, frames.COOKIE, "Authorization", "Content-Security-Policy"])
def test_the_headers_are_those_that_are_used(name: str) -> None:
    assert any(name in words(row[0]) + words(row[2]) for row in table("Headers"))
    assert frames.RENEWED in SCRIPT


def test_each_refusal_is_listed_in_its_words() -> None:
    assert table("When it is refused") == [[reason, str(problem.happened)] for reason, problem in REFUSALS.items()]


def test_the_sample_parent_keeps_the_contract() -> None:
    page = (ROOT / "examples" / "fineops" / "templates" / "registration.html").read_text()
    frame = re.findall(r"<iframe [^>]*></iframe>", PAGE)[0]
    assert frame in page
    assert application.LIFE == LONGEST_LIFE
    script = (ROOT / "examples" / "fineops" / "static" / "fineops.js").read_text()
    assert all(check in script for check in ("event.source !== frame.contentWindow", "event.origin !== wizard"))
