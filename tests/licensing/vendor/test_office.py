"""Issuing and deciding, with real keys and a real database."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.licensing.vendor.instances import NOW, ORDER, Instance, issued, small_office
from wizard.licensing.protocol.claims import ClaimsError, load_vendor_keys
from wizard.licensing.protocol.qr import Reason, from_path, to_path
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.keys import open_keys
from wizard.licensing.vendor.office import Case, Office
from wizard.licensing.vendor.rules import LicenceState, Refusal, Refused


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = small_office(tmp_path)
    yield office
    office.close()


def refusal(office: Office, text: str) -> Refusal:
    with pytest.raises(Refused) as raised:
        office.decide(text, issue=True, now=NOW)
    return raised.value.refusal


def test_the_code_is_the_one_that_the_instance_expects(office: Office) -> None:
    instance = Instance(issued(office))
    qr = instance.challenge()
    case = office.decide(to_path(qr), issue=True, now=NOW)
    assert case.code == instance.code(qr)


def test_looking_decides_nothing_and_shows_no_code(office: Office) -> None:
    scan = Instance(issued(office)).scan(reason=Reason.REAUTHENTICATION)
    for _ in range(2):
        case = office.look(scan, NOW)
        assert (case.answer, case.code, case.licence.instance) == (None, None, None)
        assert case.body.reason is Reason.REAUTHENTICATION


def test_the_same_qr_gets_the_same_answer(office: Office) -> None:
    scan = Instance(issued(office)).scan()
    first = office.decide(scan, issue=True, now=NOW)
    assert office.decide(scan, issue=False, now=NOW + timedelta(hours=1)).code == first.code
    assert office.look(scan, NOW + timedelta(days=3)).code == first.code


def test_a_declined_qr_stays_without_a_code(office: Office) -> None:
    scan = Instance(issued(office)).scan()
    office.decide(scan, issue=False, now=NOW)
    assert office.decide(scan, issue=True, now=NOW).code is None


def test_records_outlive_the_process(tmp_path: Path) -> None:
    first = small_office(tmp_path)
    instance = Instance(issued(first))
    scan = instance.scan()
    code = first.decide(scan, issue=True, now=NOW).code
    first.close()
    second = small_office(tmp_path)
    assert second.look(scan, NOW).code == code
    assert refusal(second, Instance(instance.claims).scan()) is Refusal.OTHER_INSTANCE
    second.close()


def test_a_qr_that_the_instance_did_not_seal_is_refused(office: Office) -> None:
    qr = bytearray(Instance(issued(office)).challenge())
    qr[60] ^= 1
    assert refusal(office, to_path(bytes(qr))) is Refusal.FORGED


def test_a_public_key_that_cannot_be_agreed_with_is_refused(office: Office) -> None:
    qr = Instance(issued(office)).challenge()
    assert refusal(office, to_path(qr[:14] + bytes(32) + qr[46:])) is Refusal.FORGED


def test_a_licence_or_a_vendor_that_is_not_ours_is_unknown(office: Office) -> None:
    claims = issued(office)
    assert refusal(office, Instance(replace(claims, licence="f" * 16)).scan()) is Refusal.UNKNOWN
    assert refusal(office, Instance(replace(claims, kid="f" * 8)).scan()) is Refusal.UNKNOWN


def test_what_is_no_qr_is_malformed(office: Office) -> None:
    scan = Instance(issued(office)).scan()
    assert refusal(office, scan[:-1]) is Refusal.MALFORMED
    assert refusal(office, to_path(b"\x02" + from_path(scan)[1:])) is Refusal.MALFORMED


def test_a_clone_raises_one_alarm_that_is_kept(office: Office) -> None:
    instance = Instance(issued(office))
    office.decide(instance.scan(), issue=True, now=NOW)
    instance.counter -= 1
    copy = instance.scan()
    for _ in range(2):
        with pytest.raises(Refused):
            office.look(copy, NOW)
    [record] = office.records()
    assert [(alarm.kind, alarm.counter, alarm.at, alarm.seen) for alarm in record.alarms] == [
        (Refusal.CLONED, 1, NOW, None)
    ]


def test_a_rollback_raises_an_alarm_of_its_own_kind_and_an_older_qr_raises_none(office: Office) -> None:
    instance = Instance(issued(office))
    older = instance.scan()
    instance.counter = 5
    office.decide(instance.scan(), issue=True, now=NOW)
    assert refusal(office, older) is Refusal.OUTDATED
    instance.counter = 3
    assert refusal(office, instance.scan(at=NOW + timedelta(minutes=1))) is Refusal.ROLLED_BACK
    [record] = office.records()
    assert [(alarm.kind, alarm.counter) for alarm in record.alarms] == [(Refusal.ROLLED_BACK, 3)]


def test_unlocking_acknowledges_the_alarms_and_counts_the_day_anew(office: Office) -> None:
    instance = Instance(issued(office))
    for _ in range(20):
        office.decide(instance.scan(), issue=True, now=NOW)
    instance.counter -= 1
    assert refusal(office, instance.scan()) is Refusal.CLONED
    assert refusal(office, instance.scan()) is Refusal.TOO_MANY
    later = NOW + timedelta(minutes=1)
    record = office.unlock(instance.claims.licence, later)
    assert [alarm.seen for alarm in record.alarms] == [later]
    assert office.decide(instance.scan(), issue=True, now=later).code
    again = office.unlock(instance.claims.licence, later + timedelta(hours=1))
    assert [alarm.seen for alarm in again.alarms] == [later]


def test_a_destroyed_licence_stays_destroyed_in_the_records_and_when_another_takes_over(office: Office) -> None:
    instance = Instance(issued(office))
    office.decide(instance.scan(), issue=True, now=NOW)
    assert office.destroy(instance.claims.licence, NOW).licence.destroyed == NOW
    assert office.destroy(instance.claims.licence, NOW + timedelta(days=1)).licence.destroyed == NOW
    assert refusal(office, instance.scan()) is Refusal.DESTROYED
    successor = Instance(issued(office, replace(ORDER, supersedes=instance.claims.licence)))
    office.decide(successor.scan(), issue=True, now=NOW)
    assert office.record(instance.claims.licence).licence.state is LicenceState.DESTROYED


@pytest.mark.parametrize("act", [Office.destroy, Office.unlock])
def test_a_licence_that_is_not_on_record_cannot_be_destroyed_or_unlocked(
    office: Office, act: Callable[[Office, str, datetime], object]
) -> None:
    with pytest.raises(VendorError, match="no licence"):
        act(office, "f" * 16, NOW)


def test_the_twenty_first_challenge_is_refused_whatever_was_decided(office: Office) -> None:
    instance = Instance(issued(office))
    for number in range(20):
        office.decide(instance.scan(), issue=number % 2 == 0, now=NOW)
    assert refusal(office, instance.scan()) is Refusal.TOO_MANY


def test_a_licence_that_takes_over_keeps_the_instance_and_ends_the_older_one(office: Office) -> None:
    old = issued(office)
    instance = Instance(old)
    before = instance.scan()
    office.decide(before, issue=True, now=NOW)
    new = issued(office, replace(ORDER, supersedes=old.licence))
    office.decide(instance.under(new).scan(reason=Reason.COMPONENT_MIGRATION), issue=True, now=NOW)
    assert refusal(office, before) is Refusal.INACTIVE
    states = {record.licence.claims.licence: record.licence.state for record in office.records()}
    assert states == {old.licence: LicenceState.SUPERSEDED, new.licence: LicenceState.ACTIVE}


def test_an_instance_cannot_serve_two_licences(office: Office) -> None:
    instance = Instance(issued(office))
    office.decide(instance.scan(), issue=True, now=NOW)
    assert refusal(office, instance.under(issued(office)).scan()) is Refusal.OTHER_LICENCE


def test_of_many_decisions_at_once_one_stands(office: Office) -> None:
    scan = Instance(issued(office)).scan()
    cases: list[Case] = []

    def decide(issue: bool) -> None:
        cases.append(office.decide(scan, issue=issue, now=NOW))

    threads = [threading.Thread(target=decide, args=(number % 2 == 0,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cases) == 12
    assert len({case.code for case in cases}) == 1


@pytest.mark.parametrize(
    "changes", [{"company": ""}, {"registrations": 0}, {"activation": "ftp://x"}, {"activation": "http://x/y"}]
)
def test_an_order_that_makes_no_claims_leaves_no_licence(office: Office, changes: dict[str, object]) -> None:
    with pytest.raises(ClaimsError):
        office.issue(replace(ORDER, **changes), NOW)  # type: ignore[arg-type]
    assert office.records() == []


def test_private_keys_are_the_owners_alone(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    folder = tmp_path / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert list(load_vendor_keys((tmp_path / "vendor.pub").read_bytes())) == [keys.kid]


def test_the_public_file_follows_the_keys(tmp_path: Path) -> None:
    (tmp_path / "vendor.pub").write_bytes(b"of other keys")
    keys = open_keys(tmp_path)
    assert list(load_vendor_keys((tmp_path / "vendor.pub").read_bytes())) == [keys.kid]


def test_keys_stay_the_same_and_two_that_open_at_once_get_the_same(tmp_path: Path) -> None:
    found: list[tuple[str, str, bytes]] = []

    def open_them() -> None:
        keys = open_keys(tmp_path)
        found.append((keys.kid, keys.activation_public, keys.forms))

    threads = [threading.Thread(target=open_them) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize("content", [b"", b"00" * 31 + b"\n", b"zz" * 32 + b"\n", b"\xff" * 65])
def test_a_damaged_key_file_is_named_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    open_keys(tmp_path)
    path = tmp_path / "keys" / "activation.key"
    path.write_bytes(content)
    with pytest.raises(VendorError, match=r"activation\.key is damaged"):
        open_keys(tmp_path)
    assert path.read_bytes() == content
