"""The time machine: makes time pass for both sides of a licence, and tells what happened to it (R6 to R11)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Lock, RLock
from typing import Protocol

from wizard.domain.deployment import ServerStatus
from wizard.domain.project import Node
from wizard.domain.registration import Registration
from wizard.errors import BackendError, InvalidInput, Stale, UnknownStep
from wizard.kiosk.chart import Chart
from wizard.kiosk.happenings import BEAT, Happening, Look, happened, told
from wizard.kiosk.travel import Travel, moment
from wizard.ports import Backend, Services
from wizard.text import Text, say

LONGEST_STEP = timedelta(hours=2)
"""At so many hours both sides are looked at, whatever is due."""
DAY, RECONNECT, HEAL = timedelta(hours=24), timedelta(hours=2), timedelta(hours=26)
JUST_AFTER = timedelta(milliseconds=5)
"""A limit belongs to the allowed side (R14): what it ends is seen just after it."""


@dataclass(frozen=True, kw_only=True)
class Leap:
    """A button that makes time pass."""

    by: timedelta
    label: Text
    done: Text


LEAPS: Mapping[str, Leap] = {
    "5m": Leap(by=timedelta(minutes=5), label=say("+ 5 min"), done=say("Five minutes pass.")),
    "15m": Leap(by=timedelta(minutes=15), label=say("+ 15 min"), done=say("15 minutes pass.")),
    "2h": Leap(by=timedelta(hours=2), label=say("+ 2 hours"), done=say("Two hours pass.")),
    "24h": Leap(by=timedelta(hours=24), label=say("+ 24 hours"), done=say("24 hours pass.")),
    "1w": Leap(by=timedelta(days=7), label=say("+ 1 week"), done=say("A week passes.")),
}


class Side(Protocol):
    """How a project stands by its own side."""

    @property
    def state(self) -> str: ...

    @property
    def heard(self) -> int | None:
        """When it was last answered, in milliseconds since 1970."""


class Projects(Protocol):
    """The projects of a world, driven by hand. Times in milliseconds since 1970."""

    @property
    def is_cut(self) -> bool: ...

    def cut(self, *, off: bool) -> None: ...

    def next_beat(self, now: int) -> int | None: ...

    def beat(self, now: int) -> None: ...

    def look(self, slug: str, now: int) -> Side: ...


class TimeMachine:
    """For the one registration of a world. What is asked for while it is at work waits for its turn."""

    def __init__(
        self, services: Services, backend: Backend, projects: Projects, travel: Travel, registration_id: str
    ) -> None:
        self._services, self._backend, self._projects, self._travel = services, backend, projects, travel
        self._id = registration_id
        self._lock, self._at_work = RLock(), Lock()
        self._acts: Mapping[str, Callable[[], None]] = {
            **{name: partial(self.leap, name) for name in LEAPS},
            "restart": self.restart,
            "stop": self.stop,
            "start": self.start,
            "cut": self.cut,
            "mend": self.mend,
        }
        self._last: Look | None = None
        self._up: Look | None = None
        self._restarted_at = travel.now()
        self._verified_at = travel.now()
        self.is_stopped = False
        self.history: tuple[Happening, ...] = ()
        self.chart = Chart()

    @property
    def is_cut(self) -> bool:
        return self._projects.is_cut

    @property
    def now_look(self) -> Look | None:
        """Both sides as they were seen last; None until something was deployed."""
        return self._last

    def is_ready(self) -> bool:
        """Whether there is an authorization application whose clock could be moved, and nothing is at work on it."""
        registration = self._registration()
        operation = self._services.store.last_operation(self._id)
        return registration.deployment is not None and not (operation is not None and operation.is_active)

    def watch(self) -> None:
        """See what has happened since the last look."""
        with self._lock:
            registration = self._registration()
            if registration.deployment is not None:
                self._see(registration)

    def do(self, act: str) -> None:
        """Press one of its buttons. Nobody waits in a line for it: while it is at work, another press is refused."""
        if act not in self._acts:
            raise UnknownStep(say("The time machine has no such button."), todo=say("Go back to the start."))
        if not self._at_work.acquire(blocking=False):
            raise Stale(say("The time machine is at work."), todo=say("Wait until it has finished, then press again."))
        try:
            self._acts[act]()
        finally:
            self._at_work.release()

    def leap(self, name: str) -> None:
        """Make time pass, from one thing that is due to the next, as it would have without a machine."""
        leap = LEAPS[name]
        with self._lock:
            registration = self._deployed()
            self._see(registration)
            self._note(leap.done)
            end = self._travel.now() + leap.by
            while (now := self._travel.now()) < end:
                self._travel.go(min(self._next(), end) - now)
                self._projects.beat(self._travel.millis())
                self._see(registration, closely=self._is_of_interest())
            self._see(registration)

    def restart(self) -> None:
        """Stop the authorization application, and start it again at once (R7, R10)."""
        self.stop()
        self.start()

    def stop(self) -> None:
        with self._lock:
            node, name = self._place(self._deployed())
            self._backend.stop(node, name)
            self.is_stopped = True
            self._note(say("The authorization application is stopped."))
            self.watch()

    def start(self) -> None:
        with self._lock:
            node, name = self._place(self._deployed())
            self._backend.start_again(node, name)
            self.is_stopped = False
            self._restarted_at = self._travel.now()
            self._note(say("The authorization application is started again."))
            self._await_answer()

    def cut(self) -> None:
        """Nothing of the projects reaches it any more (R11)."""
        self._switch(off=True, said=say("The network between the project and the authorization application is cut."))

    def mend(self) -> None:
        """The project asks again when its next try is due."""
        self._switch(off=False, said=say("The network is mended."))

    def _switch(self, *, off: bool, said: Text) -> None:
        with self._lock:
            self._deployed()
            self._projects.cut(off=off)
            self._note(said)

    def _await_answer(self) -> None:
        """It listens by now, and answers as soon as it has found its state again."""
        for _ in range(100):
            self.watch()
            if self._last is not None and self._last.server is not None:
                return

    def _registration(self) -> Registration:
        return self._services.store.registration(self._id)

    def _deployed(self) -> Registration:
        if not self.is_ready():
            raise InvalidInput(
                say("There is no licence yet whose time could pass."),
                todo=say("Deploy the authorization application first. Then try the time machine at any step."),
            )
        return self._registration()

    def _place(self, registration: Registration) -> tuple[Node, str]:
        if registration.node is None or registration.deployment is None:
            raise InvalidInput(say("There is nothing to deploy yet."), todo=say("Finish the steps before this one."))
        return registration.node, registration.deployment.name

    def _see(self, registration: Registration, *, closely: bool = True) -> None:
        """Look at both sides, or at the project alone, and tell what is new."""
        look = self._look(registration, closely=closely)
        before = self._last or look.unlived()
        self._last = look
        news = list(happened(before, self._up or before, look))
        if look.server is not None:
            if look.word == "VERIFIED" and (self._up is None or self._up.word != "VERIFIED"):
                self._verified_at = look.at
            self._up = look
        self.history = told(self.history, news)
        beats = [new.at for new in news if new.what == BEAT.what]
        self.chart.add(look.at, look.word, look.project, beats)

    def _is_of_interest(self) -> bool:
        """Whether the authorization application is to be asked too, now that the project has had its turn.

        While all is well it is not: a week has 84 requests, each answered with a signature.
        """
        last, now = self._last, self._travel.now()
        if last is None or last.server is None or last.word != "ACTIVE":
            return not self.is_stopped
        registration = self._registration()
        side = self._projects.look(registration.project.slug, self._travel.millis()) if registration.project else None
        return any(last.at < due <= now for due in self._dues()) or (side is not None and side.state != last.project)

    def _look(self, registration: Registration, *, closely: bool) -> Look:
        now = self._travel.now()
        side = self._projects.look(registration.project.slug, self._travel.millis()) if registration.project else None
        challenge = registration.challenge
        server = self._status(registration, now) if closely or self._last is None else self._last.server
        return Look(
            at=now,
            server=server,
            expires_at=challenge.expires_at if challenge and server and server.challenge == challenge.id else None,
            project=side.state if side else "UNREGISTERED",
            heard_at=moment(side.heard) if side and side.heard is not None else None,
        )

    def _status(self, registration: Registration, now: datetime) -> ServerStatus | None:
        try:
            return None if self.is_stopped else self._services.license_servers.status(registration.endpoint, now)
        except BackendError:
            return None

    def _note(self, what: Text) -> None:
        self.history = told(self.history, [Happening(at=self._travel.now(), what=what)])

    def _next(self) -> datetime:
        """The next moment at which something is due, or both sides are looked at."""
        now = self._travel.now()
        ahead = [at + JUST_AFTER for at in self._dues() if at + JUST_AFTER > now]
        beat = self._projects.next_beat(self._travel.millis())
        due = [max(moment(beat), now + JUST_AFTER)] if beat is not None else []
        return min([now + LONGEST_STEP, *ahead, *due])

    def _dues(self) -> Iterator[datetime]:
        """When something ends by itself, as far as is known by the last look."""
        look = self._last
        if look is None:
            return
        if look.expires_at is not None:
            yield look.expires_at
        if look.server is not None:
            if look.server.locked_until is not None:
                yield look.server.locked_until
            yield from (slot.last_request_at + DAY for slot in look.server.slots if slot.last_request_at)
            yield self._restarted_at + RECONNECT
            yield self._verified_at + DAY
        if look.heard_at is not None:
            yield look.heard_at + DAY
            yield look.heard_at + HEAL
