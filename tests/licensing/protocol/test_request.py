"""The mail of R1: what is composed is accepted, and what is wrong is named all at once."""

from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.licensing.protocol.request import (
    LABELS,
    Fault,
    Item,
    Letter,
    Problem,
    Request,
    RequestError,
    compose,
    read_request,
)

REQUEST = Request(
    company="帆软 Example's Co.: Ltd",
    project="Sales & Reports",
    signed=date(2024, 3, 9),
    registrations=3,
    version="11.0.19 (JAR 2024-03-01-10.20.30)",
)
LETTER = compose(REQUEST)


def problems(subject: str = LETTER.subject, body: str = LETTER.body) -> set[Problem]:
    with pytest.raises(RequestError) as refused:
        read_request(subject, body)
    for problem in refused.value.problems:
        assert str(problem) in str(refused.value)
    return set(refused.value.problems)


def without(item: Item) -> str:
    return "".join(line for line in LETTER.body.splitlines(keepends=True) if not line.startswith(LABELS["en"][item]))


def saying(item: Item, text: str) -> str:
    return f"{without(item)}{LABELS['en'][item]}: {text}\n"


@pytest.mark.parametrize("language", LABELS)
def test_what_is_composed_is_accepted_and_says_the_same(language: str) -> None:
    letter = compose(REQUEST, language)
    assert read_request(letter.subject, letter.body) == REQUEST


def test_the_english_mail_is_the_manuals() -> None:
    letter = compose(replace(REQUEST, company="Example"))
    assert letter == Letter(
        "Official Authorization Document of Example's Registration for FineReport",
        "Company name: Example\n"
        "Project name: Sales & Reports\n"
        "Contract signing date: 2024/03/09\n"
        "Registration method: Container private cloud authentication\n"
        "Maximum number of registrations: 3\n"
        "Project version: 11.0.19 (JAR 2024-03-01-10.20.30)\n",
    )


NAMES = st.text(max_size=210) | st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)


@given(company=NAMES, project=NAMES, version=NAMES, signed=st.dates(), registrations=st.integers(-5, 10_050))
def test_no_mail_is_composed_that_would_be_rejected_or_misread(
    company: str, project: str, version: str, signed: date, registrations: int
) -> None:
    request = Request(
        company=company, project=project, version=version, signed=signed, registrations=registrations
    )  # fmt: skip
    with suppress(RequestError):
        letter = compose(request)
        assert read_request(letter.subject, letter.body) == request


@given(subject=st.text(), body=st.text())
def test_any_other_text_is_rejected_and_nothing_else_happens(subject: str, body: str) -> None:
    assert problems(subject, body)


def test_everything_that_is_missing_is_named_at_once_in_the_order_of_the_form() -> None:
    with pytest.raises(RequestError) as refused:
        read_request("", "")
    named = [Item.TITLE, Item.COMPANY, Item.PROJECT, Item.SIGNED, Item.METHOD, Item.VERSION]
    assert list(refused.value.problems) == [Problem(item, Fault.MISSING) for item in named]


def test_the_number_of_registrations_is_one_when_absent() -> None:
    assert read_request(LETTER.subject, without(Item.REGISTRATIONS)).registrations == 1
    assert read_request(LETTER.subject, saying(Item.REGISTRATIONS, "")).registrations == 1


def test_a_label_with_nothing_behind_its_colon_does_not_take_the_next_line() -> None:
    assert problems(body=saying(Item.VERSION, "\nBest regards")) == {Problem(Item.VERSION, Fault.MISSING)}


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Registration",
        "Official Authorization Document of Registration for FineReport",
        "Official Authorization Document of 's Registration for FineReport",
        "Re: " + LETTER.subject,
    ],
)
def test_a_title_without_the_company_is_rejected(subject: str) -> None:
    assert problems(subject=subject) == {Problem(Item.TITLE, Fault.MISSING)}


def test_a_title_of_another_company_is_rejected() -> None:
    other = LETTER.subject.replace("帆软", "软帆")
    assert problems(subject=other) == {Problem(Item.TITLE, Fault.DIFFERENT)}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Item.COMPANY, "x" * 201),
        (Item.COMPANY, "a\x07b"),
        (Item.PROJECT, "x" * 201),
        (Item.VERSION, "x" * 201),
        (Item.SIGNED, "2024-03-09"),
        (Item.SIGNED, "2024/3/9"),
        (Item.SIGNED, "2024/02/30"),
        (Item.SIGNED, "0000/01/01"),
        (Item.SIGNED, "YYYY/MM/DD"),
        (Item.SIGNED, "٢٠٢٤/٠٣/٠٩"),
        (Item.METHOD, "Public cloud"),
        (Item.REGISTRATIONS, "0"),
        (Item.REGISTRATIONS, "10000"),
        (Item.REGISTRATIONS, "-1"),
        (Item.REGISTRATIONS, "three"),
    ],
)
def test_what_an_item_cannot_be_is_rejected(item: Item, text: str) -> None:
    found = problems(body=saying(item, text))
    assert Problem(item, Fault.MALFORMED) in found
    assert {problem.item for problem in found} - {Item.TITLE} == {item}


@pytest.mark.parametrize("registrations", ["1", "9999"])
def test_from_one_to_9999_registrations_can_be_asked_for(registrations: str) -> None:
    assert read_request(LETTER.subject, saying(Item.REGISTRATIONS, registrations)).registrations == int(registrations)


def test_two_values_that_do_not_agree_are_rejected_and_two_that_do_are_not() -> None:
    assert problems(body=LETTER.body + "Project name: Another\n") == {Problem(Item.PROJECT, Fault.DIFFERENT)}
    assert read_request(LETTER.subject, LETTER.body * 2) == REQUEST


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("Company name: ", "COMPANY  NAME："),
        ("Company name: ", "- Company name:\t"),
        ("Company name: ", "  • Company name\xa0: "),
        ("Company name: ", "Company name\t"),
        ("Company name: ", "Company name\n\n  "),
        ("Project name", "项目名称"),
        ("Container private cloud authentication", "container private cloud authentication "),
        ("\n", "\r\n"),
        ("Company", "Dear colleagues,\n\nwe ask: please\nContact: somebody\nCompany"),
    ],
)
def test_how_people_and_their_mail_programs_write_it_makes_no_difference(was: str, becomes: str) -> None:
    assert was in LETTER.body
    assert read_request(LETTER.subject, LETTER.body.replace(was, becomes)) == REQUEST


def test_a_typographers_apostrophe_and_a_broken_line_in_the_title_are_accepted() -> None:
    subject = LETTER.subject.replace("'s Reg", "’s Reg").replace(" for ", "\r\n  for ").upper()
    assert read_request(subject, LETTER.body) == REQUEST


def test_what_is_quoted_from_an_earlier_mail_is_not_read() -> None:
    quoted = "".join(f"> {line}\n" for line in LETTER.body.replace("Sales", "Old").splitlines())
    assert read_request(LETTER.subject, LETTER.body + quoted) == REQUEST
