"""Turns and shares on SQLite and in memory pass the same contracts."""

from collections.abc import Iterator

import pytest

from tests.contracts.shares import SharesContract, TurnsContract
from tests.factories import a_registration
from tests.fakes import MemoryStore
from tests.memory_shares import MemoryShares, MemoryTurns
from wizard.ports import Store
from wizard.store import SqlStore
from wizard.store.shares import SqlShares, SqlTurns


def with_registrations(store: Store) -> None:
    for id in ("r1", "r2"):
        store.save(a_registration(id=id))


@pytest.fixture
def url(url: str) -> str:
    store = SqlStore(url)
    with_registrations(store)
    store.close()
    return url


@pytest.fixture
def memory() -> MemoryStore:
    store = MemoryStore()
    with_registrations(store)
    return store


class TestSqlTurns(TurnsContract):
    @pytest.fixture
    def turns(self, url: str) -> Iterator[SqlTurns]:
        turns = SqlTurns(url)
        yield turns
        turns.close()


class TestSqlShares(SharesContract):
    @pytest.fixture
    def shares(self, url: str) -> Iterator[SqlShares]:
        shares = SqlShares(url)
        yield shares
        shares.close()


class TestMemoryTurns(TurnsContract):
    @pytest.fixture
    def turns(self, memory: MemoryStore) -> MemoryTurns:
        return MemoryTurns(memory)


class TestMemoryShares(SharesContract):
    @pytest.fixture
    def shares(self, memory: MemoryStore) -> MemoryShares:
        return MemoryShares(memory)
