"""The stores in memory, which other tests use, pass the same contract as the real ones."""

import pytest

from tests.contracts.accounts import AccountsContract
from tests.contracts.store import StoreContract
from tests.fakes import MemoryAccounts, MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def accounts() -> MemoryAccounts:
    return MemoryAccounts()


class TestMemoryStore(StoreContract):
    pass


class TestMemoryAccounts(AccountsContract):
    pass
