"""The chain of the audit trail: what it is made of, and what it shows."""

import json
from dataclasses import fields, replace
from datetime import timedelta, timezone
from hashlib import sha256

import pytest

from tests.contracts.audit import RICH, a_deed
from tests.factories import NOW, a_placed_registration, a_registration
from wizard.domain.audit import (
    BEGINNING,
    LONGEST_WORD,
    Chain,
    Deed,
    End,
    Entry,
    Outcome,
    Way,
    canonical,
    subject_of,
    verified,
    way_of,
    word,
)
from wizard.domain.person import Person, Role
from wizard.text import say


def chained(*deeds: Deed) -> list[Entry]:
    entries, end = [], End()
    for deed in deeds:
        entry = end.followed_by(deed)
        entries.append(entry)
        end = End(number=entry.number, digest=entry.digest)
    return entries


def end_of(entries: list[Entry]) -> End:
    return End(number=entries[-1].number, digest=entries[-1].digest)


def test_a_digest_can_be_computed_by_anybody_from_what_is_written_down() -> None:
    """As docs/operation.md describes it, in the words of the standard library."""
    value = {
        "number": 1,
        "at": "2026-11-24T09:00:00.000001+00:00",
        "who": "Zoë 王",
        "way": "account",
        "address": "2001:db8::1",
        "act": "node",
        "outcome": "refused",
        "status": 422,
        "reason": {
            "msgid": "%(check)s: no",
            "params": {"check": {"msgid": "The port %(port)s", "params": {"port": 18081}}},
        },
        "registration": "r1",
        "details": {"node": "sales-main", "port": "18081"},
    }
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    assert End().followed_by(RICH).digest == sha256((BEGINNING + text).encode()).hexdigest()


CHANGED: dict[str, object] = {
    "at": NOW,
    "who": "mallory",
    "way": Way.WORKER,
    "address": "127.0.0.1",
    "act": "port",
    "outcome": Outcome.DONE,
    "status": 200,
    "reason": say("%(check)s: no", check=say("The port %(port)s", port=18082)),
    "registration": "r2",
    "details": {"node": "sales-main", "port": "18082"},
}


def test_each_part_of_a_deed_is_in_its_digest() -> None:
    assert {field.name for field in fields(Deed)} == CHANGED.keys()
    changed = [replace(RICH, **{name: value}) for name, value in CHANGED.items()]  # type: ignore[arg-type]
    assert len({canonical(1, deed) for deed in [RICH, *changed]} | {canonical(2, RICH)}) == len(changed) + 2


def test_the_same_moment_is_written_the_same_in_each_zone() -> None:
    elsewhere = RICH.at.astimezone(timezone(timedelta(hours=8)))
    assert canonical(1, replace(RICH, at=elsewhere)) == canonical(1, RICH)


def test_entries_that_come_in_while_it_is_checked_break_nothing() -> None:
    entries = chained(*[a_deed()] * 5)
    ends = iter([end_of(entries[:3]), end_of(entries)])
    assert verified(entries, lambda: next(ends)) == Chain(end=end_of(entries))


def test_a_trail_that_was_written_anew_does_not_reach_its_end() -> None:
    entries, others = chained(*[a_deed()] * 3), chained(*[RICH] * 3)
    assert verified(others, lambda: end_of(entries)) == Chain(end=end_of(others), broken=3)


def test_an_emptied_trail_is_broken_at_its_first_entry() -> None:
    assert verified([], lambda: end_of(chained(a_deed()))).broken == 1


@pytest.mark.parametrize(
    ("person", "way"),
    [
        (None, Way.STRANGER),
        (Person(name="ann", role=Role.ADMIN), Way.ACCOUNT),
        (Person(name="eve", role=Role.OBSERVER), Way.ACCOUNT),
        (Person(name="l", role=Role.OBSERVER, surfaces=frozenset({"wizard"}), registration="r1"), Way.OBSERVER_LINK),
        (Person(name="f", role=Role.ADMIN, surfaces=frozenset({"wizard", "uploads"}), project="sales"), Way.FINEOPS),
        (Person(name="v", role=Role.ADMIN, surfaces=frozenset({"kiosk", "wizard"}), registration="v"), Way.KIOSK),
    ],
)
def test_the_way_follows_from_what_somebody_may_see(person: Person | None, way: Way) -> None:
    assert way_of(person) is way


def test_what_has_been_chosen_so_far_is_the_subject() -> None:
    assert subject_of(a_registration(image=None)) == {}
    subject = subject_of(a_placed_registration())
    assert subject == {
        "project": "sales",
        "node": "sales-main",
        "port": "18081",
        "image": "5e" * 6,
        "policy": "signed",
    }


def test_a_word_is_printable_and_not_long() -> None:
    assert word("a\x00b\nc\ud800") == "a\ufffdb\ufffdc\ufffd"
    assert len(word("x" * 1000)) == LONGEST_WORD
