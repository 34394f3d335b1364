"""What R6 says about scanning and entering codes, for one asker: from the log of what was entered, not from counts."""

from tests.simulation.limits import BLOCKING, DAY, LOCK, LOCKING, QR


class EntryOracle:
    """The log of one asker: its newest challenge, and when inputs were evaluated since its last success."""

    def __init__(self) -> None:
        self._evaluated: list[int] = []
        self._damaged: int | None = None
        """When the storage was damaged, if no success came after it."""
        self.challenge: str | None = None
        """The newest one, as long as a code for it is worth anything."""
        self.opened = 0
        self._accepted: str | None = None

    # What must hold.

    def counts(self, at: int) -> tuple[int, int, int | None]:
        """Wrong inputs since the last lock, wrong inputs in total, and until when it is locked (None: it is free).

        Of the inputs evaluated since the last success every sixth locks for 15 minutes from the moment it came, and the
        thirtieth for 24 h; after that they are counted anew.
        """
        if not self._evaluated:
            end = None if self._damaged is None else self._damaged + LOCK
            return 0, 0, end if end is not None and at < end else None
        before = len(self._evaluated) - 1
        wrong, total = before % LOCKING + 1, before % BLOCKING + 1
        if wrong < LOCKING:
            return wrong, total, None
        end = self._evaluated[-1] + (DAY if total == BLOCKING else LOCK)
        return (wrong, total, end) if at < end else (0, total % BLOCKING, None)

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
        self._evaluated.append(at)

    def told(self, answer: str, challenge: str) -> None:
        """The answer to a verdict was given."""
        if answer == "ACCEPTED":
            self._evaluated, self._damaged, self._accepted = [], None, challenge
        if answer in ("ACCEPTED", "LOCKED"):
            self.challenge = None

    def damaged(self, at: int) -> None:
        self._evaluated, self._damaged, self._accepted, self.challenge = [], at, None, None

    def retired(self) -> None:
        self.challenge = None
