"""What the tests of engines share."""

from pathlib import Path

import pytest

from tests.engines.images import an_issued_image
from wizard.domain.image import Image


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[Image, Path]:
    """A real licence image and its archive, made once."""
    return an_issued_image(tmp_path_factory.mktemp("issued"))
