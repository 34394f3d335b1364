"""One node of a project: the real rules of a registration beside the oracle's log of it, by the node's own clock."""

from tests.simulation.comparing import Rules, Trace, expect
from tests.simulation.oracle_project import ASKING, ProjectOracle
from tests.simulation.oracle_server import Key
from wizard.licensing.rules.project import (
    Accepted,
    Feedback,
    Loss,
    NoAnswer,
    ProjectEvent,
    ProjectState,
    Refused,
    Registration,
    Reply,
    Reregister,
    Time,
)

LOSSES = {"UNKNOWN": Loss.UNKNOWN, "REAUTHENTICATE": Loss.REAUTHENTICATE}
REPLIES = {True: Reply.DONE, False: Reply.IGNORED}
OVER = frozenset(ProjectState) - {ProjectState(state) for state in ASKING}


class Node:
    """`skew`: how far its clock is ahead of the world's, in milliseconds."""

    def __init__(self, key: Key, rules: Rules, trace: Trace, skew: int = 0) -> None:
        self.key = key
        self.skew = skew
        self.registration = Registration()
        self.oracle = ProjectOracle()
        self.holds_last = False
        """Whether the last answer of the authorization application has reached it."""
        self.due: int | None = None
        """When its next request is due, by the clock of the world."""
        self._rules = rules
        self._trace = trace

    @property
    def is_over(self) -> bool:
        """Whether only a registration helps."""
        return self.registration.state in OVER

    def start_over(self) -> None:
        """Before its project registers again, whatever it was."""
        self.registration, self.oracle, self.holds_last = Registration(), ProjectOracle(), False

    def accept(self, now: int) -> None:
        at = now + self.skew
        self._follow(Accepted(), at, REPLIES[self.oracle.accepted(at)])

    def hear(self, now: int, down: int | None) -> None:
        at = now + self.skew
        self._follow(Feedback(down), at, REPLIES[self.oracle.answered(at, down)])

    def miss(self, now: int) -> None:
        at = now + self.skew
        self._follow(NoAnswer(), at, REPLIES[self.oracle.missed_one(at)])

    def be_refused(self, now: int, answer: str) -> None:
        at = now + self.skew
        self._follow(Refused(LOSSES[answer]), at, REPLIES[self.oracle.refused(at, LOSSES[answer])])

    def give_up(self, now: int, answered: bool) -> None:
        self.oracle.given_up(answered)
        self._follow(Reregister(answered), now + self.skew, Reply.DONE if answered else Reply.SLOT_FREES_ITSELF)

    def notice(self, now: int) -> None:
        """Time has passed, and it is written down."""
        self._follow(Time(), now + self.skew, Reply.DONE)

    def look(self, now: int) -> None:
        """Compare what it shows at that moment; nothing is written."""
        at = now + self.skew
        self._compare(self._rules.lapse(self.registration, at), at)

    def _follow(self, event: ProjectEvent, at: int, reply: Reply) -> None:
        outcome = self._rules.follow(self.registration, event, at)
        self.registration = after = outcome.after
        self._trace.note((at - self.skew, self.key, event, after.state))
        if outcome.answer is not reply:
            expect(f"reply to {event}", outcome.answer, reply)
        beat = self._compare(after, at)
        self.due = None if beat is None else beat - self.skew

    def _compare(self, registration: Registration, at: int) -> int | None:
        """The next request, by its own clock, is what is left when there is nothing to complain of."""
        oracle = self.oracle
        state = oracle.state(at)
        if registration.state != state:
            expect(f"state of node {self.key}", registration.state, state)
        if registration.feedback != oracle.feedback:
            expect(f"last feedback of node {self.key}", registration.feedback, oracle.feedback)
        beat = registration.next_beat
        if beat != oracle.next_request(at):
            expect(f"next request of node {self.key}", beat, oracle.next_request(at))
        if state == "FAILED":
            expect(f"why node {self.key} failed", registration.reason, oracle.reason())
        return beat
