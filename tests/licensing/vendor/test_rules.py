"""Which scans are answered (SPEC.md, section 4, activation page)."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.licensing.vendor.instances import NOW
from wizard.licensing.protocol.claims import Claims
from wizard.licensing.vendor.rules import (
    CHALLENGES_A_DAY,
    DAY,
    Licence,
    LicenceState,
    Refusal,
    Refused,
    Scan,
    valid_until,
)

HERE, ELSEWHERE = b"a" * 32, b"b" * 32
CLAIMS = Claims(
    licence="1" * 16,
    company="Company",
    project="Project",
    registrations=1,
    architecture="amd64",
    layers="0" * 64,
    settings="0" * 64,
    supersedes="9" * 16,
    issued="2026-11-24T05:30:00Z",
    kid="0" * 8,
    activation="http://127.0.0.1:8001",
    vendor_key="0" * 64,
)
NEW = Licence(claims=CLAIMS)


def scan(
    counter: int, *, instance: bytes = HERE, held: str | None = None, nonce: int = 0, minute: int | None = None
) -> Scan:
    """A QR whose counter is also the minute in which it was made, unless another is given."""
    digest = hashlib.sha256(f"{instance!r} {counter} {nonce}".encode()).hexdigest()
    minute = counter if minute is None else minute
    return Scan(digest=digest, instance=instance, counter=counter, minute=minute, held=held)


def refusal(licence: Licence, asked: Scan, now: object = NOW) -> Refusal:
    with pytest.raises(Refused) as raised:
        licence.check(asked, now)  # type: ignore[arg-type]
    return raised.value.refusal


def test_the_first_code_binds_the_licence_to_the_instance() -> None:
    licence = NEW.answered(scan(1), issued=True, now=NOW)
    assert licence.instance == HERE
    assert refusal(licence, scan(1, instance=ELSEWHERE)) is Refusal.OTHER_INSTANCE


def test_a_declined_scan_binds_nothing() -> None:
    licence = NEW.answered(scan(1), issued=False, now=NOW)
    assert licence.instance is None
    licence.check(scan(1, instance=ELSEWHERE), NOW)


def test_the_first_decision_about_a_qr_stands() -> None:
    declined = NEW.answered(scan(1), issued=False, now=NOW)
    again = declined.answered(scan(1), issued=True, now=NOW + timedelta(minutes=1))
    assert again == declined
    answer = again.answer_to(scan(1))
    assert answer is not None
    assert not answer.issued


def test_a_higher_counter_is_answered() -> None:
    licence = NEW.answered(scan(3), issued=True, now=NOW).answered(scan(7), issued=True, now=NOW)
    assert [answer.counter for answer in licence.answers] == [3, 7]


def test_a_lower_counter_is_outdated() -> None:
    licence = NEW.answered(scan(3), issued=True, now=NOW)
    assert refusal(licence, scan(2)) is Refusal.OUTDATED


def test_a_repeated_counter_with_another_nonce_is_a_clone() -> None:
    licence = NEW.answered(scan(3), issued=True, now=NOW).answered(scan(4), issued=True, now=NOW)
    assert refusal(licence, scan(4, nonce=1)) is Refusal.CLONED
    assert refusal(licence, scan(3, nonce=1)) is Refusal.CLONED


@pytest.mark.parametrize(
    ("minute", "expected"),
    [(2, Refusal.OUTDATED), (7, Refusal.OUTDATED), (8, Refusal.ROLLED_BACK), (99, Refusal.ROLLED_BACK)],
)
def test_a_lower_counter_made_later_is_a_rollback_and_one_of_the_same_minute_is_not(
    minute: int, expected: Refusal
) -> None:
    licence = NEW.answered(scan(3), issued=True, now=NOW).answered(scan(7), issued=True, now=NOW)
    assert refusal(licence, scan(5, minute=minute)) is expected


def test_a_rollback_behind_an_older_answer_is_seen_as_well() -> None:
    licence = NEW.answered(scan(3), issued=False, now=NOW).answered(scan(7, minute=90), issued=True, now=NOW)
    assert refusal(licence, scan(2, minute=50)) is Refusal.ROLLED_BACK
    assert refusal(licence, scan(5, minute=50)) is Refusal.OUTDATED


def test_a_later_minute_of_another_instance_is_no_rollback() -> None:
    licence = NEW.answered(scan(7), issued=False, now=NOW)
    licence.check(scan(1, instance=ELSEWHERE, minute=90), NOW)


def test_answers_whose_minute_was_not_noted_tell_of_no_rollback() -> None:
    licence = NEW.answered(scan(7), issued=True, now=NOW)
    licence = replace(licence, answers=tuple(replace(answer, minute=None) for answer in licence.answers))
    assert refusal(licence, scan(5, minute=90)) is Refusal.OUTDATED


def test_after_a_rollback_a_higher_counter_is_answered_again() -> None:
    licence = NEW.answered(scan(7), issued=True, now=NOW)
    assert refusal(licence, scan(7, minute=90, nonce=1)) is Refusal.CLONED
    assert licence.answered(scan(8, minute=91), issued=True, now=NOW).answers[-1].counter == 8


def test_an_older_qr_that_was_answered_still_has_its_answer() -> None:
    licence = NEW.answered(scan(3), issued=True, now=NOW).answered(scan(4), issued=True, now=NOW)
    licence.check(scan(3), NOW)
    assert licence.answered(scan(3), issued=False, now=NOW) == licence


def test_an_instance_installed_anew_before_its_first_code_counts_from_the_beginning() -> None:
    licence = NEW.answered(scan(5), issued=False, now=NOW)
    assert licence.answered(scan(1, instance=ELSEWHERE), issued=True, now=NOW).instance == ELSEWHERE


def test_an_instance_of_another_licence_is_refused_unless_this_one_takes_over_from_it() -> None:
    assert refusal(NEW, scan(1, held="5" * 16)) is Refusal.OTHER_LICENCE
    NEW.check(scan(1, held=CLAIMS.licence), NOW)
    NEW.check(scan(1, held=CLAIMS.supersedes), NOW)


def test_a_superseded_licence_answers_nothing_not_even_what_it_answered_before() -> None:
    licence = NEW.answered(scan(1), issued=True, now=NOW).superseded()
    assert licence.state is LicenceState.SUPERSEDED
    assert refusal(licence, scan(1)) is Refusal.INACTIVE
    assert refusal(licence, scan(2)) is Refusal.INACTIVE


def test_a_destroyed_licence_answers_nothing_for_ever() -> None:
    licence = NEW.answered(scan(1), issued=True, now=NOW).destroy(NOW)
    assert (licence.state, licence.destroyed) == (LicenceState.DESTROYED, NOW)
    assert refusal(licence, scan(1)) is Refusal.DESTROYED
    assert refusal(licence, scan(2)) is Refusal.DESTROYED
    assert licence.superseded() == licence
    assert refusal(licence.unlock(NOW), scan(2)) is Refusal.DESTROYED


def test_destroying_twice_keeps_the_first_time() -> None:
    assert NEW.destroy(NOW).destroy(NOW + DAY) == NEW.destroy(NOW)


def test_a_superseded_licence_can_be_destroyed() -> None:
    assert NEW.superseded().destroy(NOW).state is LicenceState.DESTROYED


def busy_licence() -> Licence:
    """A licence that had its twenty challenges, one each minute, issued and declined by turns."""
    licence = NEW
    for counter in range(CHALLENGES_A_DAY):
        licence = licence.answered(scan(counter), issued=counter % 2 == 0, now=NOW + timedelta(minutes=counter))
    return licence


def test_the_twenty_first_challenge_of_a_day_is_refused_with_the_time_to_wait_for() -> None:
    with pytest.raises(Refused) as raised:
        busy_licence().check(scan(99), NOW + timedelta(hours=1))
    assert raised.value.refusal is Refusal.TOO_MANY
    assert raised.value.retry_at == NOW + DAY


@pytest.mark.parametrize(
    ("wait", "answered"), [(DAY - timedelta(milliseconds=1), False), (DAY, True), (DAY + timedelta(hours=1), True)]
)
def test_a_day_after_the_oldest_of_the_twenty_there_is_room_again(wait: timedelta, answered: bool) -> None:
    licence = busy_licence()
    if answered:
        licence.check(scan(99), NOW + wait)
    else:
        assert refusal(licence, scan(99), NOW + wait) is Refusal.TOO_MANY


def test_unlocking_forgives_the_challenges_up_to_then_and_no_later_ones() -> None:
    at = NOW + timedelta(hours=1)
    licence = busy_licence().unlock(at)
    assert licence.counted(at) == []
    for counter in range(50, 50 + CHALLENGES_A_DAY):
        licence = licence.answered(scan(counter), issued=True, now=at + timedelta(minutes=1))
    assert refusal(licence, scan(99), at + timedelta(minutes=2)) is Refusal.TOO_MANY


def test_unlocking_does_not_free_the_licence_from_its_instance() -> None:
    licence = NEW.answered(scan(1), issued=True, now=NOW).unlock(NOW)
    assert refusal(licence, scan(1, instance=ELSEWHERE)) is Refusal.OTHER_INSTANCE


def test_the_limit_of_the_day_does_not_take_back_an_answer() -> None:
    busy_licence().check(scan(CHALLENGES_A_DAY - 1), NOW + timedelta(hours=1))


def test_a_qr_is_said_to_be_valid_for_five_minutes_from_its_minute() -> None:
    assert valid_until(int(NOW.timestamp()) // 60) == NOW.replace(second=0) + timedelta(minutes=5)
