"""A flow of one step with slow work, whose phases do what a test wants, and a workshop to do it in."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.factories import a_preflight
from tests.fake_uploads import FakeUploads
from tests.fakes import FakeApplications, FakeBackend, FakeClock, FakeInventory, FakeJobs, FakeLicenseServer, FakeSpool
from tests.memory_audit import MemoryTrail
from tests.memory_shares import MemoryShares, MemoryTurns
from wizard.domain.project import Project
from wizard.domain.registration import Registration
from wizard.flow import Flow, Phase, Step, Submission
from wizard.ports import Services, Store, Task, Workshop
from wizard.text import say

Watch = Callable[[Registration, Workshop], Registration]


@dataclass
class Toy:
    """Phases `one`, `two`, `three`, the last of which finishes the step by noting a port check.

    `steps` is what happened, in order; `does[slug]` is called by that phase, `undoes[slug]` by its undo.
    """

    happened: list[str] = field(default_factory=list)
    does: dict[str, Callable[[Task], object]] = field(default_factory=dict)
    undoes: dict[str, Callable[[Task], object]] = field(default_factory=dict)
    watch: Watch | None = None

    @property
    def flow(self) -> Flow:
        phases = tuple(self._phase(slug) for slug in ("one", "two", "three"))
        return Flow((a_step(phases, self.watch),))

    def _phase(self, slug: str) -> Phase:
        def run(registration: Registration, task: Task) -> Registration:
            self.happened.append(slug)
            self.does.get(slug, nothing)(task)
            return registration.checked(a_preflight()) if slug == "three" else registration

        def undo(registration: Registration, task: Task) -> None:
            self.happened.append(f"undo {slug}")
            self.undoes.get(slug, nothing)(task)

        return Phase(slug=slug, title=say("A part"), run=run, undo=undo)


def nothing(task: Task) -> None:
    """A phase that has nothing to do."""


def a_step(phases: tuple[Phase, ...], watch: Watch | None = None) -> Step:
    return Step(
        slug="toy",
        title=say("Play"),
        name=say("Toy"),
        holds="preflight",
        is_done=lambda registration: registration.preflight is not None,
        submit=submit,
        chosen=lambda registration: "",
        work=phases,
        watch=watch,
    )


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    return replace(registration, preflight=None)


def a_workshop(store: Store, clock: FakeClock, folder: Path, *projects: Project) -> Workshop:
    spool = FakeSpool(folder)
    return Workshop(
        store=store,
        jobs=FakeJobs(store),
        inventory=FakeInventory(*projects),
        license_servers=FakeLicenseServer(),
        spool=spool,
        uploads=FakeUploads(spool),
        turns=MemoryTurns(store),
        shares=MemoryShares(store),
        trail=MemoryTrail(),
        clock=clock,
        backend=FakeBackend(),
        applications=FakeApplications(),
    )
