"""One kiosk for the tests of a module, and a visitor for each test, whose visit ends with it."""

from collections.abc import Iterator

import pytest

from tests.kiosk.visiting import Kiosk, KioskVisitor, running


@pytest.fixture(scope="module")
def kiosk() -> Iterator[Kiosk]:
    with running() as kiosk:
        yield kiosk


@pytest.fixture
def visitor(kiosk: Kiosk) -> Iterator[KioskVisitor]:
    visitor = KioskVisitor(home=kiosk.url)
    visitor.begin()
    yield visitor
    visitor.leave()
