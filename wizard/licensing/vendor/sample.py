"""A vendor whose images are small, for a kiosk: nobody runs them, for the embedded engine runs this machine's program.

A real base weighs 130 MB, and would be written to the disk twice for each visitor.
"""

from datetime import datetime
from pathlib import Path

from wizard.licensing.protocol.claims import VENDOR_KEYS_PATH
from wizard.licensing.vendor.keys import open_keys
from wizard.licensing.vendor.layers import Base, one_file
from wizard.licensing.vendor.machine import architecture
from wizard.licensing.vendor.office import Office, Order
from wizard.licensing.vendor.own import CONFIG
from wizard.licensing.vendor.store import Store

PLACE = "app/README"
WORDS = b"This is a sample image. The embedded engine runs the authorization application of its own machine.\n"


def open_sample_office(data: Path) -> Office:
    """The office of that data folder; keys and database are made when there are none yet."""
    keys = open_keys(data)
    return Office(keys, Store(data / "vendor.db", keys.public), lambda: sample_base(keys.public_file))


def sample_base(vendor_keys: bytes) -> Base:
    """Two layers of a kilobyte or so: a note, and the vendor's public keys where an image has them."""
    layers = (one_file(PLACE, WORDS), one_file(VENDOR_KEYS_PATH, vendor_keys))
    return Base(layers, architecture(), CONFIG, "a sample for a kiosk")


def write_sample(office: Office, path: Path, activation: str, now: datetime) -> None:
    """A licence of a company that there is not, as the file that is mailed."""
    order = Order(company="Sample Company", project="Sample Project", registrations=3, activation=activation)
    office.issue(order, now).archive.write(path)
