"""The store on SQLite passes the contract, and is durable."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.contracts.accounts import AccountsContract
from tests.contracts.store import StoreContract, at_once
from tests.factories import NOW, a_registration, an_account, an_operation
from wizard.errors import Stale
from wizard.store import SqlAccounts, SqlStore


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = SqlStore(url)
    yield store
    store.close()


@pytest.fixture
def accounts(url: str) -> Iterator[SqlAccounts]:
    accounts = SqlAccounts(url)
    yield accounts
    accounts.close()


class TestSqlStore(StoreContract):
    pass


class TestSqlAccounts(AccountsContract):
    pass


def test_another_process_sees_what_was_written(url: str, store: SqlStore, accounts: SqlAccounts) -> None:
    store.save(a_registration(port=18090))
    accounts.add_account(an_account())
    other_store, other_accounts = SqlStore(url), SqlAccounts(url)
    assert other_store.registration("r1").port == 18090
    assert other_accounts.owner() == an_account()
    other_store.close()
    other_accounts.close()


def test_writers_wait_for_each_other_instead_of_failing(store: SqlStore) -> None:
    """Sixteen threads save, observe and claim in a mixture: none is told that the database is locked."""
    for number in range(16):
        store.save(a_registration(id=f"r{number}"))

    def work(number: int) -> int:
        for turn in range(10):
            registration = store.registration(f"r{number}")
            store.save(replace(registration, port=20000 + turn))
            store.queue(an_operation(id=f"op{number}", registration_id=f"r{number}"))
            store.claim(f"worker {number}", NOW)
        return store.registration(f"r{number}").version

    assert at_once(16, work) == [11] * 16


def test_no_acknowledged_save_is_lost_when_the_writer_is_killed(url: str, store: SqlStore) -> None:
    store.save(a_registration())
    script = """
import sys
from dataclasses import replace
from wizard.store import SqlStore
store = SqlStore(sys.argv[1])
while True:
    print(store.save(store.registration("r1")).version, flush=True)
"""
    writer = subprocess.Popen([sys.executable, "-c", script, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    acknowledged = 0
    while acknowledged < 20:
        acknowledged = int(writer.stdout.readline())
    writer.kill()
    rest, _ = writer.communicate()
    whole = [int(line) for line in rest.split("\n")[:-1]]
    assert store.registration("r1").version >= max([acknowledged, *whole])
    with pytest.raises(Stale):
        store.save(a_registration(version=1))
