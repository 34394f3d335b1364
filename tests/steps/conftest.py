"""What the tests of the steps share."""

from pathlib import Path

import pytest

from tests.desk import FakeDesk


@pytest.fixture
def desk(tmp_path: Path) -> FakeDesk:
    return FakeDesk.in_folder(tmp_path)
