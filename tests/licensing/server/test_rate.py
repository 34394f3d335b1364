"""How often somebody may ask (R6, "rate ok")."""

from typing import Any

import pytest

from tests.licensing.server.bench import Bench, at_once
from wizard.licensing.protocol import api
from wizard.licensing.rules.instance import Asker
from wizard.licensing.rules.limits import BLOCKING_TOTAL, DAY, HOUR, LOCK, SECOND
from wizard.licensing.server.askers import Visitor
from wizard.licensing.server.rate import (
    ALL_CHALLENGES,
    ALL_CODES,
    CHALLENGES,
    CODES,
    Buckets,
    Gate,
    Rate,
    TooOften,
)


def takes(buckets: Buckets | Gate, *calls: tuple[object, int]) -> list[bool]:
    """Whether each gets a token, in order."""

    def take(key: Any, now: int) -> bool:
        try:
            buckets.take(key, now)
        except TooOften:
            return False
        return True

    return [take(key, now) for key, now in calls]


def wait(buckets: Buckets, key: str, now: int) -> int:
    with pytest.raises(TooOften) as refused:
        buckets.take(key, now)
    return refused.value.wait


def test_a_bucket_gives_its_burst_and_then_one_at_a_time() -> None:
    buckets = Buckets(Rate(burst=2, refill=1000))
    assert takes(buckets, ("a", 0), ("a", 0), ("a", 0)) == [True, True, False]
    assert takes(buckets, ("a", 999), ("a", 1000), ("a", 1000)) == [False, True, False]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    buckets = Buckets(Rate(burst=2, refill=1000))
    assert takes(buckets, ("a", 0), *[("a", 1_000_000)] * 3) == [True, True, True, False]


def test_each_key_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(Rate(burst=1, refill=1000))
    assert takes(buckets, ("a", 0), ("a", 0), ("b", 0)) == [True, False, True]


def test_it_says_how_long_to_wait_and_is_right() -> None:
    buckets = Buckets(Rate(burst=2, refill=1000))
    assert takes(buckets, ("a", 0), ("a", 300)) == [True, True]
    assert wait(buckets, "a", 400) == 600
    assert takes(buckets, ("a", 999), ("a", 1000)) == [False, True]


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    buckets = Buckets(Rate(burst=1, refill=1000))
    assert takes(buckets, ("a", 5000), ("a", 1000), ("a", 1999), ("a", 2000)) == [True, False, False, True]


def test_the_bucket_that_was_not_used_for_longest_is_dropped() -> None:
    buckets = Buckets(Rate(burst=1, refill=1000), most=2)
    assert takes(buckets, ("a", 0), ("b", 0), ("a", 1), ("c", 2)) == [True, True, False, True]
    assert len(buckets) == 2
    assert takes(buckets, ("a", 3), ("b", 4)) == [False, True]


def test_threads_together_get_no_more_than_the_burst() -> None:
    buckets = Buckets(Rate(burst=50, refill=1000))
    taken: list[bool] = []
    at_once(8, lambda: taken.extend(takes(buckets, *[("a", 0)] * 20)))
    assert (len(taken), taken.count(True)) == (160, 50)


def test_many_addresses_together_get_no_more_than_the_wider_bucket_gives() -> None:
    gate = Gate(Rate(burst=3, refill=1000), Rate(burst=10, refill=1000))
    strangers = [(Visitor(Asker.ANONYMOUS, f"192.0.2.{number}"), 0) for number in range(100)]
    assert takes(gate, *strangers).count(True) == 10
    assert takes(gate, *[(Visitor(Asker.ADMIN), 0)] * 4) == [True, True, True, False]


def test_whoever_uses_every_try_there_is_never_meets_the_limit_of_codes() -> None:
    """A person who enters a wrong code each ten seconds, all day, or all tries at once as soon as a lock opens."""
    steady = [("a", moment) for moment in range(0, DAY, CODES.refill)]
    assert all(takes(Buckets(CODES), *steady))
    in_bursts = [("a", moment) for moment in range(0, BLOCKING_TOTAL // 6 * LOCK, LOCK) for _ in range(CODES.burst)]
    assert all(takes(Buckets(CODES), *in_bursts))


def challenges(gate: Gate, now: int, tries: int) -> int:
    """How many QRs both askers get at that moment: strangers, each from another address, and the admin."""
    strangers = [(Visitor(Asker.ANONYMOUS, f"{now}:{number}"), now) for number in range(tries)]
    return takes(gate, *strangers, *[(Visitor(Asker.ADMIN), now)] * tries).count(True)


def test_both_askers_together_get_less_than_one_challenge_a_second_but_for_the_bursts() -> None:
    """The counter after damage relies on it: it is then the seconds since 1970."""
    gate = Gate(CHALLENGES, ALL_CHALLENGES)
    bursts = challenges(gate, 0, tries=2 * ALL_CHALLENGES.burst)
    later = sum(challenges(gate, second * SECOND, tries=3) for second in range(1, HOUR // SECOND + 1))
    assert bursts == ALL_CHALLENGES.burst + CHALLENGES.burst
    assert later < HOUR // SECOND


def test_the_lock_after_damage_makes_up_for_the_bursts_of_six_starts() -> None:
    assert 6 * (ALL_CHALLENGES.burst + CHALLENGES.burst) * SECOND <= LOCK


def test_the_buckets_for_all_strangers_are_enough_for_four_who_take_all_they_can() -> None:
    assert ALL_CHALLENGES.burst >= 4 * CHALLENGES.burst
    assert ALL_CODES.burst >= 4 * CODES.burst


def test_new_challenges_are_limited_in_rate(bench: Bench) -> None:
    statuses = [bench.post(api.CHALLENGES, {}).status_code for _ in range(31)]
    assert statuses == [201] * 30 + [429]
    response = bench.post(api.CHALLENGES, {})
    assert response.json is not None
    assert response.json["error"]["code"] == "too_often"
    assert response.headers["Retry-After"] == "2"
    bench.now += 2 * SECOND
    assert bench.post(api.CHALLENGES, {}).status_code == 201


def test_a_code_that_comes_too_often_is_not_counted(bench: Bench) -> None:
    first, second = bench.challenge(), bench.challenge()
    assert {bench.judge(first, "123456") for _ in range(CODES.burst)} == {"superseded"}
    response = bench.enter(second, bench.wrong(second))
    assert (response.status_code, response.headers["Retry-After"]) == (429, "10")
    assert bench.status()["tries_left"] == 6
    bench.now += CODES.refill
    assert bench.judge(second, bench.right(second)) == "accepted"


def test_what_is_no_code_takes_no_token(bench: Bench) -> None:
    challenge = bench.challenge()
    assert {bench.judge(challenge, "12345") for _ in range(CODES.burst + 1)} == {"malformed"}
    assert bench.judge(challenge, bench.right(challenge)) == "accepted"


def test_another_address_has_a_bucket_of_its_own(bench: Bench) -> None:
    for _ in range(31):
        bench.post(api.CHALLENGES, {})
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    assert bench.client.post(api.CHALLENGES, json={}).status_code == 429
    assert bench.client.post(api.CHALLENGES, json={}, environ_base=elsewhere).status_code == 201


def test_the_address_is_that_of_the_connection_whatever_a_header_says(bench: Bench) -> None:
    claimed = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(31)]
    statuses = [bench.client.post(api.CHALLENGES, json={}, headers=headers).status_code for headers in claimed]
    assert statuses == [201] * 30 + [429]
