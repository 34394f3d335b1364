"""What the tests of jobs share."""

from pathlib import Path

import pytest

from tests.factories import a_project
from tests.fakes import FakeClock, MemoryStore
from tests.jobs.toy import Toy, a_workshop
from wizard.ports import Workshop


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def workshop(store: MemoryStore, clock: FakeClock, tmp_path: Path) -> Workshop:
    return a_workshop(store, clock, tmp_path, a_project())


@pytest.fixture
def toy() -> Toy:
    return Toy()
