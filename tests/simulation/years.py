"""Years of one authorization application and its projects at random: stops, cuts, pauses, losses, and their admins."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

from tests.simulation import chance
from tests.simulation.chance import Span
from tests.simulation.comparing import REAL, Rules, expect
from tests.simulation.limits import DAY, HEAL, MINUTE, RECONNECT, RETRIES
from tests.simulation.node import Node
from tests.simulation.oracle_server import Key
from tests.simulation.world import Line, World
from wizard.licensing.rules.instance import Asker

LOST = 0.004
"""Of the requests, and as many of the answers."""
LOOKED_AT = 0.01
"""Of the moments between two things that happen."""
NODES = ("a",) * 24 + ("ab", "abc")
"""Of the projects: their nodes."""
KEPT = 300
"""Steps of the trace. The whole of it would not fit into memory."""

Act = Callable[[], None]


class Project:
    """Nodes that are registered together. Their clocks may be wrong by up to ten minutes."""

    def __init__(self, name: str, nodes: list[Node]) -> None:
        self.name = name
        self.nodes = nodes
        self.keys = frozenset(node.key for node in nodes)
        self.runs = True
        self.is_cut = False
        self.has_plans = False
        """Whether its admin is about to register it."""


class Life:
    """One world, lived until `end`."""

    def __init__(self, rng: Random, projects: int, rules: Rules = REAL) -> None:
        self._rng = rng
        self.world = World(rules, keep=KEPT)
        self._agenda: list[tuple[int, int, Act]] = []
        self._planned = 0
        self.projects = [self._project(f"p{number}") for number in range(projects)]
        self.world.maximum = sum(len(project.nodes) for project in self.projects) - (rng.random() < 0.1)
        self._scans = False
        """Whether somebody is about to scan."""
        self._promised: set[Key] = set()
        self.promises = 0

    def _project(self, name: str) -> Project:
        skew = self._rng.randint(-10 * MINUTE, 10 * MINUTE)
        return Project(name, [self.world.node((name, node), skew) for node in self._rng.choice(NODES)])

    def live(self, span: int) -> None:
        """Let `span` milliseconds pass."""
        end = self.world.now + span
        self._boot()
        for project in self.projects:
            self._begin(project)
        self._plan(chance.UNTIL_DAMAGE, self._damage)
        while self._agenda[0][0] <= end:
            moment, _, act = heappop(self._agenda)
            if self._rng.random() < LOOKED_AT:
                self._look_before(moment)
            self.world.until(moment)
            act()

    def _begin(self, project: Project) -> None:
        self._worry(project)
        self._plan(chance.UNTIL_CUT, lambda: self._cut(project))
        self._plan(chance.UNTIL_PAUSE, lambda: self._pause(project))
        self._plan(chance.UNTIL_REREGISTER, lambda: self._reregister(project))

    def _plan(self, span: Span, act: Act) -> None:
        self._plan_at(self.world.now + span(self._rng), act)

    def _plan_at(self, moment: int, act: Act) -> None:
        self._planned += 1
        heappush(self._agenda, (moment, self._planned, act))

    def _look_before(self, moment: int) -> None:
        """At some moment before the next thing happens: only look, or let the minute's tick write it down."""
        self.world.until(self._rng.randint(self.world.now, max(self.world.now, moment)))
        self.world.look()
        if self.world.site.is_up and self._rng.random() < 0.2:
            self.world.tick()

    # The authorization application.

    def _boot(self) -> None:
        self.world.boot()
        self._plan(chance.UNTIL_STOP, self._stop)
        self._promise()

    def _stop(self) -> None:
        self.world.stop(clean=self._rng.random() < 0.5)
        self._promised.clear()
        self._plan(chance.DOWN, self._boot)

    def _damage(self) -> None:
        if self.world.site.is_up:
            self.world.site.damage(self.world.now)
            self._promised.clear()
        self._plan(chance.UNTIL_DAMAGE, self._damage)

    def _promise(self) -> None:
        """R9 and R10: who was registered, and can reach it, has reconnected two hours after a stop of at most 24 h.

        Unless it stops or is cut off again; or its last answer is so old that no retry comes within the 26 h.
        """
        site, now = self.world.site, self.world.now
        if site.attested > DAY:
            return
        for project in self.projects:
            for node in project.nodes:
                fresh = node.registration.feedback is not None and (
                    node.registration.feedback - node.skew + HEAL >= now + RETRIES[-1]
                )
                held = node.key in site.instance.slots and site.instance.slots[node.key].is_held
                if held and fresh and not node.is_over and project.runs and not project.is_cut:
                    self._promised.add(node.key)
        booted = now
        self._plan_at(booted + RECONNECT, lambda: self._keep_promise(booted))

    def _keep_promise(self, booted: int) -> None:
        """After all else that happens at that very moment."""
        if self.world.site.instance.started == booted:
            self._plan_at(self.world.now, lambda: self._check_promise(booted))

    def _check_promise(self, booted: int) -> None:
        if self.world.site.instance.started != booted or not self.world.site.is_up:
            return
        for key in self._promised:
            expect(f"{key} has reconnected in time", self.world.site.instance.slots[key].state, "LIVE")
        self.promises += len(self._promised)
        self._promised.clear()

    # Projects.

    def _line(self, project: Project) -> Line:
        if project.is_cut:
            return Line.REQUEST_LOST
        luck = self._rng.random()
        return Line.REQUEST_LOST if luck < LOST else Line.ANSWER_LOST if luck < 2 * LOST else Line.GOOD

    def _expect_beat(self, project: Project, node: Node) -> None:
        due = node.due
        if due is not None:
            moment = max(due, self.world.now)
            self._plan_at(moment, lambda: self._beat(project, node, due))

    def _beat(self, project: Project, node: Node, due: int | None) -> None:
        """Unless the plan is an old one, or the project does not run."""
        if not project.runs or node.due is None or node.due != due:
            return
        line = self._line(project)
        if line is not Line.GOOD:
            self._promised.discard(node.key)
        self.world.beat(node.key, line)
        self._expect_beat(project, node)
        if node.is_over:
            self._worry(project)

    def _cut(self, project: Project) -> None:
        self._break(project)
        project.is_cut = True
        self._plan(chance.CUT, lambda: self._mend(project))

    def _mend(self, project: Project) -> None:
        project.is_cut = False
        self._plan(chance.UNTIL_CUT, lambda: self._cut(project))

    def _pause(self, project: Project) -> None:
        self._break(project)
        project.runs = False
        self._plan(chance.PAUSE, lambda: self._go_on(project))

    def _go_on(self, project: Project) -> None:
        """After its restart each node asks at once."""
        project.runs = True
        for node in project.nodes:
            node.notice(self.world.now)
            self._beat(project, node, node.due)
            if node.is_over:
                self._worry(project)
        self._plan(chance.UNTIL_PAUSE, lambda: self._pause(project))

    def _break(self, project: Project) -> None:
        """What was promised to it holds no more."""
        self._promised -= project.keys

    # Admins.

    def _worry(self, project: Project) -> None:
        if not project.has_plans:
            project.has_plans = True
            self._plan(chance.REACTION, lambda: self._register(project))

    def _reregister(self, project: Project) -> None:
        """Deauthorize it, and register it for something else later."""
        self._break(project)
        self.world.deauthorize(project.name, self._line(project))
        self._worry(project)
        self._plan(chance.UNTIL_REREGISTER, lambda: self._reregister(project))

    def _register(self, project: Project) -> None:
        project.has_plans = False
        self._break(project)
        answer = self.world.register(project.keys, self._line(project))
        if answer == "REGISTERED":
            for node in project.nodes:
                self._expect_beat(project, node)
            return
        self._worry(project)
        if answer == "NOT_AUTHENTICATED" and not self._scans:
            self._scans = True
            self._plan(chance.REACTION, self._scan)

    def _scan(self) -> None:
        asker = self._rng.choice((Asker.ADMIN, Asker.ADMIN, Asker.ANONYMOUS))
        if not self.world.site.is_up:
            self._plan(chance.REACTION, self._scan)
            return
        older = self.world.challenge.get(asker)
        if self.world.ask(asker) is None:
            self._wait_for_lock(asker)
        else:
            self._plan(chance.TYPING, lambda: self._type(asker, older))

    def _wait_for_lock(self, asker: Asker) -> None:
        free = self.world.site.instance.entry(asker).lock.until or self.world.now
        self._plan_at(max(self.world.now, free + self._rng.randint(-1, 1)), self._scan)

    def _type(self, asker: Asker, older: str | None) -> None:
        """Enter a code, mostly the right one; sometimes of an older QR."""
        if not self.world.site.is_up:
            self._plan(chance.REACTION, self._scan)
            return
        challenge = older if self._rng.random() < 0.05 else None
        answer = self.world.enter(self._rng.random() < 0.6, asker, challenge)
        if answer == "ACCEPTED":
            self._scans = False
        elif answer == "WRONG":
            self._plan(chance.TYPING, lambda: self._type(asker, older))
        else:
            self._plan(chance.TYPING, self._scan)
