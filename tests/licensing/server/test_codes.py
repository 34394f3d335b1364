"""R6 through the HTTP API, with an injected clock. Its boundaries are in `test_boundaries`."""

from pathlib import Path

import pytest

from tests.licensing.server.bench import Bench, at_once
from wizard.licensing.protocol import api
from wizard.licensing.protocol.qr import Reason, from_path, unpack
from wizard.licensing.rules.instance import Asker
from wizard.licensing.rules.limits import LOCK, MINUTE
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


def test_during_the_lock_a_right_code_is_not_evaluated_and_no_challenge_is_made(bench: Bench) -> None:
    challenge = bench.lock()
    assert bench.judge(challenge, bench.right(challenge)) == "locked"
    response = bench.post(api.CHALLENGES, {})
    assert response.status_code == 423
    assert response.json is not None
    assert (response.json["error"]["code"], response.json["status"]["locked_ms"]) == ("locked", LOCK)


def test_a_code_works_once(bench: Bench) -> None:
    challenge = bench.challenge()
    assert bench.judge(challenge, bench.right(challenge)) == "accepted"
    response = bench.enter(challenge, bench.right(challenge))
    assert response.status_code == 410
    assert response.json is not None
    assert (response.json["judgement"], response.json["status"]["tries_left"]) == ("consumed", 6)


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


class CountingStore(Store):
    """Counts evaluations: to evaluate a code, the challenge's bytes are read."""

    evaluations = 0

    def qr(self, asker: Asker, id: str) -> bytes | None:
        self.evaluations += 1
        return super().qr(asker, id)


class CountingBench(Bench):
    def make_store(self, config: Path, key: bytes) -> Store:
        return CountingStore(config, key)


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
        def qr(self, asker: Asker, id: str) -> bytes | None:
            raise Crash

    challenge = bench.challenge()
    right = bench.right(challenge)
    whole = bench.authorization.store
    bench.authorization.store = CrashingStore(bench.config, bench.authorization.identity.row_key)
    with pytest.raises(Crash):
        bench.authorization.enter(challenge["id"], right, bench.now)
    bench.authorization.store.close()
    bench.authorization.store = whole
    assert bench.status()["tries_left"] == 5
    bench.now += MINUTE
    assert bench.judge(challenge, right) == "accepted"
