"""What the views of the authorization application work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from wizard.licensing.protocol.messages import Message
from wizard.licensing.rules.instance import Instance
from wizard.licensing.rules.limits import Millis
from wizard.licensing.server import counts
from wizard.licensing.server.askers import Visitor
from wizard.licensing.server.authorization import Authorization, Judgement, Refused, is_code
from wizard.licensing.server.counts import Counts
from wizard.licensing.server.rate import ALL_CHALLENGES, ALL_CODES, CHALLENGES, CODES, Gate, TooOften
from wizard.licensing.server.refusals import ANSWERS, Json
from wizard.licensing.server.registrations import Registrations
from wizard.licensing.server.status import describe

Clock = Callable[[], Millis]
"""Milliseconds since 1970 on the instance's time line; ClockBehind while it cannot be told."""

_NAME = "authorization"


@dataclass(frozen=True, kw_only=True)
class Site:
    """One authorization application as the web shows it, at its published address and port."""

    authorization: Authorization
    registrations: Registrations
    clock: Clock
    address: str
    port: int
    counts: Counts = field(default_factory=Counts)
    challenges: Gate = field(default_factory=lambda: Gate(CHALLENGES, ALL_CHALLENGES))
    codes: Gate = field(default_factory=lambda: Gate(CODES, ALL_CODES))

    def now(self) -> Millis:
        """The moment of this request. ClockBehind while it cannot be told."""
        now = self.clock()
        self.counts.watch(self.authorization.store.mark, self._started)
        return now

    def _started(self) -> Millis:
        return self.authorization.store.load().started or 0

    def status(self, visitor: Visitor, now: Millis, instance: Instance | None = None) -> Json:
        """What the visitor is told; of an instance that was looked at already, when there is one."""
        return describe(self.authorization, instance or self.authorization.look(now), now, visitor.asker)

    def new_challenge(self, visitor: Visitor, now: Millis) -> Instance:
        """Open a challenge. Refused while it is locked or retired, TooOften when the rate is not ok (R6)."""
        self._pass(self.challenges, "challenge", visitor, now)
        try:
            instance = self.authorization.challenge(now, visitor.asker)
        except Refused as error:
            self.counts.add(counts.CHALLENGES, visitor.asker, ANSWERS[error.answer])
            raise
        self.counts.add(counts.CHALLENGES, visitor.asker, "made")
        return instance

    def enter(self, visitor: Visitor, challenge: str, digits: str, now: Millis) -> Judgement:
        """Enter a code. TooOften when the rate is not ok, before anything is charged; what is no code costs nothing."""
        judgement = Judgement.MALFORMED
        if is_code(digits):
            self._pass(self.codes, "code", visitor, now)
            judgement = self.authorization.enter(challenge, digits, now, visitor.asker)
        self.counts.add(counts.CODES, visitor.asker, judgement)
        return judgement

    def beat(self, message: object, now: Millis) -> Message:
        """The signed answer to a project's request."""
        answer = self.registrations.beat(message, now)
        self.counts.add(counts.BEATS, answer["body"]["result"])
        return answer

    def _pass(self, gate: Gate, what: str, visitor: Visitor, now: Millis) -> None:
        try:
            gate.take(visitor, now)
        except TooOften:
            self.counts.add(counts.THROTTLED, visitor.asker, what)
            raise


def attach(app: Flask, site: Site) -> None:
    app.extensions[_NAME] = site


def here() -> Site:
    """The site that is being asked."""
    return cast(Site, current_app.extensions[_NAME])
