"""What SPEC.md says about one node of a project: from the log of the answers that reached it."""

from tests.simulation.limits import BEAT, DAY, HEAL, RETRIES

ASKING = ("CONNECTED", "DISCONNECTED", "LAPSED")


class ProjectOracle:
    """The log of one node, by its own clock, in milliseconds.

    A registration is valid when, from the moment it was accepted until now, no two good answers were more than 24 h
    apart; or not more than 26 h, and the later one attested that the authorization application had been down for 24 h
    at most (section 3); and when it was neither refused nor given up.
    """

    def __init__(self) -> None:
        self._given_up = "UNREGISTERED"
        self._forget()

    def _forget(self) -> None:
        self.feedback: int | None = None
        """The last good answer; None: there is no registration, not even a failed one."""
        self._refused: str | None = None
        self._gap = False
        """Whether two good answers were too far apart."""
        self._asked = False
        self.missed: list[int] = []
        """Requests without a good answer since the last one."""

    # What must hold.

    def state(self, at: int) -> str:
        if self.feedback is None:
            return self._given_up
        silence = at - self.feedback
        if self._refused or self._gap or silence > HEAL:
            return "FAILED"
        if silence > DAY:
            return "LAPSED"
        return "DISCONNECTED" if self.missed else "CONNECTED"

    def reason(self) -> str:
        """Why it failed, when it has."""
        return self._refused or "no feedback"

    def is_asking(self, at: int) -> bool:
        return self.state(at) in ASKING

    def next_request(self, at: int) -> int | None:
        """R9: the first at once, then every two hours; after a failed one a retry."""
        if self.feedback is None or not self.is_asking(at):
            return None
        if self.missed:
            return self.missed[-1] + RETRIES[min(len(self.missed), len(RETRIES)) - 1]
        return self.feedback + (BEAT if self._asked else 0)

    # What happened: each gives whether it mattered.

    def accepted(self, at: int) -> bool:
        """The registration was accepted. While there is one that can still hold, another is not asked for."""
        if self.is_asking(at):
            return False
        self._forget()
        self.feedback = at
        return True

    def answered(self, at: int, down: int | None) -> bool:
        """A good answer. `down`: for how long, as it attests, the authorization application had been down."""
        if self.feedback is None or not self.is_asking(at):
            return False
        if at - self.feedback > DAY and (down is None or down > DAY):
            self._gap = True
        else:
            self.feedback, self.missed, self._asked = at, [], True
        return True

    def missed_one(self, at: int) -> bool:
        if not self.is_asking(at):
            return False
        self.missed.append(at)
        self._asked = True
        return True

    def refused(self, at: int, reason: str) -> bool:
        if not self.is_asking(at):
            return False
        self._refused = reason
        return True

    def given_up(self, answered: bool) -> None:
        """R12: with an answer it is released; without one the slot frees itself later."""
        self._forget()
        self._given_up = "RELEASED" if answered else "UNREGISTERED"
