"""Nothing is untranslated, in any language."""

import pytest
from babel.messages.catalog import Catalog

from tests.catalogues import BOOKS, TRANSLATED, Book, compiled, messages, placeholders, renewed, spoken, translation
from tests.catalogues import written as as_written

EACH = [pytest.param((book, language), id=f"{book.name}-{language}") for book in BOOKS for language in TRANSLATED]

TERMS = {
    "Authorization application": "授权服务器",
    "Maximum number of registrations": "最大可注册量",
    "Choose the image file, or drop it here": "镜像文件",
    "The O&M project that FineOps named is not known here.": "运维项目",
    "Register a project": "注册新项目",
    "Check that the authorization application runs: FineOps shows it at Maintenance > Component Management.": (
        "运维管理"
    ),
    "Codes that are entered in the wizard of the O&M platform are counted apart: whoever has mistyped here does not "
    "lock them.": "运维平台",
    "Scan the QR code": "扫描二维码",
    "Six-digit code": "验证码",
}
"""Where the terms of the vendor's Chinese pages (SPEC.md, 5) must stand."""


@pytest.fixture(scope="module", params=EACH)
def kept(request: pytest.FixtureRequest) -> tuple[Book, str, Catalog]:
    book, language = request.param
    return book, language, book.read(language)


def test_everything_that_is_said_is_translated_and_nothing_else(kept: tuple[Book, str, Catalog]) -> None:
    book, _, catalog = kept
    translated = {spoken(message) for message in messages(catalog) if translation(message).strip()}
    assert translated == {spoken(message) for message in messages(book.said())}


def test_a_translation_holds_the_placeholders_of_its_message(kept: tuple[Book, str, Catalog]) -> None:
    wrong = [
        spoken(message)
        for message in messages(kept[2])
        if placeholders(translation(message)) != placeholders(spoken(message)[-1])
    ]
    assert wrong == []


def test_no_translation_is_a_guess(kept: tuple[Book, str, Catalog]) -> None:
    assert not kept[2].fuzzy
    assert [spoken(message) for message in messages(kept[2]) if message.fuzzy] == []


def test_what_runs_is_what_was_translated(kept: tuple[Book, str, Catalog]) -> None:
    book, language, catalog = kept
    assert book.file(language, "mo").read_bytes() == compiled(catalog), "run: python -m tests.catalogues"


def test_the_files_are_as_the_tool_writes_them(kept: tuple[Book, str, Catalog]) -> None:
    book, language, _ = kept
    assert book.file(language).read_bytes() == as_written(renewed(book, language)), "run: python -m tests.catalogues"


@pytest.mark.parametrize(("english", "term"), TERMS.items())
def test_chinese_has_the_terms_of_the_vendor(english: str, term: str) -> None:
    found = [
        translation(message) for book in BOOKS for message in messages(book.read("zh")) if spoken(message)[0] == english
    ]
    assert found
    assert all(term in text for text in found)
