"""The audit trail as a page and as a file: pages, filters, the chain, and who may see it."""

import csv
import io
import itertools
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.security import generate_password_hash

from tests.contracts.audit import RICH, a_deed
from tests.desk import FakeDesk
from tests.factories import NOW, an_account
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from tests.web.conftest import HOME, PASSWORD
from wizard.audit import COLUMNS, cells_of, harmless, lines
from wizard.domain.audit import Deed, Entry, Sought
from wizard.domain.person import Role


@pytest.fixture
def filled(visitor: Visitor, desk: FakeDesk) -> Visitor:
    """120 entries more, of two people on two days."""
    for number in range(120):
        who, day = ("bob", 1) if number % 3 else ("=cmd()", 0)
        desk.trail.append(Deed(**{**vars(a_deed()), "who": who, "at": NOW + timedelta(days=day)}))
    return visitor


def shown(visitor: Visitor) -> list[int]:
    return [int(str(row["id"]).removeprefix("entry-")) for row in visitor.page.select("tr[id]")]


def test_the_newest_are_shown_first_fifty_a_page(filled: Visitor) -> None:
    pages = [shown(filled.open("/audit"))]
    while filled.page.find("a", string="Older entries"):
        pages.append(shown(filled.follow("Older entries")))
    assert [len(page) for page in pages] == [50, 50, 21]
    assert list(itertools.chain(*pages)) == list(range(121, 0, -1))
    assert shown(filled.follow("Newest entries"))[0] == 121


def test_filters_are_in_the_address_and_stay_on_the_next_page(filled: Visitor) -> None:
    filled.open("/audit?who=bob&act=node&outcome=done&registration=r1&since=2026-11-25&until=2026-11-25")
    assert filled.has("80 entries of 121 fit")
    assert filled.one("#who [selected]")["value"] == "bob"
    assert filled.one("#since")["value"] == "2026-11-25"
    assert len(shown(filled.follow("Older entries"))) == 30


@pytest.mark.parametrize(
    ("query", "count"),
    [("until=2026-11-24", 41), ("since=2026-11-25", 80), ("since=2026-11-26", 0), ("act=link", 1), ("who=nobody", 0)],
)
def test_days_are_whole_days_and_both_are_included(filled: Visitor, desk: FakeDesk, query: str, count: int) -> None:
    rows = list(csv.DictReader(io.StringIO(filled.browser.get(f"{HOME}audit/trail.csv?{query}").text)))
    assert len(rows) == count
    assert filled.open(f"/audit?{query}").has("No entry fits") == (count == 0)


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-13-01", "before=-1", "before=x"])
def test_a_filter_that_makes_no_sense_is_told_and_nothing_is_shown(filled: Visitor, query: str) -> None:
    assert filled.open(f"/audit?{query}").status == 422
    assert filled.page.select("#problem")
    assert shown(filled) == []


def test_the_file_is_what_the_page_shows_in_a_form_that_a_spreadsheet_takes(filled: Visitor, desk: FakeDesk) -> None:
    desk.trail.append(RICH)
    text = filled.browser.get(filled.open("/audit").link("Download as CSV")).text
    rows = list(csv.reader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    newest_first = list(desk.trail.entries(Sought()))
    assert rows[1:] == [[harmless(cell) for cell in cells_of(entry)] for entry in newest_first]
    assert rows[1][1] == "2026-11-24T09:00:00.000001Z"
    assert "'=cmd()" in {row[2] for row in rows}


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_a_file_is_written_as_it_is_read_not_first_gathered(desk: FakeDesk) -> None:
    entry = desk.trail.append(RICH)
    endless = lines(itertools.repeat(entry))
    assert len("".join(itertools.islice(endless, 10))) < 400_000


def test_the_chain_is_checked_when_asked_for(filled: Visitor, desk: FakeDesk) -> None:
    filled.open("/audit").follow("Check the chain")
    assert filled.has("The chain is whole: 121 entries.")
    assert filled.one(".digest").get_text().replace(" ", "") == desk.trail.end().digest
    spoilt = desk.trail.kept[59]
    desk.trail.kept[59] = Entry(number=60, deed=a_deed(), digest=spoilt.digest)
    filled.open("/audit/chain")
    assert filled.has("The chain is broken at entry 60.")


def test_an_observer_sees_the_trail(filled: Visitor, app: Flask, accounts: MemoryAccounts) -> None:
    hashed = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
    accounts.add_account(an_account(name="eve", password_hash=hashed, role=Role.OBSERVER))
    eve = Visitor(InnerBrowser(app), HOME).open("/sign-in").press("Sign in", name="eve", password=PASSWORD)
    assert len(shown(eve.follow("Audit"))) == 50


def test_names_and_reasons_are_escaped(visitor: Visitor, desk: FakeDesk) -> None:
    desk.trail.append(Deed(**{**vars(RICH), "who": "<script>x</script>", "details": {"file": "<b>"}}))
    visitor.open("/audit")
    assert visitor.page.select("main script, main td b b") == []
    assert visitor.has("<script>x</script>")


def test_what_htmx_asks_for_is_the_part_alone_with_what_is_said_of_it(filled: Visitor) -> None:
    assert isinstance(filled.browser, InnerBrowser)
    for path, part, said in (
        ("/audit?who=bob", "#trail", "80 entries of 121 fit"),
        ("/audit/chain", "#chain", "The chain is whole."),
    ):
        filled.page = BeautifulSoup(filled.browser.client.get(path, headers={"HX-Request": "true"}).text, "html.parser")
        assert filled.one(part)
        assert filled.one("#announcement").get_text() == said
        assert not filled.page.select("header, main")
