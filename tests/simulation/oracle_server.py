"""What SPEC.md says about the authorization application: from the log of its runs and of what reached it."""

from collections.abc import Iterable

from tests.simulation.limits import ALIVE, DAY, RECONNECT, REMEMBERED, SECOND
from tests.simulation.oracle_entry import EntryOracle

Key = tuple[str, str]
"""Of a slot: the project and its node."""


class Run:
    """From a boot until the next one: `seen` is the last moment that is on the disk."""

    __slots__ = ("clean", "down", "seen", "start")

    def __init__(self, start: int, down: int) -> None:
        self.start, self.seen, self.clean = start, start, False
        self.down = down
        """For how long it had been down before, at least."""


class SlotLog:
    """What reached one slot since it was registered. `run`: in which run it was `heard` of last."""

    __slots__ = ("ended", "heard", "owed", "registered", "requested", "run")

    def __init__(self, at: int, run: int) -> None:
        self.registered, self.heard, self.run = at, at, run
        self.requested: int | None = None
        self.ended: str | None = None
        """RELEASED, or the reason of its failure; also kept when the log before a boot has shown it."""
        self.owed = False
        """RECONNECTED was said, and no later request has shown that it arrived. It matters while the slot is live."""


class ServerOracle:
    """The log of one instance. Moments are milliseconds, and never go back."""

    def __init__(self, askers: Iterable[str]) -> None:
        self.runs: list[Run] = []
        self.entries = {asker: EntryOracle() for asker in askers}
        self.slots: dict[Key, SlotLog] = {}
        self.maximum = 0
        self.counter = 0
        self._retired = False
        # Since the authentication ended the last time:
        self._code: tuple[int, int] | None = None
        """When the last code was accepted, and in which run."""
        self._registered = False
        self._must_reauthenticate = False

    # What must hold.

    def state(self, at: int) -> str:
        """SPEC.md, section 3: authenticated since a code was accepted, for as long as nothing has ended it."""
        if self._retired:
            return "RETIRED"
        if self._registered:
            return "WINDOW" if self._is_awaiting_some(at) else "ACTIVE"
        if self.verified(at) is not None:
            return "VERIFIED"
        return "REAUTHENTICATE" if self._must_reauthenticate and self._code is None else "UNAUTHENTICATED"

    def verified(self, at: int) -> int | None:
        """R7: since when a code has been accepted, if nothing was registered, in the same run and within 24 h."""
        if self._code is None or self._registered:
            return None
        accepted, run = self._code
        return accepted if run == len(self.runs) - 1 and at - accepted <= DAY else None

    def window_end(self, at: int) -> int | None:
        """R10: two hours after the restart, when somebody is waited for."""
        return self.runs[-1].start + RECONNECT if self.state(at) == "WINDOW" else None

    def shutdown(self) -> tuple[int | None, int]:
        """R10: when it stopped, as it is attested, and started again; before the first shutdown it never stopped."""
        run = self.runs[-1]
        return (run.start - run.down if len(self.runs) > 1 else None), run.start

    def slot(self, key: Key, at: int) -> tuple[str, str | None]:
        """The state of a slot, and why it failed."""
        log = self.slots[key]
        ended = log.ended or self._lost(log, at)
        if ended:
            return ("RELEASED", None) if ended == "RELEASED" else ("FAILED", ended)
        return ("LIVE", None) if log.run == len(self.runs) - 1 else ("AWAITING", None)

    def is_held(self, key: Key, at: int) -> bool:
        log = self.slots[key]
        return not (log.ended or self._lost(log, at))

    def answer_to_registration(self, keys: frozenset[Key], at: int) -> str:
        state = self.state(at)
        if state == "RETIRED":
            return "RETIRED"
        if state not in ("VERIFIED", "ACTIVE", "WINDOW"):
            return "NOT_AUTHENTICATED"
        others = sum(self.is_held(key, at) for key in self.slots.keys() - keys)
        return "FULL" if others + len(keys) > self.maximum else "REGISTERED"

    def answer_to_request(self, key: Key, acknowledges: bool, at: int) -> str:
        if self._registered and key in self.slots:
            state, _ = self.slot(key, at)
            if state == "AWAITING" or (state == "LIVE" and self.slots[key].owed and not acknowledges):
                return "RECONNECTED"
            return "OK" if state == "LIVE" else "UNKNOWN"
        return "REAUTHENTICATE" if self.state(at) == "REAUTHENTICATE" else "UNKNOWN"

    def answer_to_deauthorization(self, project: str, at: int) -> str:
        mine = [self.slot(key, at)[0] for key in self.slots if key[0] == project]
        return "RELEASED" if {"LIVE", "AWAITING", "RELEASED"}.intersection(mine) else "UNKNOWN"

    def answer_to_asking(self, asker: str, at: int) -> str:
        if self._retired:
            return "RETIRED"
        return "LOCKED" if self.entries[asker].is_locked(at) else "DONE"

    def answer_to_input(self, asker: str, challenge: str, at: int) -> str:
        return "RETIRED" if self._retired else self.entries[asker].answer_to_input(challenge, at)

    def answer_to_verdict(self, asker: str, challenge: str, right: bool, at: int) -> str:
        return "RETIRED" if self._retired else self.entries[asker].answer_to_verdict(challenge, right, at)

    def _is_awaiting_some(self, at: int) -> bool:
        if at - self.runs[-1].start > RECONNECT:
            return False
        return any(self.slot(key, at)[0] == "AWAITING" for key in self.slots)

    def _lost(self, log: SlotLog, at: int) -> str | None:
        """Why a slot has failed by `at`, if nothing was heard of it since.

        R11: more than 24 h of up time without a request. R10: a stop of more than 24 h, or more than two hours after
        one without a request. Of a run that is over, only what is on the disk has passed.
        """
        last = len(self.runs) - 1
        if (at if log.run == last else self.runs[log.run].seen) - log.heard > DAY:
            return "no request"
        for number in range(log.run + 1, last + 1):
            run = self.runs[number]
            if run.down > DAY:
                return "downtime"
            if (at if number == last else run.seen) - run.start > RECONNECT:
                return "not reconnected"
        return None

    # What happened.

    def seen(self, at: int) -> None:
        """Something was written to the disk."""
        self.runs[-1].seen = at

    def stopped(self) -> None:
        self.runs[-1].clean = True

    def booted(self, maximum: int, at: int) -> None:
        """Down since the clean stop; or, after a crash, since a minute after the last moment on the disk, at least."""
        down = 0
        if self.runs:
            before = self.runs[-1]
            down = max(0, at - before.seen - (0 if before.clean else ALIVE))
        self.runs.append(Run(at, down))
        self.maximum = maximum
        for log in self.slots.values():
            log.ended = log.ended or self._lost(log, at)
        if self._registered and down > DAY:
            self._ended(must_reauthenticate=True)

    def asked(self, asker: str, challenge: str, at: int) -> None:
        self.counter += 1
        self.entries[asker].asked(challenge, at)

    def told(self, asker: str, challenge: str, answer: str, at: int) -> None:
        """An input was answered."""
        self.entries[asker].told(answer, challenge)
        if answer == "ACCEPTED":
            self._code = at, len(self.runs) - 1

    def registered(self, keys: frozenset[Key], at: int) -> None:
        """What is not held any more is forgotten when a hundred such slots were heard of later."""
        self._registered = True
        for key in keys:
            self.slots[key] = SlotLog(at, len(self.runs) - 1)
        over = [key for key in self.slots if not self.is_held(key, at)]
        for key in sorted(over, key=lambda key: (self.slots[key].heard, key), reverse=True)[REMEMBERED:]:
            del self.slots[key]

    def requested(self, key: Key, answer: str, at: int) -> None:
        if answer in ("OK", "RECONNECTED"):
            log = self.slots[key]
            log.heard = log.requested = at
            log.run = len(self.runs) - 1
            log.owed = answer == "RECONNECTED"

    def deauthorized(self, project: str, at: int) -> None:
        """R12: what it held is free. After the last one the authentication ends."""
        held = [key for key in self.slots if self.is_held(key, at)]
        self._end_slots((key for key in held if key[0] == project), "RELEASED", at)
        if {key[0] for key in held} == {project}:
            self._ended(must_reauthenticate=False)

    def damaged(self, at: int) -> None:
        """The storage is not what was written: nothing proves that the authentication holds, nor that this is all."""
        if self._retired:
            return
        self._end_slots(self.slots, "damaged storage", at)
        self.counter = max(self.counter, at // SECOND)
        for entry in self.entries.values():
            entry.damaged(at)
        self._ended(must_reauthenticate=True)

    def retired(self, at: int) -> None:
        self._end_slots(self.slots, "RELEASED", at)
        for entry in self.entries.values():
            entry.retired()
        self._retired = True
        self._ended(must_reauthenticate=False)

    def _end_slots(self, keys: Iterable[Key], end: str, at: int) -> None:
        for key in keys:
            log = self.slots[key]
            log.ended = log.ended or self._lost(log, at) or end

    def _ended(self, *, must_reauthenticate: bool) -> None:
        self._code, self._registered, self._must_reauthenticate = None, False, must_reauthenticate
