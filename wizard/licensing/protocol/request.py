"""The e-mail that asks for a licence image: its form, which decides whether it is accepted (R1).

The form is here as data, so that who writes the mail and who reads it have the same: `compose` writes no mail that
`read_request` would reject. English and Chinese labels are read alike, in any order; other lines are left alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

TITLE = "Official Authorization Document of {company}'s Registration for FineReport"
MOST_REGISTRATIONS = 9999
LONGEST_VALUE = 200
"""Characters of a name, or of the project version."""


class Item(StrEnum):
    """What the mail has to say. The values name the fields of `Request`, but for the title and the method."""

    TITLE = "title"
    COMPANY = "company"
    PROJECT = "project"
    SIGNED = "signed"
    METHOD = "method"
    REGISTRATIONS = "registrations"
    VERSION = "version"


LABELS: Mapping[str, Mapping[Item, str]] = {
    "en": {
        Item.COMPANY: "Company name",
        Item.PROJECT: "Project name",
        Item.SIGNED: "Contract signing date",
        Item.METHOD: "Registration method",
        Item.REGISTRATIONS: "Maximum number of registrations",
        Item.VERSION: "Project version",
    },
    "zh": {
        Item.COMPANY: "公司名称",
        Item.PROJECT: "项目名称",
        Item.SIGNED: "合同签订日期",
        Item.METHOD: "注册方式",
        Item.REGISTRATIONS: "最大可注册量",
        Item.VERSION: "项目版本",
    },
}
"""What stands before each colon, by language, in the order of the mail."""

METHODS: Mapping[str, str] = {"en": "Container private cloud authentication", "zh": "容器私有云认证"}
"""The one registration method that there is."""


class Fault(StrEnum):
    """What can be wrong with an item."""

    MISSING = "missing"
    MALFORMED = "malformed"
    DIFFERENT = "different"
    """It says another thing than elsewhere in the same mail."""


@dataclass(frozen=True)
class Problem:
    """One reason to reject the mail. `str` says it in English."""

    item: Item
    fault: Fault

    def __str__(self) -> str:
        sentence = _SENTENCES.get((self.item, self.fault)) or _GENERAL[self.fault]
        return sentence.format(label=LABELS["en"].get(self.item, self.item))


class RequestError(Exception):
    """The mail would be rejected, for all of these reasons at once."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for. `signed` is the day on which the contract was signed."""

    company: str
    project: str
    signed: date
    version: str
    """The minor version and the JAR's, from Registration Management > Version Information."""
    registrations: int = 1
    """Maximum number of registrations: the nodes of the cluster project."""


@dataclass(frozen=True)
class Letter:
    """A mail as its writer sees it: subject and plain text."""

    subject: str
    body: str


def compose(request: Request, language: str = "en") -> Letter:
    """The mail that asks for it, with labels in that language; RequestError when it would be rejected."""
    values = {
        Item.COMPANY: request.company,
        Item.PROJECT: request.project,
        Item.SIGNED: f"{request.signed.year:04}/{request.signed.month:02}/{request.signed.day:02}",
        Item.METHOD: METHODS[language],
        Item.REGISTRATIONS: str(request.registrations),
        Item.VERSION: request.version,
    }
    lines = [f"{label}: {values[item]}\n" for item, label in LABELS[language].items()]
    letter = Letter(TITLE.format(company=request.company), "".join(lines))
    read = read_request(letter.subject, letter.body)
    changed = [item for item in LABELS[language] if getattr(read, item, None) != getattr(request, item, None)]
    if changed:  # such as a name with two spaces in a row
        raise RequestError(*(Problem(item, Fault.MALFORMED) for item in changed))
    return letter


def read_request(subject: str, body: str) -> Request:
    """What the mail asks for; RequestError with everything that is wrong with it."""
    texts, contradicted = _texts(body)
    problems = {Problem(item, Fault.DIFFERENT) for item in contradicted} | _title_problems(subject, texts)
    values: dict[str, object] = {}
    for item, read in _READERS.items():
        try:
            values[item] = read(texts[item])
        except KeyError:
            problems.add(Problem(item, Fault.MISSING))
        except ValueError:
            problems.add(Problem(item, Fault.MALFORMED))
    if problems:
        raise RequestError(*sorted(problems, key=lambda problem: list(Item).index(problem.item)))
    del values[Item.METHOD]
    return Request(**values)  # type: ignore[arg-type]  # every value was read just above


def _texts(body: str) -> tuple[dict[Item, str], set[Item]]:
    """The text behind each label, and the items that say two things. What has no text is not there."""
    texts: dict[Item, str] = {}
    contradicted = set()
    pending: Item | None = None  # the last line was a label and nothing else, as in the cell of a table
    for line in filter(str.strip, body.splitlines()):
        label, *rest = _SEPARATOR.split(line, maxsplit=1)
        named = _ITEMS.get(_plain(label.lstrip(_BULLETS)).casefold())
        item, text = (named, _plain("".join(rest))) if named else (pending, _plain(line))
        pending = named if named and not rest else None
        if item and text and texts.setdefault(item, text) != text:
            contradicted.add(item)
    return {Item.REGISTRATIONS: "1"} | texts, contradicted  # one when absent


def _title_problems(subject: str, texts: Mapping[Item, str]) -> set[Problem]:
    title = _TITLE.fullmatch(_plain(subject))
    if title is None:
        return {Problem(Item.TITLE, Fault.MISSING)}
    company = texts.get(Item.COMPANY, title["company"])
    return set() if title["company"].casefold() == company.casefold() else {Problem(Item.TITLE, Fault.DIFFERENT)}


def _plain(text: str) -> str:
    """With single spaces, and none at the ends."""
    return " ".join(text.split())


def _name(text: str) -> str:
    if len(text) > LONGEST_VALUE or not text.isprintable():
        raise ValueError("no name")
    return text


def _date(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}/[0-9]{2}/[0-9]{2}", text) is None:
        raise ValueError("no date")
    return date(*map(int, text.split("/")))


def _method(text: str) -> str:
    if text.casefold() not in {method.casefold() for method in METHODS.values()}:
        raise ValueError("another method")
    return text


def _count(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,4}", text) is None or not 1 <= int(text) <= MOST_REGISTRATIONS:
        raise ValueError("no count")
    return int(text)


_READERS: Mapping[Item, Callable[[str], object]] = {
    Item.COMPANY: _name,
    Item.PROJECT: _name,
    Item.SIGNED: _date,
    Item.METHOD: _method,
    Item.REGISTRATIONS: _count,
    Item.VERSION: _name,
}
_ITEMS = {label.casefold(): item for labels in LABELS.values() for item, label in labels.items()}
_SEPARATOR = re.compile("[:：\t]")
"""A tab is what becomes of a table's columns."""
_BULLETS = " \t-*•·"
_TITLE = re.compile(TITLE.replace("'", "['’]").format(company="(?P<company>.+)"), re.IGNORECASE)

_SENTENCES: Mapping[tuple[Item, Fault], str] = {
    (Item.TITLE, Fault.MISSING): f'The title is not "{TITLE.format(company="<Company>")}".',
    (Item.TITLE, Fault.DIFFERENT): "The title names another company than the text.",
    (Item.SIGNED, Fault.MALFORMED): '"{label}" is no date of the form YYYY/MM/DD.',
    (Item.METHOD, Fault.MALFORMED): f'"{{label}}" is not "{METHODS["en"]}".',
    (Item.REGISTRATIONS, Fault.MALFORMED): f'"{{label}}" is no number from 1 to {MOST_REGISTRATIONS}.',
}
_GENERAL: Mapping[Fault, str] = {
    Fault.MISSING: '"{label}" is missing.',
    Fault.MALFORMED: f'"{{label}}" has more than {LONGEST_VALUE} characters, or some that cannot be printed.',
    Fault.DIFFERENT: '"{label}" is there twice, and says different things.',
}
