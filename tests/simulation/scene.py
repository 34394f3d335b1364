"""A world and what traces do with it again and again. Whatever it was like before, a verb first makes it possible."""

from random import Random

from tests.simulation.comparing import REAL, Rules
from tests.simulation.limits import MINUTE, SECOND
from tests.simulation.node import Node
from tests.simulation.oracle_server import Key
from tests.simulation.world import Line, World
from wizard.licensing.rules.instance import Asker

AUTHENTICATED = ("VERIFIED", "ACTIVE", "WINDOW")
MAXIMUM = 4
"""Registrations."""


class Scene:
    """`rng` decides everything that does not matter, or must not."""

    def __init__(self, rng: Random, rules: Rules = REAL) -> None:
        self.rng = rng
        self.world = World(rules, maximum=MAXIMUM)

    @property
    def state(self) -> str:
        return self.world.site.oracle.state(self.world.now)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def asker(self) -> Asker:
        return self.rng.choice((Asker.ANONYMOUS, Asker.ADMIN))

    def soon(self, longest: int = 10 * SECOND) -> None:
        """A moment later."""
        self.world.wait(self.rng.randint(0, longest))

    # The authorization application.

    def up(self) -> None:
        """It runs, sooner or later."""
        if not self.world.site.is_up:
            self.soon()
            self.world.boot()

    def restart(self, down: int | None = None) -> None:
        """Down for that long, exactly known or not; briefly without."""
        self.up()
        self.world.stop(clean=self.chance(0.5))
        self.world.wait(self.rng.randint(1, MINUTE) if down is None else down)
        self.world.boot()

    def free(self, asker: Asker) -> None:
        """No lock, when its time is over."""
        self.up()
        self.world.until(self.world.site.oracle.entries[asker].counts(self.world.now)[2] or 0)

    def qr(self, asker: Asker) -> str:
        """A new challenge."""
        self.free(asker)
        challenge = self.world.ask(asker)
        if challenge is None:
            raise AssertionError("free, and yet there is no QR")
        return challenge

    def guess(self, times: int, asker: Asker, *, restarts: bool = False) -> str:
        """That many wrong codes are evaluated, for one QR or for several; with `restarts` some of them in between."""
        answer = ""
        for _ in range(times):
            if self.world.site.oracle.entries[asker].challenge is None or self.chance(0.15):
                self.qr(asker)
            if restarts and self.chance(0.1):
                self.restart()
            self.soon(SECOND)
            answer = self.world.enter(False, asker)
        return answer

    def authenticated(self) -> None:
        self.up()
        if self.state not in AUTHENTICATED:
            asker = self.asker()
            self.qr(asker)
            self.soon()
            self.world.enter(True, asker)

    # Projects.

    def project(self) -> str:
        return self.rng.choice("pq")

    def keys(self, project: str, nodes: int = 1) -> frozenset[Key]:
        return frozenset((project, node) for node in "abcdefgh"[:nodes])

    def held(self, besides: str = "") -> list[Key]:
        """Slots that are held, but for that project's."""
        oracle = self.world.site.oracle
        return [key for key in oracle.slots if key[0] != besides and oracle.is_held(key, self.world.now)]

    def vacate(self, besides: str = "") -> None:
        """No slot is held, but for that project's; and it is authenticated."""
        for project in sorted({key[0] for key in self.held(besides)}):
            self.soon()
            self.world.deauthorize(project)
        self.authenticated()

    def registered(self, project: str, nodes: int = 1) -> list[Node]:
        """These nodes have slots that are live, and nobody but they of its project; they have beaten or not."""
        self.authenticated()
        while len(self.held(project)) + nodes > self.world.maximum:
            self.vacate(project)
        keys = self.keys(project, nodes)
        self.world.register(keys)
        self.soon()
        if self.chance(0.7):
            self.beat_all(keys)
        return [self.world.node(key) for key in sorted(keys)]

    def beat_all(self, keys: frozenset[Key]) -> None:
        for key in sorted(keys):
            self.world.beat(key)

    def line(self, losses: float = 0.3) -> Line:
        return self.rng.choice((Line.REQUEST_LOST, Line.ANSWER_LOST)) if self.chance(losses) else Line.GOOD

    def look(self) -> None:
        """Whoever looks changes nothing; the minute's tick neither, but for what is due anyway."""
        if self.chance(0.5):
            self.world.look()
        elif self.world.site.is_up:
            self.world.tick()
