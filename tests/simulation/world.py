"""An authorization application, the projects that it serves, the lines between them, and the time."""

from enum import Enum

from tests.simulation.comparing import REAL, Rules, Trace
from tests.simulation.node import Node
from tests.simulation.oracle_server import Key
from tests.simulation.site import Site
from wizard.licensing.rules.instance import Asker

T = 1_800_000_000_000
"""When each world begins."""


class Line(Enum):
    """What becomes of one exchange."""

    GOOD = "good"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"


class World:
    """Each verb happens at `now`, in milliseconds, which only `wait` and `until` move."""

    def __init__(self, rules: Rules = REAL, keep: int | None = None, maximum: int = 2) -> None:
        self.now = T
        self.maximum = maximum
        self.trace = Trace(keep)
        self.site = Site(rules, self.trace)
        self.nodes: dict[Key, Node] = {}
        self.challenge: dict[Asker, str] = {}
        """The newest of each asker."""
        self.beats = 0
        self._rules = rules

    def wait(self, span: int) -> None:
        self.now += span

    def until(self, moment: int) -> None:
        self.now = max(self.now, moment)

    def look(self) -> None:
        """Compare everything that shows now."""
        if self.site.is_up:
            self.site.check(self.now)
        for node in self.nodes.values():
            node.look(self.now)

    # The authorization application.

    def boot(self) -> None:
        self.site.boot(self.now, self.maximum)

    def stop(self, *, clean: bool = True) -> None:
        (self.site.stop if clean else self.site.crash)(self.now)

    def tick(self) -> None:
        self.site.tick(self.now)

    def ask(self, asker: Asker = Asker.ANONYMOUS) -> str | None:
        id = self.site.ask(self.now, asker)
        if id is not None:
            self.challenge[asker] = id
        return id

    def enter(self, right: bool, asker: Asker = Asker.ANONYMOUS, challenge: str | None = None) -> str:
        """Enter a code for that challenge; for the newest one without."""
        return self.site.enter(self.now, challenge or self.challenge.get(asker, "c0"), right, asker)

    # Projects.

    def node(self, key: Key, skew: int = 0) -> Node:
        if key not in self.nodes:
            self.nodes[key] = Node(key, self._rules, self.trace, skew)
        return self.nodes[key]

    def register(self, keys: frozenset[Key], line: Line = Line.GOOD) -> str | None:
        """All of these nodes of one project; the answer, if there is one."""
        if not self.site.is_up or line is Line.REQUEST_LOST:
            return None
        answer = self.site.register(self.now, keys)
        if line is Line.ANSWER_LOST:
            return None
        if answer == "REGISTERED":
            for key in keys:
                self.node(key).start_over()
                self.node(key).accept(self.now)
        return answer

    def beat(self, key: Key, line: Line = Line.GOOD) -> str | None:
        """One request of a node, and what it is answered; None when no answer reaches it."""
        self.beats += 1
        node = self.node(key)
        if not self.site.is_up or line is Line.REQUEST_LOST:
            node.miss(self.now)
            return None
        answer = self.site.request(self.now, key, node.holds_last)
        if line is Line.ANSWER_LOST:
            node.holds_last = False
            node.miss(self.now)
            return None
        node.holds_last = True
        if answer in ("OK", "RECONNECTED"):
            node.hear(self.now, self.site.attested if answer == "RECONNECTED" else None)
        else:
            node.be_refused(self.now, answer)
        return answer

    def deauthorize(self, project: str, line: Line = Line.GOOD) -> str | None:
        """Re-register in the old project (R12)."""
        answer = None
        if self.site.is_up and line is not Line.REQUEST_LOST:
            answer = self.site.deauthorize(self.now, project)
        heard = None if line is Line.ANSWER_LOST else answer
        for key, node in self.nodes.items():
            if key[0] == project:
                node.give_up(self.now, heard is not None)
        return heard
