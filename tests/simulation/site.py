"""An authorization application: the real rules beside the oracle's log, compared at each event and at any moment."""

from tests.simulation.comparing import Rules, Trace, expect
from tests.simulation.limits import ALIVE
from tests.simulation.oracle_server import Key, ServerOracle
from wizard.licensing.rules.events import (
    Boot,
    Charge,
    Damage,
    Deauthorize,
    Event,
    Judge,
    NewChallenge,
    Register,
    Request,
    Retire,
    Stop,
    Tick,
)
from wizard.licensing.rules.instance import Asker, Instance

TICK, STOP = Tick(), Stop()


class Site:
    """Each verb is one thing that happens at `now`, a moment of the world, and gives the answer."""

    def __init__(self, rules: Rules, trace: Trace) -> None:
        self.instance = Instance()
        self.oracle = ServerOracle(Asker)
        self.is_up = False
        self._rules = rules
        self._trace = trace
        self._challenges = 0
        self._crashed_at: int | None = None

    # Its runs.

    def boot(self, now: int, maximum: int) -> None:
        self.oracle.booted(maximum, now)
        self._serve(Boot(maximum), now, "DONE")
        self.is_up = True
        self._check_time_down(now)
        self.check(now)

    def stop(self, now: int) -> None:
        self._serve(STOP, now, "DONE")
        self.oracle.stopped()
        self._end(now)

    def crash(self, now: int) -> None:
        """Nothing more is written; the minute's tick has been, if one was due."""
        run = self.oracle.runs[-1]
        written = now - (now - run.start) % ALIVE
        if written > run.seen:
            self._serve(TICK, written, "DONE")
        self._trace.note((now, "server", "crash", ""))
        self._end(now)

    def tick(self, now: int) -> None:
        self._serve(TICK, now, "DONE")
        self.check(now)

    def _end(self, now: int) -> None:
        self.check(now)
        self.is_up, self._crashed_at = False, now

    def _check_time_down(self, now: int) -> None:
        """What is attested is never longer than it was, and shorter only by the minute that a crash leaves open."""
        stopped, started = self.instance.stopped, self.instance.started
        if self._crashed_at is None or stopped is None or started is None:
            return
        unattested = (now - self._crashed_at) - (started - stopped)
        run = self.oracle.runs[-2]
        expect("attested time down is a lower bound", 0 <= unattested <= (0 if run.clean else ALIVE), True)

    # Challenges and codes.

    def ask(self, now: int, asker: Asker) -> str | None:
        """A new challenge; its id, if there is one."""
        self._challenges += 1
        id = f"c{self._challenges}"
        answer = self._serve(NewChallenge(id, asker), now, self.oracle.answer_to_asking(asker, now))
        if answer == "DONE":
            self.oracle.asked(asker, id, now)
        self.check(now)
        return id if answer == "DONE" else None

    def charge(self, now: int, challenge: str, asker: Asker) -> str:
        answer = self._charge(now, challenge, asker)
        self.check(now)
        return answer

    def _charge(self, now: int, challenge: str, asker: Asker) -> str:
        expected = self.oracle.answer_to_input(asker, challenge, now)
        answer = self._serve(Charge(challenge, asker), now, expected)
        if answer == "CHARGED":
            self.oracle.entries[asker].evaluated(now)
        return answer

    def judge(self, now: int, challenge: str, right: bool, asker: Asker) -> str:
        expected = self.oracle.answer_to_verdict(asker, challenge, right, now)
        answer = self._serve(Judge(challenge, right, asker), now, expected)
        self.oracle.told(asker, challenge, answer, now)
        self.check(now)
        return answer

    def enter(self, now: int, challenge: str, right: bool, asker: Asker) -> str:
        answer = self._charge(now, challenge, asker)
        return self.judge(now, challenge, right, asker) if answer == "CHARGED" else answer

    # Projects.

    def register(self, now: int, keys: frozenset[Key]) -> str:
        """For nodes of one project."""
        project = next(iter(keys))[0]
        event = Register(project, project.upper(), frozenset(node for _, node in keys))
        answer = self._serve(event, now, self.oracle.answer_to_registration(keys, now))
        if answer == "REGISTERED":
            self.oracle.registered(keys, now)
        self.check(now)
        return answer

    def request(self, now: int, key: Key, acknowledges: bool) -> str:
        expected = self.oracle.answer_to_request(key, acknowledges, now)
        answer = self._serve(Request(*key, acknowledges), now, expected)
        self.oracle.requested(key, answer, now)
        if key in self.instance.slots:
            self._check_slot(self.instance, key, now)
        if self.instance.state != self.oracle.state(now):
            expect("state", self.instance.state, self.oracle.state(now))
        return answer

    @property
    def attested(self) -> int:
        """For how long it was down before, as it tells those who reconnect."""
        stopped, started = self.instance.stopped, self.instance.started
        return started - stopped if started is not None and stopped is not None else 0

    def deauthorize(self, now: int, project: str) -> str:
        answer = self._serve(Deauthorize(project), now, self.oracle.answer_to_deauthorization(project, now))
        self.oracle.deauthorized(project, now)
        self.check(now)
        return answer

    def retire(self, now: int) -> None:
        self._serve(Retire(), now, "RETIRED")
        self.oracle.retired(now)
        self.check(now)

    def damage(self, now: int) -> None:
        expected = "RETIRED" if self.oracle.state(now) == "RETIRED" else "REAUTHENTICATE"
        self._serve(Damage(), now, expected)
        self.oracle.damaged(now)
        self.check(now)

    def _serve(self, event: Event, now: int, expected: str) -> str:
        outcome = self._rules.serve(self.instance, event, now)
        self.instance = outcome.after
        self._trace.note((now, "server", event, outcome.answer))
        self.oracle.seen(now)
        if outcome.answer != expected:
            expect(f"answer to {event}", outcome.answer, expected)
        return outcome.answer

    # Comparing.

    def check(self, at: int) -> None:
        """Compare all that shows at a moment from now on; nothing is written."""
        shown = self._rules.settle(self.instance, at)
        state = self.oracle.state(at)
        expect("state", shown.state, state)
        expect("maximum and counter", (shown.maximum, shown.counter), (self.oracle.maximum, self.oracle.counter))
        expect("last shutdown", (shown.stopped, shown.started), self.oracle.shutdown())
        expect("verified since", shown.verified, self.oracle.verified(at) if state == "VERIFIED" else None)
        expect("end of the window", shown.window_end, self.oracle.window_end(at))
        for asker in Asker:
            self._check_entry(shown, asker, at)
        expect("slots", shown.slots.keys(), self.oracle.slots.keys())
        for key in self.oracle.slots:
            self._check_slot(shown, key, at)

    def _check_entry(self, shown: Instance, asker: Asker, at: int) -> None:
        entry, log = shown.entries[asker], self.oracle.entries[asker]
        expect(f"counts of {asker}", (entry.lock.wrong, entry.lock.total, entry.lock.until), log.counts(at))
        challenge = None if entry.challenge is None else entry.challenge.id
        expect(f"challenge of {asker}", challenge, log.challenge)

    def _check_slot(self, shown: Instance, key: Key, at: int) -> None:
        slot, log = shown.slots[key], self.oracle.slots[key]
        state, reason = self.oracle.slot(key, at)
        if slot.state != state or slot.reason != reason:
            expect(f"slot {key}", (slot.state, slot.reason), (state, reason))
        if slot.registered != log.registered or slot.last != log.requested:
            expect(f"slot {key} heard of", (slot.registered, slot.last), (log.registered, log.requested))
        if slot.healing != (log.owed and state == "LIVE"):
            expect(f"slot {key} is owed RECONNECTED", slot.healing, not slot.healing)
