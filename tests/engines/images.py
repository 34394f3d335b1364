"""Licence images for real engines: issued as a vendor does, upon this machine's own Python or a built image."""

from pathlib import Path

from tests.engines.building import built_base
from tests.factories import NOW
from wizard.archive.spool import FileSpool
from wizard.domain.image import Image
from wizard.licensing.protocol.claims import REPOSITORY
from wizard.licensing.vendor.base import use_built
from wizard.licensing.vendor.office import Order, open_office

ORDER = Order(company="Harbour Logistics", project="Sales reports", registrations=2, activation="http://127.0.0.1:8001")


def an_issued_image(folder: Path) -> tuple[Image, Path]:
    """An image that a vendor issued, received and checked as an upload is; and its archive as it is kept then."""
    archive = a_mailed_archive(folder)
    spool = FileSpool(folder / "spool", folder / "vendor" / "vendor.pub")
    with archive.open("rb") as file:
        image = spool.receive(file, archive.stat().st_size, archive.name)
    return image, spool.path(image)


def a_mailed_archive(folder: Path) -> Path:
    """What the vendor of that folder issues and mails; upon its own Python, unless a built base is kept."""
    office = open_office(folder / "vendor")
    archive = folder / f"{REPOSITORY}.tar"
    office.issue(ORDER, NOW).archive.write(archive)
    office.close()
    return archive


def a_built_image(folder: Path) -> tuple[Image, Path]:
    """The same from the Dockerfile, as `make image` does it: built on a Docker that is private to it."""
    issue_upon_the_dockerfile(folder / "vendor")
    return an_issued_image(folder)


def issue_upon_the_dockerfile(vendor: Path) -> None:
    """Whatever the vendor of that data folder issues from now on is made from the Dockerfile."""
    with built_base() as archive:
        use_built(vendor, archive)
