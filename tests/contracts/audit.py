"""What every ports.Trail must do. Inherit, and give a fixture `trail` that is empty."""

from dataclasses import replace
from datetime import timedelta

from tests.contracts.store import at_once
from tests.factories import NOW
from wizard.domain.audit import BEGINNING, Chain, Deed, End, Outcome, Sought, Way
from wizard.ports import Trail
from wizard.text import say

ALL = Sought()
RICH = Deed(
    at=NOW + timedelta(microseconds=1),
    who="Zoë 王",
    way=Way.ACCOUNT,
    address="2001:db8::1",
    act="node",
    outcome=Outcome.REFUSED,
    status=422,
    reason=say("%(check)s: no", check=say("The port %(port)s", port=18081)),
    registration="r1",
    details={"node": "sales-main", "port": "18081"},
)
"""With everything that a deed can have."""


def a_deed() -> Deed:
    return Deed(at=NOW, who="ann", way=Way.ACCOUNT, act="node", outcome=Outcome.DONE, status=303, registration="r1")


def numbers(trail: Trail, sought: Sought = ALL, before: int | None = None, most: int | None = None) -> list[int]:
    return [entry.number for entry in trail.entries(sought, before, most)]


class TrailContract:
    def test_an_empty_trail_is_whole(self, trail: Trail) -> None:
        assert numbers(trail) == []
        assert trail.end() == End(number=0, digest=BEGINNING)
        assert trail.chain() == Chain(end=End())

    def test_a_deed_comes_back_as_it_was_noted(self, trail: Trail) -> None:
        entry = trail.append(RICH)
        assert list(trail.entries(ALL)) == [entry]
        assert (entry.number, entry.deed) == (1, RICH)
        assert trail.end() == End(number=1, digest=entry.digest)

    def test_each_entry_is_chained_to_the_one_before(self, trail: Trail) -> None:
        first, second = trail.append(RICH), trail.append(RICH)
        assert second == End(number=1, digest=first.digest).followed_by(RICH)
        assert second.digest != first.digest
        assert trail.chain() == Chain(end=End(number=2, digest=second.digest))

    def test_the_newest_are_first_and_pages_meet(self, trail: Trail) -> None:
        for _ in range(7):
            trail.append(a_deed())
        assert numbers(trail, most=3) == [7, 6, 5]
        assert numbers(trail, before=5, most=3) == [4, 3, 2]
        assert numbers(trail, before=2, most=3) == [1]
        assert numbers(trail, before=1) == []

    def test_more_than_a_batch_comes_without_gap_or_repetition(self, trail: Trail) -> None:
        for _ in range(1001):
            trail.append(a_deed())
        assert numbers(trail) == list(range(1001, 0, -1))
        assert numbers(trail, most=501) == list(range(1001, 500, -1))
        assert trail.chain().is_whole

    def test_each_filter_finds_its_own(self, trail: Trail) -> None:
        trail.append(a_deed())
        for different in ({"who": "bob"}, {"act": "port"}, {"outcome": Outcome.FAILED}, {"registration": "r2"}):
            trail.append(replace(a_deed(), **different))
        assert numbers(trail, Sought(who="bob")) == [2]
        assert numbers(trail, Sought(act="port")) == [3]
        assert numbers(trail, Sought(outcome="failed")) == [4]
        assert numbers(trail, Sought(registration="r2")) == [5]
        assert numbers(trail, Sought(who="ann", registration="r1")) == [4, 3, 1]
        assert [trail.count(sought) for sought in (ALL, Sought(who="bob"), Sought(who="nobody"))] == [5, 1, 0]

    def test_a_span_includes_its_first_moment_and_not_its_last(self, trail: Trail) -> None:
        for second in range(4):
            trail.append(replace(a_deed(), at=NOW + timedelta(seconds=second)))
        span = Sought(since=NOW + timedelta(seconds=1), until=NOW + timedelta(seconds=3))
        assert numbers(trail, span) == [3, 2]
        assert trail.count(span) == 2

    def test_everybody_who_did_something_is_known_once(self, trail: Trail) -> None:
        for who in ("bob", "ann", "bob", ""):
            trail.append(replace(a_deed(), who=who))
        assert trail.people() == ["ann", "bob"]

    def test_eight_who_write_at_once_leave_no_gap_and_a_whole_chain(self, trail: Trail) -> None:
        def write(number: int) -> None:
            for _ in range(25):
                trail.append(replace(a_deed(), who=f"writer {number}"))

        at_once(8, write)
        assert numbers(trail) == list(range(200, 0, -1))
        assert trail.chain().is_whole
        assert [trail.count(Sought(who=f"writer {number}")) for number in range(8)] == [25] * 8
