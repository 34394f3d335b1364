"""A database for each test."""

from pathlib import Path

import pytest

from wizard.store import migrate


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/wizard.sqlite"
    migrate(url)
    return url
