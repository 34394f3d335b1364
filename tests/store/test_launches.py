"""Used launch tokens in a database: each counts once, and what has expired is swept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.contracts.launches import LATER, LaunchesContract
from tests.embedding import MemoryLaunches
from tests.factories import NOW
from wizard.store.engine import open_engine
from wizard.store.launches import SqlLaunches
from wizard.store.tables import launches as table


class TestSqlLaunches(LaunchesContract):
    @pytest.fixture
    def launches(self, url: str) -> Iterator[SqlLaunches]:
        launches = SqlLaunches(url)
        yield launches
        launches.close()

    def test_what_has_expired_is_swept_at_the_next_use(self, launches: SqlLaunches, url: str) -> None:
        for number in range(20):
            launches.use("fineops", str(number), NOW, LATER)
        launches.use("fineops", "last", LATER + timedelta(microseconds=1), LATER + timedelta(seconds=70))
        engine = open_engine(url)
        with engine.connect() as db:
            assert db.execute(select(func.count()).select_from(table)).scalar_one() == 1
        engine.dispose()

    def test_a_restart_forgets_none(self, launches: SqlLaunches, url: str) -> None:
        launches.use("fineops", "a", NOW, LATER)
        after = SqlLaunches(url)
        assert not after.use("fineops", "a", NOW, LATER)
        after.close()


class TestMemoryLaunches(LaunchesContract):
    @pytest.fixture
    def launches(self) -> MemoryLaunches:
        return MemoryLaunches()
