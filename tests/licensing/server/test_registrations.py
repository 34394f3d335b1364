"""R7 to R12 through the HTTP API, with an injected clock. Their boundaries are in `test_boundaries`."""

import copy
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.licensing.server.bench import Bench, at_once
from tests.licensing.server.member import Member
from wizard.licensing.protocol import api
from wizard.licensing.protocol.messages import Deauthorize, Register, seal_message
from wizard.licensing.protocol.qr import Reason, from_path, unpack
from wizard.licensing.rules.limits import BEAT, DAY, MINUTE
from wizard.licensing.server.desk import WHOLE_PROJECT
from wizard.licensing.server.store import DATABASE


@pytest.fixture
def member(bench: Bench) -> Member:
    """A project that is registered with the bench's instance."""
    bench.verify()
    member = Member(bench)
    member.register()
    return member


def slot_states(bench: Bench) -> list[str]:
    return [slot["state"] for slot in bench.status()["slots"]]


def test_a_verified_instance_registers_a_project_and_certifies_it(bench: Bench) -> None:
    bench.verify()
    certificate = Member(bench).register()
    assert (certificate.project, certificate.nodes, certificate.maximum) == ("Sales", ("node-a",), 1)
    assert (certificate.company, certificate.instance) == ("Example Company", bench.status()["instance"])
    assert bench.state == "ACTIVE"


def test_nothing_registers_before_the_scan(bench: Bench) -> None:
    response = Member(bench).try_to_register()
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["error"]["code"] == "not_authenticated"


def test_a_registration_beyond_the_maximum_is_refused_whole(tmp_path: Path) -> None:
    bench = Bench(tmp_path, registrations=3)
    bench.verify()
    Member(bench, "a", "b", name="First").register()
    response = Member(bench, "a", "b", name="Second").try_to_register()
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["error"]["code"] == "maximum_reached"
    assert [slot["project"] for slot in bench.status()["slots"]] == ["First", "First"]
    Member(bench, "a", name="Third").register()
    bench.kill()


def test_eight_projects_at_once_get_no_more_than_the_maximum(tmp_path: Path) -> None:
    bench = Bench(tmp_path, registrations=3)
    bench.verify()
    registered: list[int] = []
    at_once(8, lambda: registered.append(Member(bench).try_to_register().status_code))
    assert sorted(registered) == [201] * 3 + [409] * 5
    bench.kill()


def test_last_request_stays_empty_until_the_first_beat(bench: Bench, member: Member) -> None:
    assert bench.status()["slots"][0]["last_request_ms"] is None
    bench.now += 5
    assert member.beat() == "OK"
    bench.now += 7
    slot = bench.status()["slots"][0]
    assert slot == {
        "project": "Sales",
        "node": "node-a",
        "state": "LIVE",
        "reason": None,
        "registered_ms": 12,
        "last_request_ms": 7,
    }


def test_a_beat_that_comes_twice_is_answered_again_and_counts_once(bench: Bench, member: Member) -> None:
    message = member.beat_message()
    first = bench.post(api.BEATS, message).json
    bench.now += 10
    assert bench.post(api.BEATS, message).json == first
    assert bench.status()["slots"][0]["last_request_ms"] == 10


def test_a_copied_project_shows_itself(member: Member) -> None:
    copied = copy.copy(member)
    assert member.beat() == "OK"
    assert copied.beat("node-a") == "OK"  # byte for byte what was sent before: a duplicate
    assert member.beat() == "OK"
    copied.last = "11" * 32
    assert copied.beat() == "FORK"
    assert member.beat() == "OK"


def test_a_stranger_is_unknown_and_leaves_nothing_behind(bench: Bench, member: Member) -> None:
    stranger = Member(bench)
    stranger.last = "00" * 32
    assert stranger.beat() == "UNKNOWN"
    assert stranger.deauthorize() == "UNKNOWN"
    assert member.beat() == "OK"
    with bench.authorization.store.change() as change:
        key = stranger.private.public_key().public_bytes_raw().hex()
        assert change.answered(key, "node-a") is None


def kept_answers(bench: Bench) -> list[str]:
    """The channels of which the last answer is kept."""
    with closing(sqlite3.connect(bench.config / DATABASE)) as database:
        return [channel for (channel,) in database.execute("SELECT channel FROM answers ORDER BY channel")]


def test_a_project_that_makes_up_nodes_leaves_nothing_behind_for_them(bench: Bench, member: Member) -> None:
    assert {member.beat(f"made-up-{number}") for number in range(20)} == {"UNKNOWN"}
    assert kept_answers(bench) == [WHOLE_PROJECT]
    assert member.beat() == "OK"
    assert kept_answers(bench) == [WHOLE_PROJECT, "node-a"]


def test_a_release_that_comes_twice_is_answered_again(bench: Bench, member: Member) -> None:
    message = seal_message(Deauthorize(sequence=9, nonce="00" * 16), member.private)
    first = bench.post(api.DEAUTHORIZATIONS, message).json
    assert bench.post(api.DEAUTHORIZATIONS, message).json == first


def test_after_too_long_a_stop_the_code_is_enough_and_the_project_registers_again(bench: Bench, member: Member) -> None:
    bench.restart(down=DAY + 1)
    assert member.beat() == "REAUTHENTICATE"
    assert unpack(from_path(bench.challenge()["url"].rpartition("/")[2])).reason is Reason.REAUTHENTICATION
    bench.verify()
    assert member.beat() == "UNKNOWN"
    member.register()
    assert bench.state == "ACTIVE"


def test_a_reconnect_attests_how_long_the_stop_was(bench: Bench, member: Member) -> None:
    bench.restart(down=90 * MINUTE)
    assert member.send(member.beat_message()).down_ms == 90 * MINUTE
    assert member.send(member.beat_message()).down_ms is None


def test_a_reconnect_whose_answer_was_lost_is_attested_again(bench: Bench, member: Member) -> None:
    bench.restart(down=MINUTE)
    assert member.beat(lost=True) == "RECONNECTED"
    assert member.beat() == "RECONNECTED"
    assert member.beat() == "OK"


def test_deauthorizing_frees_the_slot_and_asks_for_a_scan(bench: Bench, member: Member) -> None:
    assert member.deauthorize() == "RELEASED"
    assert (bench.state, slot_states(bench)) == ("UNAUTHENTICATED", ["RELEASED"])
    assert unpack(from_path(bench.challenge()["url"].rpartition("/")[2])).reason is Reason.PROJECT_MIGRATION
    assert member.beat() == "UNKNOWN"
    bench.verify()
    Member(bench, name="Another").register()


def test_registering_again_takes_the_same_slot(bench: Bench, member: Member) -> None:
    bench.now += BEAT
    member.register()
    assert len(bench.status()["slots"]) == 1


def test_a_rolled_back_project_is_refused_as_a_copy(bench: Bench, member: Member) -> None:
    member.sequence = 0
    member.nodes = ("node-a", "node-b")
    response = member.try_to_register()
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["error"]["code"] == "fork"


def test_a_message_with_a_broken_signature_is_refused(bench: Bench, member: Member) -> None:
    message = member.beat_message()
    response = bench.post(api.BEATS, {**message, "signature": "00" * 64})
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["code"] == "bad_signature"


@pytest.mark.parametrize("path", [api.CHALLENGES, api.CODES, api.REGISTRATIONS, api.BEATS, api.DEAUTHORIZATIONS])
@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("[" * 30_000, "application/json", 400),
        ('{"challenge": 1}', "text/plain", 415),
        (b"x" * 1_100_000, "application/json", 413),
    ],
)
def test_what_is_no_document_is_refused_in_the_same_shape(
    bench: Bench, path: str, data: str | bytes, content_type: str, status: int
) -> None:
    response = bench.client.post(path, data=data, content_type=content_type)
    assert response.status_code == status
    assert response.json is not None
    assert set(response.json["error"]) == {"code", "message"}


def test_the_largest_register_message_fits(tmp_path: Path) -> None:
    bench = Bench(tmp_path, registrations=256)
    bench.verify()
    nodes = tuple(f"{number:03}".ljust(200, "节") for number in range(256))
    body = Register(project="P" * 200, nodes=nodes, sequence=1, nonce="00" * 16)
    response = bench.post(api.REGISTRATIONS, seal_message(body, Member(bench).private))
    assert response.status_code == 201
    bench.kill()
