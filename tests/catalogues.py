"""The catalogues: what is said is extracted, translations are kept, and what nobody says any more is dropped.

`python -m tests.catalogues` writes them anew and names what is not translated yet (docs/translating.md).
"""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.instance import ROOT
from wizard.licensing.language import LANGUAGES

SOURCE = next(iter(LANGUAGES))
"""The language in which everything is written: its catalogue is the code."""
TRANSLATED = tuple(LANGUAGES)[1:]
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "say": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
BEGUN = datetime(2026, 11, 24, tzinfo=UTC)
"""The date in every header: a file changes when a translation does, and not otherwise."""
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")


@dataclass(frozen=True)
class Book:
    """The catalogues of one part of the program, and where what it says is written."""

    name: str
    sources: tuple[Path, ...]
    folder: Path
    without: tuple[Path, ...] = ()

    def file(self, language: str, ending: str = "po") -> Path:
        return self.folder / language / "LC_MESSAGES" / f"messages.{ending}"

    def said(self) -> Catalog:
        """Every message in the source."""
        catalog = Catalog(charset="utf-8")
        for source in self.sources:
            for name, _line, message, _comments, _context in extract_from_dir(
                source, METHODS, {"jinja2": {"trimmed": "false"}}, KEYWORDS
            ):
                place = source / name
                if not any(place.is_relative_to(folder) for folder in self.without):
                    catalog.add(message, locations=[(place.relative_to(ROOT).as_posix(), 0)])
        return catalog

    def read(self, language: str) -> Catalog:
        with self.file(language).open("rb") as file:
            return read_po(file, locale=language)


LICENSING = ROOT / "wizard" / "licensing"
BOOKS = (
    Book("wizard", (ROOT / "wizard", ROOT / "templates"), ROOT / "wizard" / "translations", (LICENSING,)),
    Book("licensing", (LICENSING,), LICENSING / "translations"),
)
"""Licensing could be lifted out whole, so it has its own."""


def messages(catalog: Iterable[Message]) -> Iterator[Message]:
    """Without the header, by what they say."""
    return iter(sorted((message for message in catalog if message.id), key=lambda message: spoken(message)[0]))


def spoken(message: Message) -> tuple[str, ...]:
    """The English of a message: one sentence, or its singular and its plural."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def translation(message: Message) -> str:
    """What it is in that language; these languages have no plural, so one form each."""
    return message.string if isinstance(message.string, str) else (message.string or [""])[0]


def placeholders(text: str) -> Counter[str]:
    return Counter(PLACEHOLDER.findall(text))


def renewed(book: Book, language: str) -> Catalog:
    """The translations that there are, for what is said now."""
    known = {}
    if book.file(language).exists():
        known = {spoken(message): translation(message) for message in book.read(language) if message.id}
    fresh = Catalog(
        locale=language,
        header_comment="# See docs/translating.md.",
        project="FineOps-Registration-Wizard",
        version="0",
        creation_date=BEGUN,
        revision_date=BEGUN,
        fuzzy=False,
    )
    for message in messages(book.said()):
        string = known.get(spoken(message), "")
        places = sorted({place for place, _line in message.locations})
        fresh.add(message.id, (string,) if message.pluralizable else string, [(place, 0) for place in places])
    return fresh


def written(catalog: Catalog) -> bytes:
    """As it stands in the file that people edit."""
    file = io.BytesIO()
    write_po(file, catalog, width=120, include_lineno=False)
    return file.getvalue()


def compiled(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main() -> None:
    for book in BOOKS:
        for language in TRANSLATED:
            catalog = renewed(book, language)
            book.file(language).parent.mkdir(parents=True, exist_ok=True)
            book.file(language).write_bytes(written(catalog))
            book.file(language, "mo").write_bytes(compiled(catalog))
            missing = [message for message in messages(catalog) if not translation(message)]
            print(f"{book.name} {language}: {len(catalog)} messages, {len(missing)} not translated")
            print("".join(f"  {spoken(message)[0]!r}\n" for message in missing), end="")


if __name__ == "__main__":
    main()
