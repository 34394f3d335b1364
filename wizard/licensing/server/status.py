"""What the API says of the instance. All times relative, in milliseconds, so that nobody compares two clocks."""

from wizard.licensing.protocol.api import PROTOCOL
from wizard.licensing.rules.instance import Instance, Slot
from wizard.licensing.rules.limits import QR_VALID, TOLERATED, Millis
from wizard.licensing.server.authorization import Authorization

Json = dict[str, object]


def status(authorization: Authorization, now: Millis) -> Json:
    """The document that `GET status` answers, and that comes with every answer to a person's action."""
    return describe(authorization, authorization.look(now), now)


def describe(authorization: Authorization, instance: Instance, now: Millis) -> Json:
    """The same of an instance that was looked at already."""
    claims = authorization.identity.claims
    lock = instance.lock
    return {
        "protocol": PROTOCOL,
        "instance": authorization.identity.public.hex(),
        "state": instance.state.value,
        "company": claims.company,
        "project": claims.project,
        "challenge": challenge(authorization, instance, now),
        "tries_left": tries_left(instance),
        "locked_ms": lock.until - now if lock.until is not None and lock.holds(now) else None,
        "registrations": claims.registrations,
        "slots": [_slot(slot, now) for slot in instance.slots],
    }


def tries_left(instance: Instance) -> int:
    """How many more codes are looked at; the last of them locks if it is wrong (R6)."""
    return max(0, TOLERATED + 1 - instance.lock.wrong)


def challenge(authorization: Authorization, instance: Instance, now: Millis) -> Json | None:
    """The open challenge; None when there is none, when it is too old, and while it is locked: then no QR is shown."""
    current = instance.challenge
    if current is None or current.remaining(now) < 0 or instance.lock.holds(now):
        return None
    url = authorization.url(current.id)
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
        "registered_ms": now - slot.registered,
        "last_request_ms": None if slot.last is None else now - slot.last,
    }
