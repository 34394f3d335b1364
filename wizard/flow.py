"""Steps in order, as data. The engine knows no step; it only knows what a step is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from wizard.domain.registration import Registration
from wizard.errors import UnknownStep
from wizard.ports import Services, Task, Workshop
from wizard.text import Text, say


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that comes in with a form. `size` in bytes."""

    stream: BinaryIO
    filename: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a visitor sent: the form's fields, perhaps a file, when, and by which account."""

    fields: Mapping[str, str]
    now: datetime
    by: str = ""
    file: Upload | None = None


Submit = Callable[[Registration, Submission, Services], Registration]
Run = Callable[[Registration, Task], Registration]
Undo = Callable[[Registration, Task], None]


def nothing(registration: Registration, services: Services) -> Mapping[str, object]:
    """The context of a step that needs none."""
    return {}


def leave(registration: Registration, task: Task) -> None:
    """The undo of a phase that leaves nothing behind."""


def observe(registration: Registration, workshop: Workshop) -> Registration:
    """The watch of a step that waits for the authorization application: what it says now, and what follows from it.

    It is asked wherever the wizard waits, since the code may as well be entered on the application's own page. One that
    is guided is never asked.
    """
    if registration.is_guided:
        return registration
    now = workshop.clock()
    return registration.observed(workshop.license_servers.status(registration.endpoint, now), now)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One part of a step's slow work. `run` looks, then does what is missing; `undo` takes back what it may have done.

    Phases are run in order, again from the first after a crash, and undone in reverse on failure or abort.
    """

    slug: str
    title: Text
    run: Run
    undo: Undo = leave


@dataclass(frozen=True, kw_only=True)
class Step:
    """One screen. The slug names its module, URL, template and test."""

    slug: str
    title: Text
    """A verb phrase, the heading of the screen."""
    name: Text
    """A word or two for the rail."""
    holds: str
    """The attribute of the registration that the step fills."""
    is_done: Callable[[Registration], bool]
    submit: Submit
    chosen: Callable[[Registration], str | Text]
    """What stands under the step in the rail, once it is done."""
    actions: Mapping[str, Submit] = field(default_factory=dict)
    """The other buttons of the screen, by the last part of their URL."""
    context: Callable[[Registration, Services], Mapping[str, object]] = nothing
    lingers: bool = False
    """Whether the page stays once its work is done, to show what came of it, and waits for the visitor to go on."""
    is_live: bool = False
    """Whether its page shows what changes by itself, such as how nodes are, and so keeps asking."""
    work: tuple[Phase, ...] = ()
    """Slow work, queued after a submit that leaves the step undone."""
    watch: Callable[[Registration, Workshop], Registration] | None = None
    """What the worker looks at every few seconds while this is the current step."""

    def action(self, name: str) -> Submit:
        """What the button of that name does; UnknownStep when the screen has no such button."""
        if name not in self.actions:
            raise UnknownStep(say("This page has no such button."), todo=say("Load the page again."))
        return self.actions[name]


@dataclass(frozen=True)
class Flow:
    """The steps in order; where a visitor stands follows from the registration."""

    steps: tuple[Step, ...]

    def step(self, slug: str) -> Step:
        for step in self.steps:
            if step.slug == slug:
                return step
        raise UnknownStep(say("There is no such step."), todo=say("Go back to the registration."))

    def current(self, registration: Registration) -> Step:
        """The first unfinished step; the last one when all are done."""
        return next((step for step in self.steps if not step.is_done(registration)), self.steps[-1])

    def open(self, slug: str, registration: Registration) -> Step:
        """The step asked for, or the current one if the visitor is not that far."""
        step, current = self.step(slug), self.current(registration)
        return step if self.steps.index(step) <= self.steps.index(current) else current

    def after(self, step: Step) -> Step | None:
        """The step that follows, or None after the last."""
        following = self.steps[self.steps.index(step) + 1 :]
        return following[0] if following else None

    def before(self, step: Step) -> Step | None:
        position = self.steps.index(step)
        return self.steps[position - 1] if position else None

    def given_up_by(self, step: Step, registration: Registration) -> tuple[Step, ...]:
        """The finished steps that would have to be done again if this one were changed."""
        lost = registration.loses(step.holds)
        return tuple(other for other in self.steps if other.holds in lost and other.is_done(registration))
