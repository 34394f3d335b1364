"""One site for those tests that leave it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uploads.images import write_image
from tests.uploads.site import Admin, Site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site") / "data")
    site.begin(replicas=2)
    yield site
    site.end()


@pytest.fixture(scope="package")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 MiB."""
    return write_image(tmp_path_factory.mktemp("image") / "fanruan_license_server.tar", 24)


@pytest.fixture
def admin(site: Site, request: pytest.FixtureRequest) -> Admin:
    """One for each test, so that no test has uploads of another."""
    return site.admin(request.node.name[:64])
