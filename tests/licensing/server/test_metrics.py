"""What Prometheus reads, parsed as it parses."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import prometheus_client
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.licensing.server.admin import Admin
from tests.licensing.server.bench import START, Bench
from tests.licensing.server.member import Member
from wizard.licensing.protocol import api
from wizard.licensing.rules.limits import HOUR, MINUTE
from wizard.licensing.rules.timeline import Mark

NAMES = {
    "license_server_info": "gauge",
    "license_server_start_time_seconds": "gauge",
    "license_server_state": "gauge",
    "license_server_registrations_maximum": "gauge",
    "license_server_slots": "gauge",
    "license_server_longest_silence_seconds": "gauge",
    "license_server_tries_left": "gauge",
    "license_server_lock_seconds": "gauge",
    "license_server_challenges": "counter",
    "license_server_codes": "counter",
    "license_server_throttled": "counter",
    "license_server_beats": "counter",
    "license_server_clock_anomalies": "counter",
}
"""All of them, as the documentation lists them; the text adds `_total` to a counter."""


def scrape(bench: Bench) -> dict[str, Metric]:
    response = bench.client.get(api.METRICS)
    assert response.status_code == 200
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def value(bench: Bench, name: str, **labels: str) -> float | None:
    """Of one series; None when there is none."""
    samples = scrape(bench)[f"license_server_{name}"].samples
    return next((sample.value for sample in samples if sample.labels == labels), None)


def set_to_one(bench: Bench, name: str) -> list[Mapping[str, str]]:
    return [sample.labels for sample in scrape(bench)[f"license_server_{name}"].samples if sample.value == 1]


def test_there_are_the_documented_metrics_each_with_a_help_and_no_other(bench: Bench) -> None:
    found = scrape(bench)
    assert {name: family.type for name, family in found.items()} == NAMES
    assert all(len(family.documentation) > 10 for family in found.values())


def test_the_state_is_one_of_all(bench: Bench) -> None:
    assert set_to_one(bench, "state") == [{"state": "UNAUTHENTICATED"}]
    assert len(scrape(bench)["license_server_state"].samples) == 7
    bench.verify()
    assert set_to_one(bench, "state") == [{"state": "VERIFIED"}]


def test_slots_are_counted_by_their_state_and_the_longest_silence_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, registrations=5)
    bench.verify()
    member = Member(bench, "a", "b")
    member.register()
    assert value(bench, "registrations_maximum") == 5
    assert (value(bench, "slots", state="LIVE"), value(bench, "slots", state="FAILED")) == (2, 0)
    bench.now += HOUR
    assert member.beat("a") == "OK"
    bench.now += MINUTE
    assert value(bench, "longest_silence_seconds", state="LIVE") == 3660
    assert value(bench, "longest_silence_seconds", state="AWAITING") is None
    assert member.beat("b") == "OK"
    assert value(bench, "longest_silence_seconds", state="LIVE") == 60
    bench.restart()
    assert (value(bench, "slots", state="LIVE"), value(bench, "slots", state="AWAITING")) == (0, 2)
    assert value(bench, "longest_silence_seconds", state="AWAITING") == 61
    bench.kill()


def test_no_company_project_or_node_is_named(bench: Bench) -> None:
    bench.verify()
    Member(bench, "node-of-sales", name="Sales of the year").register()
    text = bench.client.get(api.METRICS).text
    assert not [name for name in ("Example Company", "Reporting", "Sales", "node-of") if name in text]


def test_tries_and_locks_are_told_for_each_asker(bench: Bench) -> None:
    bench.lock()
    bench.now += MINUTE
    assert (value(bench, "tries_left", asker="anonymous"), value(bench, "lock_seconds", asker="anonymous")) == (0, 840)
    assert (value(bench, "tries_left", asker="admin"), value(bench, "lock_seconds", asker="admin")) == (6, 0)


def test_challenges_and_codes_are_counted_by_what_became_of_them(bench: Bench) -> None:
    admin = Admin(bench)
    challenge = bench.lock()
    bench.judge(challenge, "123")
    bench.post(api.CHALLENGES, {})
    mine = admin.challenge()
    admin.judge(mine, bench.right(mine))
    counted = {
        "wrong": ("anonymous", 5),
        "locked": ("anonymous", 1),
        "malformed": ("anonymous", 1),
        "accepted": ("admin", 1),
        "expired": ("admin", 0),
    }
    for judgement, (asker, number) in counted.items():
        assert value(bench, "codes", asker=asker, judgement=judgement) == number
    assert value(bench, "challenges", asker="anonymous", result="made") == 1
    assert value(bench, "challenges", asker="anonymous", result="locked") == 1
    assert value(bench, "challenges", asker="admin", result="made") == 1


def test_what_comes_too_often_is_counted(bench: Bench) -> None:
    for _ in range(33):
        bench.post(api.CHALLENGES, {})
    assert value(bench, "challenges", asker="anonymous", result="made") == 30
    assert value(bench, "throttled", asker="anonymous", request="challenge") == 3
    assert value(bench, "throttled", asker="anonymous", request="code") == 0


def test_the_page_is_counted_as_the_api_is(bench: Bench) -> None:
    bench.client.get(api.PAGE)
    bench.client.post(api.PAGE, data={"action": "enter", "challenge": "", "code": "123456"})
    assert value(bench, "challenges", asker="anonymous", result="made") == 1
    assert value(bench, "codes", asker="anonymous", judgement="superseded") == 1


def test_beats_are_counted_by_their_answer(bench: Bench) -> None:
    bench.verify()
    member = Member(bench)
    member.register()
    member.beat()
    member.beat()
    stranger = Member(bench, name="Stranger")
    stranger.last = "00" * 32
    assert stranger.beat() == "UNKNOWN"
    assert (value(bench, "beats", result="OK"), value(bench, "beats", result="UNKNOWN")) == (2, 1)
    assert value(bench, "beats", result="FORK") == 0


def test_a_jump_of_the_clock_is_counted_once(bench: Bench) -> None:
    jumped = Mark(now=bench.now, boottime=5, boot_id="one", anomaly=bench.now, jump=HOUR)
    assert value(bench, "clock_anomalies") == 0
    bench.authorization.store.keep_mark(jumped)
    assert [value(bench, "clock_anomalies") for _ in range(3)] == [1, 1, 1]


def test_a_jump_that_an_earlier_run_has_counted_is_not_counted_again_after_a_restart(bench: Bench) -> None:
    store = bench.authorization.store
    store.keep_mark(Mark(now=bench.now, boottime=5, boot_id="one", anomaly=bench.now, jump=HOUR))
    assert value(bench, "clock_anomalies") == 1
    bench.restart(down=1)
    assert [value(bench, "clock_anomalies") for _ in range(2)] == [0, 0]
    later = Mark(now=bench.now, boottime=6, boot_id="one", anomaly=bench.now, jump=-HOUR)
    bench.authorization.store.keep_mark(later)
    assert [value(bench, "clock_anomalies") for _ in range(2)] == [1, 1]


def test_a_jump_that_shows_at_the_start_itself_is_counted(bench: Bench) -> None:
    """The clock was set while the process was down: nobody has counted that."""
    bench.restart(down=MINUTE)
    jumped = Mark(now=bench.now, boottime=5, boot_id="one", anomaly=bench.now, jump=HOUR)
    bench.authorization.store.keep_mark(jumped)
    assert value(bench, "clock_anomalies") == 1


def test_a_jump_that_is_over_is_still_no_new_one(bench: Bench) -> None:
    """The mark forgets none: the same anomaly is told until the next one."""
    jumped = Mark(now=bench.now, boottime=5, boot_id="one", anomaly=bench.now, jump=HOUR)
    bench.authorization.store.keep_mark(jumped)
    assert value(bench, "clock_anomalies") == 1
    bench.now += 2 * HOUR
    bench.authorization.store.keep_mark(replace(jumped, now=bench.now))
    assert value(bench, "clock_anomalies") == 1


def test_the_start_is_told_and_a_restart_shows(bench: Bench) -> None:
    assert value(bench, "start_time_seconds") == START / 1000
    bench.challenge()
    bench.restart(down=MINUTE)
    assert value(bench, "start_time_seconds") == START / 1000 + 60
    assert value(bench, "challenges", asker="anonymous", result="made") == 0
    assert value(bench, "info", protocol="1", build="ab" * 8) == 1


def test_a_scrape_writes_nothing_and_the_global_registry_is_not_touched(bench: Bench) -> None:
    before = bench.authorization.store.load()
    bench.now += MINUTE
    scrape(bench)
    assert bench.authorization.store.load() == before
    assert b"license_server" not in prometheus_client.generate_latest()
