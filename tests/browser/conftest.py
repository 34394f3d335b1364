"""A real browser, and a whole installation for it to visit."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.uploading import Place, place
from tests.browsing import CHROMIUM, LAUNCH
from tests.instance import Instance, running

NEEDED = {"chromium": CHROMIUM, "zbarimg": shutil.which("zbarimg")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without the browser or the decoder these tests say so, and are skipped."""
    missing = [name for name, path in NEEDED.items() if path is None]
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return LAUNCH


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 900}, "ignore_https_errors": True}


@pytest.fixture(scope="module")
def wizard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One in which each state of each page can be opened."""
    with place(tmp_path_factory.mktemp("wizard")) as found:
        yield found


@pytest.fixture
def instance() -> Iterator[Instance]:
    with running() as instance:
        yield instance
