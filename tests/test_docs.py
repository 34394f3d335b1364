"""The documentation is true: what it links to, and what it names, is there."""

import re
from pathlib import Path

import pytest

from wizard.settings import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The fragments by which the headings of a page can be linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(page: Path, heading: str) -> str:
    """What stands under a heading of the second level."""
    return page.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        place, _, fragment = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


def test_the_readme_begins_with_a_picture_of_the_real_thing() -> None:
    assert re.match(r"!\[[^]]+\]\(docs/screenshots/[^)]+\.png\)", (ROOT / "README.md").read_text())


def test_the_readme_names_the_make_targets_that_there_are() -> None:
    there = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`[^`]*\bmake ([a-z-]+)`", (ROOT / "README.md").read_text())) == there


def test_every_setting_is_documented_and_every_documented_one_is_a_setting() -> None:
    source = (ROOT / "wizard" / "settings.py").read_text()
    read = set(re.findall(r'given(?:\.get\(|\[)"([A-Z_]+)"', source))
    assert read
    for page in (DOCS / "operation.md", ROOT / "README.md"):
        assert set(re.findall(r"^\| `([A-Z_]+)`", section(page, "Settings"), re.MULTILINE)) == read, shown(page)


def test_every_decision_is_in_the_index() -> None:
    listed = re.findall(r"\((decisions/[^)]+)\)", (DOCS / "README.md").read_text())
    assert listed == [f"decisions/{path.name}" for path in DECISIONS]


@pytest.mark.parametrize("page", DECISIONS, ids=shown)
def test_a_decision_tells_its_context_and_its_consequences(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences"]
