"""The records' file: durable, brought up to date when it is older, and refused when it is not what it should be."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.licensing.vendor.instances import NOW, Instance, issued, small_office
from wizard.licensing.protocol.claims import canonical_json
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.rules import Refusal, Refused
from wizard.licensing.vendor.tables import VERSION

VERSION_0 = """
    CREATE TABLE licences (
        licence VARCHAR NOT NULL, envelope BLOB NOT NULL, state VARCHAR NOT NULL, instance BLOB, PRIMARY KEY (licence)
    );
    CREATE INDEX ix_licences_instance ON licences (instance);
    CREATE TABLE answers (
        digest VARCHAR NOT NULL, licence VARCHAR NOT NULL, instance BLOB NOT NULL, counter INTEGER NOT NULL,
        issued BOOLEAN NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (digest), FOREIGN KEY(licence) REFERENCES licences (licence)
    );
    CREATE UNIQUE INDEX one_answer_a_counter ON answers (licence, instance, counter);
    CREATE INDEX ix_answers_licence ON answers (licence);
    CREATE TABLE alarms (
        digest VARCHAR NOT NULL, licence VARCHAR NOT NULL, instance BLOB NOT NULL, counter INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (digest), FOREIGN KEY(licence) REFERENCES licences (licence)
    );
    CREATE INDEX ix_alarms_licence ON alarms (licence);
    INSERT INTO licences SELECT licence, envelope, state, instance FROM now.licences;
    INSERT INTO answers SELECT digest, licence, instance, counter, issued, at FROM now.answers;
    INSERT INTO alarms SELECT digest, licence, instance, counter, at FROM now.alarms;
"""
"""The tables as version 0.1.0 of this software made them."""


def make_older(data: Path) -> None:
    """The records of that folder as version 0.1.0 would have them."""
    database, older = data / "vendor.db", data / "older.db"
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("ATTACH ? AS now", (str(database),))
        connection.executescript(VERSION_0)
        connection.commit()
    older.replace(database)


def used(data: Path) -> tuple[Instance, str, str]:
    """An installation that had a code and raised an alarm; its QR and the code."""
    office = small_office(data)
    instance = Instance(issued(office))
    scan = instance.scan()
    code = office.decide(scan, issue=True, now=NOW).code
    assert code
    instance.counter -= 1
    with pytest.raises(Refused):
        office.look(instance.scan(), NOW)
    office.close()
    return instance, scan, code


def columns(data: Path) -> dict[str, list[tuple[object, ...]]]:
    """Name, type, whether it is needed and the default of each column, by table."""
    with closing(sqlite3.connect(data / "vendor.db")) as connection:
        return {
            table: sorted(row[1:5] for row in connection.execute(f"PRAGMA table_info({table})"))
            for table in ("licences", "answers", "alarms")
        }


def version(data: Path) -> int:
    with closing(sqlite3.connect(data / "vendor.db")) as connection:
        [found] = connection.execute("PRAGMA user_version").fetchone()
        return int(found)


def test_records_of_the_first_version_are_brought_up_to_date_and_nothing_is_lost(tmp_path: Path) -> None:
    instance, scan, code = used(tmp_path)
    make_older(tmp_path)
    assert version(tmp_path) == 0
    office = small_office(tmp_path)
    assert office.look(scan, NOW).code == code
    [record] = office.records()
    assert [(alarm.kind, alarm.at, alarm.seen) for alarm in record.alarms] == [(Refusal.CLONED, NOW, None)]
    assert [(answer.counter, answer.minute) for answer in record.licence.answers] == [(1, None)]
    assert office.decide(instance.scan(), issue=True, now=NOW).code
    assert office.unlock(instance.claims.licence, NOW).alarms[0].seen == NOW
    assert office.destroy(instance.claims.licence, NOW).licence.destroyed == NOW
    office.close()
    assert version(tmp_path) == VERSION


def test_records_that_were_brought_up_to_date_have_the_same_columns_as_new_ones(tmp_path: Path) -> None:
    used(tmp_path / "older")
    make_older(tmp_path / "older")
    for folder in ("older", "new"):
        small_office(tmp_path / folder).close()
    assert columns(tmp_path / "older") == columns(tmp_path / "new")


def test_of_many_that_open_older_records_at_once_one_brings_them_up_to_date(tmp_path: Path) -> None:
    _, scan, code = used(tmp_path)
    make_older(tmp_path)
    barrier, codes = threading.Barrier(6), []

    def open_them() -> None:
        barrier.wait()
        office = small_office(tmp_path)
        codes.append(office.look(scan, NOW + timedelta(hours=1)).code)
        office.close()

    threads = [threading.Thread(target=open_them) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [code] * 6


def test_a_licence_from_before_the_claims_spoke_of_settings_stays_on_record(tmp_path: Path) -> None:
    office = small_office(tmp_path)
    claims = issued(office)
    body = asdict(claims) | {"licence": "0" * 16}
    del body["settings"]
    signature = office.keys.signing.sign(b"FRL/1 claims\n" + canonical_json(body)).hex()
    with office.store.transaction() as ledger:
        ledger.add("0" * 16, canonical_json({"claims": body, "signature": signature}))
    assert office.record("0" * 16).licence.claims == replace(claims, licence="0" * 16, settings=None)
    assert len(office.records()) == 2
    office.close()


def test_records_of_a_later_version_are_refused_and_left_alone(tmp_path: Path) -> None:
    used(tmp_path)
    with closing(sqlite3.connect(tmp_path / "vendor.db")) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(VendorError, match="later version"):
        small_office(tmp_path)
    assert version(tmp_path) == VERSION + 1


@pytest.mark.parametrize(
    "change", ["UPDATE licences SET envelope = x'7b7d'", "UPDATE licences SET state = 'unheard-of'"]
)
def test_a_record_that_was_changed_is_named(tmp_path: Path, change: str) -> None:
    instance, *_ = used(tmp_path)
    with closing(sqlite3.connect(tmp_path / "vendor.db")) as connection:
        connection.execute(change)
        connection.commit()
    office = small_office(tmp_path)
    with pytest.raises(VendorError, match=f"licence {instance.claims.licence} is not as it was written"):
        office.records()
    office.close()


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "vendor.db").write_bytes(b"no database" * 100)
    with pytest.raises(VendorError, match=r"vendor\.db cannot be used: file is not a database"):
        small_office(tmp_path)


def test_the_database_is_in_write_ahead_mode(tmp_path: Path) -> None:
    small_office(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "vendor.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
