"""What R6 says about scanning and entering codes, for one asker: from the log of inputs and locks."""

from tests.simulation.limits import BLOCKING, DAY, LOCK, LOCKING, QR


class Closed:
    """A time in which nothing is evaluated: how many inputs had been by then, until when, and whether for 24 h."""

    __slots__ = ("blocks", "end", "inputs")

    def __init__(self, inputs: int, end: int, *, blocks: bool) -> None:
        self.inputs, self.end, self.blocks = inputs, end, blocks


class EntryOracle:
    """The log of one asker: its newest challenge; and since its last success, how many inputs were evaluated, and when
    it was closed."""

    def __init__(self) -> None:
        self._inputs = 0
        self._closed: list[Closed] = []
        """Each begins after the one before it has ended."""
        self.challenge: str | None = None
        """The newest one, as long as a code for it is worth anything."""
        self.opened = 0
        self._accepted: str | None = None

    # What must hold.

    def counts(self, at: int) -> tuple[int, int, int | None]:
        """Wrong inputs since the last lock, wrong inputs in total, and until when it is locked (None: it is free).

        Of the inputs evaluated since the last success every sixth locks for 15 minutes from the moment it came, and the
        thirtieth for 24 h; damage locks, too. What came before a lock that is over counts only in total, and what came
        before a block that is over not at all.
        """
        over = [closed.inputs for closed in self._closed if closed.end <= at]
        blocks = [closed.inputs for closed in self._closed if closed.end <= at and closed.blocks]
        end = self._closed[-1].end if len(over) < len(self._closed) else None
        return self._inputs - (over or [0])[-1], self._inputs - (blocks or [0])[-1], end

    def is_locked(self, at: int) -> bool:
        return self.counts(at)[2] is not None

    def answer_to_input(self, challenge: str, at: int) -> str:
        """What six digits for that challenge are answered with, before it is known whether they are right."""
        if self.is_locked(at):
            return "LOCKED"
        if challenge == self._accepted:
            return "CONSUMED"
        if challenge != self.challenge:
            return "SUPERSEDED"
        return "EXPIRED" if at - self.opened > QR else "CHARGED"

    def answer_to_verdict(self, challenge: str, right: bool, at: int) -> str:
        """What the one who entered them is told in the end. Others may have entered something meanwhile."""
        if right and challenge == self.challenge:
            return "ACCEPTED"
        if challenge == self._accepted:
            return "CONSUMED"
        if self.is_locked(at):
            return "LOCKED"
        return "WRONG" if challenge == self.challenge else "SUPERSEDED"

    # What happened.

    def asked(self, challenge: str, at: int) -> None:
        self.challenge, self.opened = challenge, at

    def evaluated(self, at: int) -> None:
        self._inputs += 1
        wrong, total, _ = self.counts(at)
        if total == BLOCKING:
            self._closed.append(Closed(self._inputs, at + DAY, blocks=True))
        elif wrong == LOCKING:
            self._closed.append(Closed(self._inputs, at + LOCK, blocks=False))

    def told(self, answer: str, challenge: str) -> None:
        """The answer to a verdict was given."""
        if answer == "ACCEPTED":
            self._inputs, self._closed, self._accepted = 0, [], challenge
        if answer in ("ACCEPTED", "LOCKED"):
            self.challenge = None

    def damaged(self, at: int) -> None:
        """Locked for 15 minutes at least, since there may have been more inputs. What is known of them stays."""
        if self.is_locked(at):
            self._closed[-1].end = max(self._closed[-1].end, at + LOCK)
        else:
            self._closed.append(Closed(self._inputs, at + LOCK, blocks=False))
        self.challenge = None

    def retired(self) -> None:
        self.challenge = None
