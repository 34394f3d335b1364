"""The authorization application without its HTTP: the rules of `wizard.licensing.rules`, made durable.

Each method is one moment, `now`, in milliseconds since 1970. What it returns is on the disk.
"""

import hmac
import logging
import os
import re
from enum import StrEnum

from wizard.licensing.protocol.qr import ChallengeBody, Reason, challenge_id, code, seal, to_url
from wizard.licensing.rules.events import Answer, Boot, Charge, Event, Judge, NewChallenge, Stop, Tick
from wizard.licensing.rules.instance import Instance, SlotState, State
from wizard.licensing.rules.limits import MINUTE, Millis
from wizard.licensing.rules.server import serve, settle
from wizard.licensing.server.identity import Identity
from wizard.licensing.server.store import Change, Store

log = logging.getLogger(__name__)


class Judgement(StrEnum):
    """What became of a code that was entered (R6)."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CONSUMED = "consumed"
    MALFORMED = "malformed"
    RETIRED = "retired"


class Refused(Exception):
    """What was asked for cannot be done now. `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.value)
        self.answer = answer


class Authorization:
    """One instance: its identity and its memory."""

    def __init__(self, identity: Identity, store: Store) -> None:
        self.identity = identity
        self.store = store

    def boot(self, now: Millis) -> None:
        """The process has started. What that costs depends on how long it was down (R7, R10)."""
        self._happen(Boot(self.identity.claims.registrations), now)

    def tick(self, now: Millis) -> None:
        """To be called each minute: what is due happens, and the time alive is written."""
        self._happen(Tick(), now)

    def stop(self, now: Millis) -> None:
        """A clean stop, so that the next boot knows exactly how long it was down."""
        self._happen(Stop(), now)

    def look(self, now: Millis) -> Instance:
        """The instance as it stands; nothing is written."""
        return settle(self.store.load(), now)

    def url(self, challenge: str) -> str | None:
        """The address in the QR of that challenge, while it is the newest."""
        qr = self.store.qr(challenge)
        return to_url(self.identity.claims.activation, qr) if qr else None

    def challenge(self, now: Millis) -> Instance:
        """Open a new challenge; the older one is dead. Refused while it is locked, and once it is retired.

        The counter and the challenge are on the disk before anybody sees a QR.
        """
        with self.store.change() as change:
            qr = self._seal(settle(change.instance, now), now)
            id = challenge_id(qr)
            answer = self.apply(change, NewChallenge(id), now)
            if answer is not Answer.DONE:
                raise Refused(answer)
            change.keep_qr(id, qr)
            return change.instance

    def enter(self, challenge: str, digits: str, now: Millis) -> Judgement:
        """Enter the six digits for that challenge.

        The input is charged, durably, before it is looked at: however many come at once, and whatever crashes in
        between, none is evaluated that was not counted.
        """
        if re.fullmatch("[0-9]{6}", digits) is None:
            return Judgement.MALFORMED
        answer = self._happen(Charge(challenge), now)
        if answer is Answer.CHARGED:
            answer = self._happen(Judge(challenge, self._is_right(challenge, digits)), now)
        return Judgement(answer.value.lower())

    def _is_right(self, challenge: str, digits: str) -> bool:
        qr = self.store.qr(challenge)
        return qr is not None and hmac.compare_digest(code(self.identity.keys, qr), digits)

    def _seal(self, instance: Instance, now: Millis) -> bytes:
        claims = self.identity.claims
        body = ChallengeBody(
            kid=claims.kid,
            licence=claims.licence,
            instance_key=self.identity.public,
            build=claims.build,
            counter=instance.counter + 1,
            nonce=os.urandom(16),
            minute=now // MINUTE,
            reason=self._reason(instance),
        )
        return seal(body, self.identity.keys)

    def _reason(self, instance: Instance) -> Reason:
        """Why a code is asked for now, for the people at the vendor."""
        if instance.slots and all(slot.state is SlotState.RELEASED for slot in instance.slots):
            return Reason.PROJECT_MIGRATION
        if instance.slots or instance.state is State.REAUTHENTICATE:
            return Reason.REAUTHENTICATION
        return Reason.COMPONENT_MIGRATION if self.identity.claims.supersedes else Reason.FIRST

    def _happen(self, event: Event, now: Millis) -> Answer:
        with self.store.change() as change:
            return self.apply(change, event, now)

    def apply(self, change: Change, event: Event, now: Millis) -> Answer:
        """Let the event happen inside a transaction that the caller holds."""
        before = change.instance
        outcome = serve(before, event, now)
        change.save(outcome.after)
        _tell(before, outcome.after, event, outcome.answer, outcome.rule)
        return outcome.answer


ORDINARY = (Answer.DONE, Answer.OK, Answer.CHARGED)


def _tell(before: Instance, after: Instance, event: Event, answer: Answer, rule: str) -> None:
    """Into the log: what changed, and what was refused. Never a code, a nonce or a key."""
    if answer not in ORDINARY:
        log.info("%s: %s (%s)", type(event).__name__, answer, rule)
    if after.state is not before.state:
        log.info("%s -> %s", before.state, after.state)
    for slot in set(after.slots) - set(before.slots):
        earlier = before.slot(slot.project, slot.node)
        if earlier is None or earlier.state is not slot.state:
            log.info("slot %s/%s: %s%s", slot.name, slot.node, slot.state, f" ({slot.reason})" if slot.reason else "")
