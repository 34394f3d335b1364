"""What the API says of the instance. All times relative, in milliseconds, so that nobody compares two clocks."""

from wizard.licensing.protocol.api import PROTOCOL
from wizard.licensing.rules.instance import Asker, Entry, Instance, Slot
from wizard.licensing.rules.limits import QR_VALID, TOLERATED, Millis
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.refusals import Json


def describe(authorization: Authorization, instance: Instance, now: Millis, asker: Asker) -> Json:
    """The document that `GET status` answers, and that comes with every answer to a person's action.

    The challenge, the tries and the lock are those of that asker: each has its own.
    """
    claims = authorization.identity.claims
    entry = instance.entry(asker)
    return {
        "protocol": PROTOCOL,
        "instance": authorization.identity.public.hex(),
        "state": instance.state.value,
        "company": claims.company,
        "project": claims.project,
        "asker": asker.value,
        "challenge": challenge(authorization, instance, now, asker),
        "tries_left": tries_left(entry),
        "locked_ms": locked_ms(entry, now),
        "registrations": claims.registrations,
        "slots": [_slot(slot, now) for slot in instance.slots.values()],
        "clock": _clock(authorization.store.mark, now),
    }


def tries_left(entry: Entry) -> int:
    """How many more codes are looked at; the last of them locks if it is wrong (R6)."""
    return max(0, TOLERATED + 1 - entry.lock.wrong)


def locked_ms(entry: Entry, now: Millis) -> Millis | None:
    """For how long the entry is locked yet; None when it is open."""
    until = entry.lock.until
    return until - now if until is not None and entry.lock.holds(now) else None


def challenge(authorization: Authorization, instance: Instance, now: Millis, asker: Asker) -> Json | None:
    """The open challenge; None when there is none, when it is too old, and while it is locked: then no QR is shown."""
    entry = instance.entry(asker)
    current = entry.challenge
    if current is None or current.remaining(now) < 0 or entry.lock.holds(now):
        return None
    url = authorization.url(current.id, asker)
    if url is None:  # another one took its place just now
        return None
    return {
        "id": current.id,
        "url": url,
        "elapsed_ms": QR_VALID - current.remaining(now),
        "remaining_ms": current.remaining(now),
    }


def _slot(slot: Slot, now: Millis) -> Json:
    return {
        "project": slot.name,
        "node": slot.node,
        "state": slot.state.value,
        "reason": slot.reason.value if slot.reason else None,
        "registered_ms": now - slot.registered,
        "last_request_ms": None if slot.last is None else now - slot.last,
    }


def _clock(mark: Mark | None, now: Millis) -> Json:
    """The last anomaly of the host's clock, for as long as it is doubted. It extends and expires nothing."""
    if mark is None or mark.anomaly is None or not mark.shows_anomaly(now):
        return {"anomaly_ms_ago": None, "jump_ms": None}
    return {"anomaly_ms_ago": now - mark.anomaly, "jump_ms": mark.jump}
