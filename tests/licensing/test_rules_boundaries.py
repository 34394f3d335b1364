"""The limits as numbers, each beside its sentence; and boundaries that planted faults (tests/mutants) have shown."""

import pytest

from wizard.licensing.rules import limits, timeline
from wizard.licensing.rules.events import Boot
from wizard.licensing.rules.instance import Instance
from wizard.licensing.rules.server import serve

T: limits.Millis = 1_800_000_000_000

LIMITS = {
    "R6: the QR is valid five minutes": (limits.QR_VALID, 300_000),
    "R6: the sixth wrong one locks for 15 minutes": (limits.LOCK, 900_000),
    "R6: five wrong ones are tolerated": (limits.TOLERATED, 5),
    "R6: 30 wrong in total block": (limits.BLOCKING_TOTAL, 30),
    "our own: slots that are not held": (limits.REMEMBERED, 100),
    "R9: every two hours": (limits.BEAT, 7_200_000),
    "R9: retry after 60 s": (limits.RETRY_FIRST, 60_000),
    "R9: doubling to 300 s": (limits.RETRY_LONGEST, 300_000),
    "R7, R10, R11: 24 h": (limits.DAY, 86_400_000),
    "R10: reconnect within two hours": (limits.RECONNECT, 7_200_000),
    "section 3: healed within 26 h": (limits.HEAL, 93_600_000),
    "section 3: the time alive is persisted each minute": (limits.PERSISTED, 60_000),
    "FINDINGS.md: a jump over five minutes is an anomaly": (timeline.JUMP, 300_000),
    "FINDINGS.md: for an hour": (timeline.DOUBT, 3_600_000),
}


@pytest.mark.parametrize("sentence", LIMITS)
def test_a_limit_is_what_the_specification_says(sentence: str) -> None:
    actual, expected = LIMITS[sentence]
    assert actual == expected


def test_a_crash_of_less_than_a_minute_is_attested_as_no_time_at_all() -> None:
    born = serve(Instance(), Boot(1), T).after
    booted = serve(born, Boot(1), T + limits.MINUTE - 1).after
    assert (booted.stopped, booted.started) == (T + limits.MINUTE - 1, T + limits.MINUTE - 1)


def at(utc: limits.Millis, boottime: limits.Millis, boot_id: str = "one") -> timeline.Reading:
    return timeline.Reading(utc=utc, boottime=boottime, boot_id=boot_id)


@pytest.mark.parametrize(("stood", "is_believed"), [(timeline.DOUBT, False), (timeline.DOUBT + 1, True)])
def test_a_clock_that_was_set_is_doubted_for_an_hour_exactly(stood: limits.Millis, is_believed: bool) -> None:
    jumped = timeline.advance(timeline.begin(at(T, 0), T), at(T + limits.DAY, 0))
    later = timeline.advance(jumped, at(T + limits.DAY + stood, stood))
    assert (later.doubted is None) is is_believed


def test_a_host_that_runs_for_longer_than_before_its_restart_was_down_all_the_same() -> None:
    mark = timeline.begin(at(T, limits.MINUTE), T)
    restarted = timeline.advance(mark, at(T + limits.DAY, limits.HOUR, "another"))
    assert restarted.now == T + limits.DAY
