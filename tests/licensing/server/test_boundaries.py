"""The boundaries of R6 to R11 through the HTTP API, with an injected clock: at the limit, and a millisecond beyond it.

Those of the code entry hold for a stranger and for the admin alike, each with counts of its own.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from wizard.licensing.protocol import api
from wizard.licensing.rules.limits import BLOCKING_TOTAL, DAY, LOCK, MINUTE, QR_VALID, RECONNECT


class AdminBench(Bench):
    """The same, asked by whoever shows the token."""

    def boot(self) -> None:
        super().boot()
        self.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.authorization.identity.token}"


@pytest.fixture(params=[Bench, AdminBench])
def entry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """An instance whose codes are entered by a stranger, then by the admin."""
    bench: Bench = request.param(tmp_path)
    yield bench
    bench.kill()


@pytest.fixture
def member(bench: Bench) -> Member:
    """A project that is registered with the bench's instance."""
    bench.verify()
    member = Member(bench)
    member.register()
    return member


def slot_states(bench: Bench) -> list[str]:
    return [slot["state"] for slot in bench.status()["slots"]]


def reasons(bench: Bench) -> list[str | None]:
    return [slot["reason"] for slot in bench.status()["slots"]]


# R6: the code.


@pytest.mark.parametrize(("elapsed", "judgement"), [(300_000, "accepted"), (300_001, "expired")])
def test_a_code_is_in_time_at_300_000_and_expired_at_300_001(entry: Bench, elapsed: int, judgement: str) -> None:
    challenge = entry.challenge()
    entry.now += elapsed
    assert entry.judge(challenge, entry.right(challenge)) == judgement


class Slow(io.BytesIO):
    """A document that is a millisecond too long on its way."""

    def __init__(self, bench: Bench, content: bytes) -> None:
        super().__init__(content)
        self._bench = bench

    def readinto(self, buffer: Any, /) -> int:
        self._bench.now += QR_VALID + 1
        return super().readinto(buffer)


def test_a_code_whose_first_byte_is_in_time_and_whose_last_is_not_is_expired(entry: Bench) -> None:
    challenge = entry.challenge()
    content = json.dumps({"challenge": challenge["id"], "code": entry.right(challenge)}).encode()
    answer = entry.client.post(
        api.CODES,
        input_stream=Slow(entry, content),
        content_length=len(content),
        content_type="application/json",
    )
    assert answer.json is not None
    assert (answer.status_code, answer.json["judgement"]) == (410, "expired")


def test_a_challenge_is_shown_until_300_000_and_no_longer(entry: Bench) -> None:
    entry.challenge()
    entry.now += 300_000
    assert entry.status()["challenge"]["remaining_ms"] == 0
    entry.now += 1
    assert entry.status()["challenge"] is None


def test_the_fifth_wrong_code_warns_of_the_last_try_and_the_sixth_locks(entry: Bench) -> None:
    challenge = entry.challenge()
    for left in (5, 4, 3, 2, 1):
        response = entry.enter(challenge, entry.wrong(challenge))
        assert response.status_code == 422
        assert response.json is not None
        assert (response.json["judgement"], response.json["status"]["tries_left"]) == ("wrong", left)
        assert response.json["status"]["locked_ms"] is None
    response = entry.enter(challenge, entry.wrong(challenge))
    assert response.status_code == 423
    assert response.json is not None
    assert response.json["judgement"] == "locked"
    assert (response.json["status"]["locked_ms"], response.json["status"]["challenge"]) == (900_000, None)


def test_the_sixth_code_is_evaluated_and_accepted_when_it_is_right(entry: Bench) -> None:
    challenge = entry.challenge()
    for _ in range(5):
        entry.enter(challenge, entry.wrong(challenge))
    assert entry.judge(challenge, entry.right(challenge)) == "accepted"
    assert entry.status()["tries_left"] == 6


@pytest.mark.parametrize(("elapsed", "status_code"), [(899_999, 423), (900_000, 201)])
def test_the_lock_holds_at_899_999_and_is_open_at_900_000(entry: Bench, elapsed: int, status_code: int) -> None:
    entry.lock()
    entry.now += elapsed
    assert entry.post(api.CHALLENGES, {}).status_code == status_code


def test_a_lock_outlives_restarts_to_the_millisecond(entry: Bench) -> None:
    entry.lock()
    entry.restart(down=899_998)
    entry.restart(down=1)
    assert entry.status()["locked_ms"] == 1
    entry.restart(down=1)
    assert (entry.status()["locked_ms"], entry.status()["tries_left"]) == (None, 6)


def test_wrong_codes_are_counted_over_challenges_and_restarts(entry: Bench) -> None:
    for _ in range(5):
        challenge = entry.challenge()
        assert entry.judge(challenge, entry.wrong(challenge)) == "wrong"
        entry.restart()
    challenge = entry.challenge()
    assert entry.judge(challenge, entry.wrong(challenge)) == "locked"
    entry.restart()
    assert entry.status()["locked_ms"] == LOCK - 1000


def test_expired_superseded_consumed_and_malformed_are_not_counted(entry: Bench) -> None:
    first = entry.challenge()
    second = entry.challenge()
    assert entry.judge(first, entry.right(first)) == "superseded"
    assert entry.judge(second, "12345") == "malformed"
    assert entry.judge(second, "12345x") == "malformed"
    assert entry.judge(second, "１２３４５６") == "malformed"  # six digits, but not those of a code
    entry.now += QR_VALID + 1
    assert entry.judge(second, entry.wrong(second)) == "expired"
    third = entry.challenge()
    assert entry.judge(third, entry.right(third)) == "accepted"
    assert entry.judge(third, entry.wrong(third)) == "consumed"
    assert entry.status()["tries_left"] == 6


@pytest.mark.parametrize(("elapsed", "status_code"), [(DAY - 1, 423), (DAY, 201)])
def test_thirty_wrong_codes_block_until_24_hours_are_over(entry: Bench, elapsed: int, status_code: int) -> None:
    for _ in range(BLOCKING_TOTAL // 6 - 1):
        entry.lock()
        assert entry.status()["locked_ms"] == LOCK
        entry.now += LOCK
    entry.lock()
    assert entry.status()["locked_ms"] == DAY
    entry.now += elapsed
    assert entry.post(api.CHALLENGES, {}).status_code == status_code


def test_after_the_block_both_counts_begin_anew(entry: Bench) -> None:
    for _ in range(BLOCKING_TOTAL // 6):
        entry.lock()
        entry.now += DAY
    entry.lock()
    assert entry.status()["locked_ms"] == LOCK


# R7: verified.


def test_a_restart_between_code_and_registration_needs_a_new_scan(bench: Bench) -> None:
    bench.verify()
    bench.restart(down=1)
    assert bench.state == "UNAUTHENTICATED"
    assert Member(bench).try_to_register().status_code == 409
    bench.verify()
    Member(bench).register()


@pytest.mark.parametrize(("elapsed", "status_code"), [(DAY, 201), (DAY + 1, 409)])
def test_verified_for_24_hours_it_registers_and_not_a_millisecond_later(
    bench: Bench, elapsed: int, status_code: int
) -> None:
    bench.verify()
    bench.now += elapsed
    assert bench.state == ("VERIFIED" if status_code == 201 else "UNAUTHENTICATED")
    assert Member(bench).try_to_register().status_code == status_code


# R10: shutdowns.


@pytest.mark.parametrize(
    ("down", "state", "slot"), [(DAY, "WINDOW", "AWAITING"), (DAY + 1, "REAUTHENTICATE", "FAILED")]
)
def test_a_clean_stop_of_24_hours_keeps_and_one_millisecond_more_re_authenticates(
    bench: Bench, member: Member, down: int, state: str, slot: str
) -> None:
    bench.restart(down=down)
    assert (bench.state, slot_states(bench)) == (state, [slot])
    assert reasons(bench) == [None if state == "WINDOW" else "downtime"]


def test_after_exactly_24_hours_and_a_reconnect_after_exactly_two_all_goes_on(bench: Bench, member: Member) -> None:
    bench.restart(down=DAY)
    bench.now += RECONNECT
    feedback = member.send(member.beat_message())
    assert (feedback.result.value, feedback.down_ms) == ("RECONNECTED", DAY)
    assert (bench.state, slot_states(bench)) == ("ACTIVE", ["LIVE"])


@pytest.mark.parametrize(("elapsed", "answer"), [(RECONNECT, "RECONNECTED"), (RECONNECT + 1, "UNKNOWN")])
def test_a_reconnect_at_exactly_two_hours_counts(bench: Bench, member: Member, elapsed: int, answer: str) -> None:
    bench.restart(down=MINUTE)
    bench.now += elapsed
    assert member.beat() == answer
    assert bench.state == "ACTIVE"


def test_a_millisecond_after_two_hours_the_registration_has_failed_and_the_authentication_has_not(
    bench: Bench, member: Member
) -> None:
    bench.restart(down=MINUTE)
    bench.now += RECONNECT + 1
    assert (bench.state, slot_states(bench), reasons(bench)) == ("ACTIVE", ["FAILED"], ["not reconnected"])
    member.register()


def test_after_a_crash_the_stop_is_counted_from_the_last_minute_written(bench: Bench, member: Member) -> None:
    bench.tick()
    bench.kill()
    bench.now += DAY + MINUTE
    bench.boot()
    assert bench.state == "WINDOW"
    bench.kill()
    bench.now += DAY + MINUTE + 1
    bench.boot()
    assert bench.state == "REAUTHENTICATE"


# R11: silence.


@pytest.mark.parametrize(("silence", "answer"), [(DAY, "OK"), (DAY + 1, "UNKNOWN")])
def test_a_project_may_be_silent_for_24_hours_and_not_a_millisecond_longer(
    bench: Bench, member: Member, silence: int, answer: str
) -> None:
    member.beat()
    bench.now += silence
    assert member.beat() == answer
    assert bench.state == "ACTIVE"


@pytest.mark.parametrize(("silence", "slot", "reason"), [(DAY, "LIVE", None), (DAY + 1, "FAILED", "no request")])
def test_silence_fails_the_slot_and_the_authentication_stays(
    bench: Bench, member: Member, silence: int, slot: str, reason: str | None
) -> None:
    bench.now += silence
    assert (bench.state, slot_states(bench), reasons(bench)) == ("ACTIVE", [slot], [reason])
    member.register()  # with no scan
    assert slot_states(bench) == ["LIVE"]
