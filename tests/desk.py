"""Everything a step may use, as fakes that are at hand for looking into."""

import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.factories import a_cluster, a_project
from tests.fake_uploads import FakeUploads
from tests.fakes import (
    FakeApplications,
    FakeBackend,
    FakeClock,
    FakeInventory,
    FakeJobs,
    FakeLicenseServer,
    FakeSpool,
)
from tests.memory_audit import MemoryTrail
from tests.memory_shares import MemoryShares, MemoryTurns
from tests.memory_store import MemoryStore
from wizard.domain.registration import Registration
from wizard.flow import Step, Submission, Upload
from wizard.jobs.performance import Performance
from wizard.ports import Services, Task, Workshop
from wizard.steps import FLOW


@dataclass
class FakeDesk:
    store: MemoryStore
    jobs: FakeJobs
    inventory: FakeInventory
    license_servers: FakeLicenseServer
    spool: FakeSpool
    uploads: FakeUploads
    turns: MemoryTurns
    shares: MemoryShares
    trail: MemoryTrail
    clock: FakeClock
    backend: FakeBackend
    applications: FakeApplications

    @classmethod
    def in_folder(cls, folder: Path, store: MemoryStore | None = None) -> "FakeDesk":
        store, spool = store or MemoryStore(), FakeSpool(folder)
        application = "http://127.0.0.1:8002/projects/sales"
        return cls(
            store=store,
            jobs=FakeJobs(store),
            inventory=FakeInventory(a_project(application=application), a_cluster()),
            license_servers=FakeLicenseServer(),
            spool=spool,
            uploads=FakeUploads(spool),
            turns=MemoryTurns(store),
            shares=MemoryShares(store),
            trail=MemoryTrail(),
            clock=FakeClock(),
            backend=FakeBackend(),
            applications=FakeApplications(),
        )

    @property
    def services(self) -> Services:
        return Services(
            store=self.store,
            jobs=self.jobs,
            inventory=self.inventory,
            license_servers=self.license_servers,
            spool=self.spool,
            uploads=self.uploads,
            turns=self.turns,
            shares=self.shares,
            trail=self.trail,
            clock=self.clock,
        )

    @property
    def workshop(self) -> Workshop:
        return Workshop(**vars(self.services), backend=self.backend, applications=self.applications)

    def submission(self, file: Upload | None = None, **fields: str) -> Submission:
        return Submission(fields=fields, now=self.now, by="admin", file=file)

    @property
    def now(self) -> datetime:
        return self.clock.now

    def task(self) -> Task:
        """Progress is told to nobody; waiting takes no time, but the clock goes on."""
        return Task(
            workshop=self.workshop,
            operation="0123456789abcdef",
            progress=lambda done, total: None,
            wait=self.clock.sleep,
        )

    def perform(self) -> None:
        """Do what is queued, as the worker does."""
        operation = self.store.claim("tests", self.now)
        assert operation is not None
        Performance(operation, "tests", self.workshop, FLOW, threading.Event(), self.clock.sleep).run()

    def work(self, step: Step, registration: Registration) -> Registration:
        """Run the phases of the step's slow work, one after the other."""
        task = self.task()
        for phase in step.work:
            registration = phase.run(registration, task)
        return registration
