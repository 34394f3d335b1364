"""A worker's process for the tests: python -m tests.jobs.toy_worker FOLDER.

Phase `two` says that it has begun, and waits until the file `go` is there.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.factories import a_project
from tests.fakes import FakeClock
from tests.jobs.toy import Toy, a_workshop
from wizard.jobs import worker
from wizard.jobs.bell import Bell
from wizard.ports import Task
from wizard.store import SqlStore

folder = Path(sys.argv[1])


def wait_for_go(task: Task) -> None:
    with (folder / "begun").open("a") as begun:
        begun.write("begun\n")
    while not (folder / "go").exists():
        task.wait(0.05)


store = SqlStore(f"sqlite:///{folder}/wizard.sqlite")
workshop = a_workshop(store, FakeClock(), folder, a_project())
toy = Toy(does={"two": wait_for_go})
worker.run(replace(workshop, clock=lambda: datetime.now(UTC)), toy.flow, Bell(folder / "bell.sqlite"))
