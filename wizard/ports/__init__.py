"""What the wizard asks of the outside world: one Protocol for each, and the bundles that carry them.

A Protocol holds only what every implementation can honour. Fakes and real ones pass the same suites (tests/contracts/).
"""

from wizard.ports.audit import Trail
from wizard.ports.bundles import Jobs, Services, Task, Workshop
from wizard.ports.engines import Backend, Progress, Supervising
from wizard.ports.files import Incoming, Spool, Uploads
from wizard.ports.launches import Launches
from wizard.ports.people import Accounts, Invitations, Tries
from wizard.ports.servers import Applications, LicenseServer
from wizard.ports.shares import Shares, Turns
from wizard.ports.store import Inventory, Store

__all__ = [
    "Accounts",
    "Applications",
    "Backend",
    "Incoming",
    "Inventory",
    "Invitations",
    "Jobs",
    "Launches",
    "LicenseServer",
    "Progress",
    "Services",
    "Shares",
    "Spool",
    "Store",
    "Supervising",
    "Task",
    "Trail",
    "Tries",
    "Turns",
    "Uploads",
    "Workshop",
]
