"""Licence images for real engines: issued as a vendor does, upon this machine's own Python."""

from pathlib import Path

from tests.factories import NOW
from wizard.archive.spool import FileSpool
from wizard.domain.image import Image
from wizard.licensing.protocol.claims import REPOSITORY
from wizard.licensing.vendor.office import Order, open_office

ORDER = Order(company="Harbour Logistics", project="Sales reports", registrations=2, activation="http://127.0.0.1:8001")


def an_issued_image(folder: Path) -> tuple[Image, Path]:
    """An image that a vendor issued, received and checked as an upload is; and its archive."""
    office = open_office(folder / "vendor")
    archive = folder / f"{REPOSITORY}.tar"
    office.issue(ORDER, NOW).archive.write(archive)
    office.close()
    spool = FileSpool(folder / "spool", folder / "vendor" / "vendor.pub")
    with archive.open("rb") as file:
        image = spool.receive(file, archive.stat().st_size, archive.name)
    return image, spool.path(image)
