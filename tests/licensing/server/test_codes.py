"""R6 through the HTTP API, with an injected clock."""

from pathlib import Path

import pytest

from tests.licensing.server.bench import Bench, at_once
from wizard.licensing.protocol import api
from wizard.licensing.protocol.qr import Reason, from_path, unpack
from wizard.licensing.rules.limits import DAY, LOCK, MINUTE
from wizard.licensing.server.store import Store


def test_a_new_instance_is_unauthenticated_and_has_no_challenge(bench: Bench) -> None:
    status = bench.status()
    assert (status["state"], status["challenge"], status["tries_left"]) == ("UNAUTHENTICATED", None, 6)
    assert (status["protocol"], status["locked_ms"], status["slots"]) == (1, None, [])
    assert (status["company"], status["project"], status["registrations"]) == ("Example Company", "Reporting", 1)


def test_the_code_of_the_vendor_verifies(bench: Bench) -> None:
    challenge = bench.challenge()
    response = bench.enter(challenge, bench.right(challenge))
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["judgement"] == "accepted"
    assert response.json["status"]["state"] == "VERIFIED"


def test_the_sixth_wrong_code_locks_for_fifteen_minutes(bench: Bench) -> None:
    challenge = bench.challenge()
    for left in (5, 4, 3, 2, 1):
        response = bench.enter(challenge, bench.wrong(challenge))
        assert response.status_code == 422
        assert response.json is not None
        assert (response.json["judgement"], response.json["status"]["tries_left"]) == ("wrong", left)
    response = bench.enter(challenge, bench.wrong(challenge))
    assert response.status_code == 423
    assert response.json is not None
    assert response.json["judgement"] == "locked"
    assert (response.json["status"]["locked_ms"], response.json["status"]["challenge"]) == (LOCK, None)


def test_the_sixth_code_is_evaluated_and_accepted_when_it_is_right(bench: Bench) -> None:
    challenge = bench.challenge()
    for _ in range(5):
        bench.enter(challenge, bench.wrong(challenge))
    assert bench.judge(challenge, bench.right(challenge)) == "accepted"
    assert bench.status()["tries_left"] == 6


def test_during_the_lock_a_right_code_is_not_evaluated_and_no_challenge_is_made(bench: Bench) -> None:
    challenge = bench.lock()
    assert bench.judge(challenge, bench.right(challenge)) == "locked"
    response = bench.post(api.CHALLENGES, {})
    assert response.status_code == 423
    assert response.json is not None
    assert (response.json["error"]["code"], response.json["status"]["locked_ms"]) == ("locked", LOCK)


@pytest.mark.parametrize(("elapsed", "status_code"), [(LOCK - 1, 423), (LOCK, 201)])
def test_the_lock_holds_at_899_999_and_is_open_at_900_000(bench: Bench, elapsed: int, status_code: int) -> None:
    bench.lock()
    bench.now += elapsed
    assert bench.post(api.CHALLENGES, {}).status_code == status_code


def test_after_the_lock_all_six_tries_are_back(bench: Bench) -> None:
    bench.lock()
    bench.now += LOCK
    assert (bench.status()["tries_left"], bench.status()["locked_ms"]) == (6, None)


@pytest.mark.parametrize(("elapsed", "judgement"), [(300_000, "accepted"), (300_001, "expired")])
def test_a_code_is_in_time_at_300_000_and_expired_at_300_001(bench: Bench, elapsed: int, judgement: str) -> None:
    challenge = bench.challenge()
    bench.now += elapsed
    assert bench.judge(challenge, bench.right(challenge)) == judgement


def test_an_expired_challenge_is_not_shown_any_more(bench: Bench) -> None:
    bench.challenge()
    bench.now += 300_000
    assert bench.status()["challenge"]["remaining_ms"] == 0
    bench.now += 1
    assert bench.status()["challenge"] is None


def test_expired_superseded_consumed_and_malformed_are_not_counted(bench: Bench) -> None:
    first = bench.challenge()
    second = bench.challenge()
    assert bench.judge(first, bench.right(first)) == "superseded"
    assert bench.judge(second, "12345") == "malformed"
    assert bench.judge(second, "12345x") == "malformed"
    assert bench.judge(second, "１２３４５６") == "malformed"  # six digits, but not those of a code
    bench.now += 300_001
    assert bench.judge(second, bench.wrong(second)) == "expired"
    assert bench.status()["tries_left"] == 6


def test_a_code_works_once(bench: Bench) -> None:
    challenge = bench.challenge()
    assert bench.judge(challenge, bench.right(challenge)) == "accepted"
    response = bench.enter(challenge, bench.right(challenge))
    assert response.status_code == 410
    assert response.json is not None
    assert (response.json["judgement"], response.json["status"]["tries_left"]) == ("consumed", 6)


def test_wrong_codes_are_counted_over_challenges_and_restarts(bench: Bench) -> None:
    for _ in range(5):
        challenge = bench.challenge()
        assert bench.judge(challenge, bench.wrong(challenge)) == "wrong"
        bench.restart()
    challenge = bench.challenge()
    assert bench.judge(challenge, bench.wrong(challenge)) == "locked"
    bench.restart()
    assert bench.status()["locked_ms"] == LOCK - 1000


def test_thirty_wrong_codes_block_for_24_hours(bench: Bench) -> None:
    for _ in range(4):
        bench.lock()
        bench.now += LOCK
    bench.lock()
    assert bench.status()["locked_ms"] == DAY
    bench.now += DAY - 1
    assert bench.post(api.CHALLENGES, {}).status_code == 423
    bench.now += 1
    bench.lock()
    assert bench.status()["locked_ms"] == LOCK


def test_a_success_starts_both_counts_anew(bench: Bench) -> None:
    for _ in range(4):
        bench.lock()
        bench.now += LOCK
    bench.verify()
    bench.lock()
    assert bench.status()["locked_ms"] == LOCK


def test_the_counter_rises_with_each_challenge_over_restarts(bench: Bench) -> None:
    counters = []
    for _ in range(3):
        url = bench.challenge()["url"]
        counters.append(unpack(from_path(url.rpartition("/")[2])).counter)
        bench.restart()
    assert counters == [1, 2, 3]


def test_a_challenge_says_why_a_code_is_wanted(bench: Bench, tmp_path: Path) -> None:
    def reason(of: Bench) -> Reason:
        return unpack(from_path(of.challenge()["url"].rpartition("/")[2])).reason

    assert reason(bench) is Reason.FIRST
    moved = Bench(tmp_path / "moved", claims=bench.vendor.claims(supersedes="8899aabbccddeeff"))
    assert reason(moved) is Reason.COMPONENT_MIGRATION
    moved.kill()


def test_new_challenges_are_limited_in_rate(bench: Bench) -> None:
    codes = [bench.post(api.CHALLENGES, {}).status_code for _ in range(31)]
    assert codes == [201] * 30 + [429]
    bench.now += 2000
    assert bench.post(api.CHALLENGES, {}).status_code == 201


def test_verified_lasts_24_hours_and_not_a_millisecond_longer(bench: Bench) -> None:
    bench.verify()
    bench.now += DAY
    assert bench.state == "VERIFIED"
    bench.now += 1
    assert bench.state == "UNAUTHENTICATED"


class CountingStore(Store):
    """Counts evaluations: to evaluate a code, the challenge's bytes are read."""

    evaluations = 0

    def qr(self, id: str) -> bytes | None:
        self.evaluations += 1
        return super().qr(id)


class CountingBench(Bench):
    def make_store(self, config: Path) -> Store:
        return CountingStore(config)


def test_eight_threads_that_guess_at_once_get_six_evaluations(tmp_path: Path) -> None:
    bench = CountingBench(tmp_path)
    challenge = bench.challenge()
    wrong = bench.wrong(challenge)
    store = bench.authorization.store
    assert isinstance(store, CountingStore)
    store.evaluations = 0
    judged: list[str] = []

    def guess() -> None:
        judged.extend(bench.authorization.enter(challenge["id"], wrong, bench.now).value for _ in range(3))

    at_once(8, guess)
    assert store.evaluations == 6
    assert len(judged) == 24
    assert set(judged) <= {"wrong", "locked"}
    assert bench.status()["locked_ms"] == LOCK
    bench.kill()


def test_two_threads_with_the_right_code_are_not_both_accepted(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    challenge = bench.challenge()
    right = bench.right(challenge)
    judged: list[str] = []
    at_once(8, lambda: judged.append(bench.authorization.enter(challenge["id"], right, bench.now).value))
    assert judged.count("accepted") == 1
    assert bench.status()["tries_left"] == 6
    bench.kill()


def test_a_crash_between_charging_and_judging_leaves_the_try_counted(bench: Bench) -> None:
    class Crash(Exception):
        pass

    class CrashingStore(Store):
        def qr(self, id: str) -> bytes | None:
            raise Crash

    challenge = bench.challenge()
    right = bench.right(challenge)
    whole = bench.authorization.store
    bench.authorization.store = CrashingStore(bench.config)
    with pytest.raises(Crash):
        bench.authorization.enter(challenge["id"], right, bench.now)
    bench.authorization.store.close()
    bench.authorization.store = whole
    assert bench.status()["tries_left"] == 5
    bench.now += MINUTE
    assert bench.judge(challenge, right) == "accepted"
