"""The authorization application without its HTTP: the rules of `wizard.licensing.rules`, made durable.

Each method is one moment, `now`, in milliseconds since 1970. What it returns is on the disk.
"""

import hmac
import logging
import os
import re
from enum import StrEnum
from threading import Lock

from wizard.licensing.protocol.messages import Message, Retirement, seal_message
from wizard.licensing.protocol.qr import ChallengeBody, Reason, challenge_id, code, seal, to_url
from wizard.licensing.rules.events import Answer, Boot, Charge, Damage, Event, Judge, NewChallenge, Retire, Stop, Tick
from wizard.licensing.rules.instance import Asker, Instance, SlotState, State
from wizard.licensing.rules.limits import MINUTE, Millis
from wizard.licensing.rules.server import serve, settle
from wizard.licensing.server.desk import Change
from wizard.licensing.server.identity import Identity
from wizard.licensing.server.rows import Damaged
from wizard.licensing.server.store import Store

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
        self._ending = Lock()

    def boot(self, now: Millis) -> None:
        """The process has started. What that costs depends on how long it was down (R7, R10).

        It opens the store, and nothing else may have been asked before. Storage that was damaged, or is gone, is put
        aside; then the instance must be authenticated again.
        """
        self._open(now)
        self._happen(Boot(self.identity.claims.registrations), now)
        if self._stated() is not None:
            self._happen(Retire(), now)
        if self.store.load().state is State.RETIRED:
            self._state_the_end(now)
        else:
            self.identity.publish(None)

    def resume(self, now: Millis) -> None:
        """The process goes on after it was held. That is a restart, of an instance that has lost nothing (R10)."""
        self._happen(Boot(self.identity.claims.registrations), now)

    def tick(self, now: Millis) -> None:
        """To be called each minute: what is due happens, and the time alive is written.

        Damaged when the store is not as it was written. That ends this process: the next boot puts it right.
        """
        self.store.verify()
        self._happen(Tick(), now)

    def stop(self, now: Millis) -> None:
        """A clean stop, so that the next boot knows exactly how long it was down."""
        self._happen(Stop(), now)

    def retire(self, now: Millis) -> Message:
        """The end of this instance (R13): the signed statement of it, which is in privateConfig too."""
        self._happen(Retire(), now)
        return self._state_the_end(now)

    def look(self, now: Millis) -> Instance:
        """The instance as it stands; nothing is written."""
        return settle(self.store.load(), now)

    def url(self, challenge: str, asker: Asker) -> str | None:
        """The address in the QR of that challenge, while it is this asker's newest."""
        qr = self.store.qr(asker, challenge)
        return to_url(self.identity.claims.activation, qr) if qr else None

    def challenge(self, now: Millis, asker: Asker = Asker.ANONYMOUS) -> Instance:
        """Open a new challenge; the older one is dead. Refused while it is locked, and once it is retired.

        The counter and the challenge are on the disk before anybody sees a QR.
        """
        with self.store.change() as change:
            qr = self._seal(settle(change.instance, now), now)
            id = challenge_id(qr)
            answer = self.apply(change, NewChallenge(id, asker), now)
            if answer is not Answer.DONE:
                raise Refused(answer)
            change.keep_qr(asker, id, qr)
            return change.instance

    def enter(self, challenge: str, digits: str, now: Millis, asker: Asker = Asker.ANONYMOUS) -> Judgement:
        """Enter the six digits for that challenge.

        The input is charged, durably, before it is looked at: however many come at once, and whatever crashes in
        between, none is evaluated that was not counted.
        """
        if not is_code(digits):
            return Judgement.MALFORMED
        answer = self._happen(Charge(challenge, asker), now)
        if answer is Answer.CHARGED:
            answer = self._happen(Judge(challenge, self._is_right(challenge, digits, asker), asker), now)
        return Judgement(answer.value.lower())

    def _open(self, now: Millis) -> None:
        if not self.store.exists and not self.identity.is_known:
            self.store.make(Instance())
        try:
            if not self.store.exists:
                raise Damaged("The database is gone.")
            self.store.verify()
        except Damaged as error:
            log.error("The storage is damaged: %s It begins anew, and must be authenticated again.", error)
            salvaged = self.store.salvage() if self.store.exists else Instance()
            self.store.make(serve(salvaged, Damage(), now).after)
            self.store.verify()

    def _stated(self) -> Message | None:
        """The statement of retirement in privateConfig."""
        config = self.identity.private_config()
        return config.retirement if config is not None else None

    def _state_the_end(self, now: Millis) -> Message:
        """The statement, made once, and kept in privateConfig. Of those who ask at once all get the same one."""
        body = Retirement(
            instance=self.identity.public.hex(),
            licence=self.identity.claims.licence,
            counter=self.store.load().counter,
            retired=now,
        )
        with self._ending:
            statement = self._stated() or seal_message(body, self.identity.signing)
            self.identity.publish(statement)
        return statement

    def _is_right(self, challenge: str, digits: str, asker: Asker) -> bool:
        qr = self.store.qr(asker, challenge)
        return qr is not None and hmac.compare_digest(code(self.identity.keys, qr), digits)

    def _seal(self, instance: Instance, now: Millis) -> bytes:
        claims, mark = self.identity.claims, self.store.mark
        body = ChallengeBody(
            kid=claims.kid,
            licence=claims.licence,
            instance_key=self.identity.public,
            build=claims.build,
            counter=instance.counter + 1,
            nonce=os.urandom(16),
            minute=(mark.utc(now) if mark else now) // MINUTE,
            reason=self._reason(instance),
        )
        return seal(body, self.identity.keys)

    def _reason(self, instance: Instance) -> Reason:
        """Why a code is asked for now, for the people at the vendor."""
        if instance.slots and all(slot.state is SlotState.RELEASED for slot in instance.slots.values()):
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


def is_code(digits: str) -> bool:
    """Whether it is six digits; anything else is no input (R6)."""
    return re.fullmatch("[0-9]{6}", digits) is not None


ORDINARY = (Answer.DONE, Answer.OK, Answer.CHARGED)


def _tell(before: Instance, after: Instance, event: Event, answer: Answer, rule: str) -> None:
    """Into the log: what changed, and what was refused. Never a code, a nonce or a key."""
    if answer not in ORDINARY:
        log.info("%s: %s (%s)", type(event).__name__, answer, rule)
    if after.state is not before.state:
        log.info("%s -> %s", before.state, after.state)
    for slot in after.slots_since(before):
        earlier = before.slots.get(slot.key)
        if earlier is None or earlier.state is not slot.state:
            log.info("slot %s/%s: %s%s", slot.name, slot.node, slot.state, f" ({slot.reason})" if slot.reason else "")
