"""The authorization application's machine. `SERVER` is the table of SPEC.md, section 3; `serve` applies it.

Where that table leaves a case open, it is decided here:

- A right code in ACTIVE or WINDOW resets the counts and changes nothing else: what is authenticated stays so.
- WINDOW lasts while a slot awaits its project. A project may register in it, for the authentication has stayed.
- A project whose slots have all failed has nothing to deauthorize: it is UNKNOWN, and the authentication stays.
- After the 24 h block both counts are 0, as after any lock the count of wrong inputs is.
- RECONNECTED is said again until the project shows that it arrived: a lapsed project heals by nothing else.
"""

from dataclasses import replace

from wizard.licensing.rules.events import (
    Answer,
    Boot,
    Charge,
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
from wizard.licensing.rules.instance import Challenge, Failure, Instance, Lock, Slot, SlotState, State
from wizard.licensing.rules.limits import DAY, RECONNECT, Millis
from wizard.licensing.rules.machine import Outcome, Transition, fire, unchanged

BOOTED = frozenset(State) - {State.NEW}
SERVING = BOOTED - {State.RETIRED}
REGISTERED = frozenset({State.ACTIVE, State.WINDOW})
AUTHENTICATED = REGISTERED | {State.VERIFIED}


def serve(instance: Instance, event: Event, now: Millis) -> Outcome[Instance, Answer]:
    """What the event leads to at `now`. Whatever is due by then happens first, except at boot: it was not running."""
    before = instance if isinstance(event, Boot) else settle(instance, now)
    outcome = fire(SERVER, before, event, now)
    return replace(outcome, after=replace(outcome.after, alive=now, clean=isinstance(event, Stop)))


def settle(instance: Instance, now: Millis) -> Instance:
    """The instance after all that is due by `now`, and nothing else."""
    while due := next((row for row in DUE if row.fits(instance, Tick(), now)), None):
        instance = due.effect(instance, Tick(), now)
    return instance


# What is due.


def _lock_is_over(instance: Instance, event: Tick, now: Millis) -> bool:
    return instance.lock.until is not None and not instance.lock.holds(now)


def _open_lock(instance: Instance, event: Tick, now: Millis) -> Instance:
    return replace(instance, lock=instance.lock.opened())


def _was_verified_too_long(instance: Instance, event: Tick, now: Millis) -> bool:
    return instance.verified is not None and now - instance.verified > DAY


def _forget_verification(instance: Instance, event: Tick, now: Millis) -> Instance:
    return replace(instance, state=State.UNAUTHENTICATED, verified=None)


def _window_is_over(instance: Instance, event: Tick, now: Millis) -> bool:
    return instance.window_end is not None and now > instance.window_end


def _fail_awaiting(instance: Instance, event: Tick, now: Millis) -> Instance:
    return instance.with_slots(
        lambda slot: slot.failed(Failure.NOT_RECONNECTED) if slot.state is SlotState.AWAITING else slot
    )


def _some_are_silent(instance: Instance, event: Tick, now: Millis) -> bool:
    return any(slot.is_silent(now) for slot in instance.slots)


def _fail_silent(instance: Instance, event: Tick, now: Millis) -> Instance:
    return instance.with_slots(lambda slot: slot.failed(Failure.NO_REQUEST) if slot.is_silent(now) else slot)


# Boot.


def _come_into_being(instance: Instance, event: Boot, now: Millis) -> Instance:
    return replace(instance, state=State.UNAUTHENTICATED, maximum=event.maximum, started=now)


def _boot(instance: Instance, event: Boot, now: Millis) -> Instance:
    return replace(instance, maximum=event.maximum, stopped=now - instance.down(now), started=now)


def _boot_unverified(instance: Instance, event: Boot, now: Millis) -> Instance:
    return replace(_boot(instance, event, now), state=State.UNAUTHENTICATED, verified=None)


def _was_down_briefly(instance: Instance, event: Boot, now: Millis) -> bool:
    return instance.down(now) <= DAY


def _boot_in_time(instance: Instance, event: Boot, now: Millis) -> Instance:
    after = replace(_boot(instance, event, now), window_end=now + RECONNECT)
    return after.with_slots(
        lambda slot: replace(slot, state=SlotState.AWAITING, healing=False) if slot.is_held else slot
    )


def _boot_too_late(instance: Instance, event: Boot, now: Millis) -> Instance:
    after = replace(_boot(instance, event, now), state=State.REAUTHENTICATE, window_end=None)
    return after.with_slots(lambda slot: slot.failed(Failure.DOWNTIME) if slot.is_held else slot)


# Challenge and code.


def _is_locked(instance: Instance, event: object, now: Millis) -> bool:
    return instance.lock.holds(now)


def _open_challenge(instance: Instance, event: NewChallenge, now: Millis) -> Instance:
    return replace(instance, counter=instance.counter + 1, challenge=Challenge(id=event.id, created=now))


def _is_consumed(instance: Instance, event: Charge | Judge, now: Millis) -> bool:
    return instance.consumed == event.challenge


def _is_superseded(instance: Instance, event: Charge | Judge, now: Millis) -> bool:
    return instance.challenge is None or instance.challenge.id != event.challenge


def _is_expired(instance: Instance, event: Charge, now: Millis) -> bool:
    return instance.challenge is not None and instance.challenge.remaining(now) < 0


def _charge(instance: Instance, event: Charge, now: Millis) -> Instance:
    return replace(instance, lock=instance.lock.charged(now))


def _is_right(instance: Instance, event: Judge, now: Millis) -> bool:
    return event.right and not _is_superseded(instance, event, now)


def _accept(instance: Instance, event: Judge, now: Millis) -> Instance:
    after = replace(instance, lock=Lock(), challenge=None, consumed=event.challenge)
    return after if after.state in REGISTERED else replace(after, state=State.VERIFIED, verified=now)


def _close_challenge(instance: Instance, event: Judge, now: Millis) -> Instance:
    return replace(instance, challenge=None)


# Registrations.


def _is_free(instance: Instance, event: Register, now: Millis) -> bool:
    """Whether there is a slot for each node; those that the project holds for them already are its own."""
    others = sum(slot.is_held and not event.means(slot.project, slot.node) for slot in instance.slots)
    return others + len(event.nodes) <= instance.maximum


def _register(instance: Instance, event: Register, now: Millis) -> Instance:
    others = tuple(slot for slot in instance.slots if not event.means(slot.project, slot.node))
    mine = tuple(
        Slot(project=event.project, name=event.name, node=node, state=SlotState.LIVE, registered=now)
        for node in sorted(event.nodes)
    )
    after = replace(instance, state=State.ACTIVE, verified=None, slots=others + mine)
    return after.with_slots(lambda slot: slot)


def _has_slot(state: SlotState, instance: Instance, event: Request) -> bool:
    slot = instance.slot(event.project, event.node)
    return slot is not None and slot.state is state


def _is_awaited(instance: Instance, event: Request, now: Millis) -> bool:
    return _has_slot(SlotState.AWAITING, instance, event)


def _is_live(instance: Instance, event: Request, now: Millis) -> bool:
    return _has_slot(SlotState.LIVE, instance, event)


def _missed_the_healing(instance: Instance, event: Request, now: Millis) -> bool:
    slot = instance.slot(event.project, event.node)
    return slot is not None and slot.healing and not event.acknowledges


def _hear(instance: Instance, event: Request, now: Millis, *, healing: bool) -> Instance:
    return instance.with_slots(
        lambda slot: (
            replace(slot, state=SlotState.LIVE, last=now, healing=healing)
            if (slot.project, slot.node) == (event.project, event.node)
            else slot
        )
    )


def _reconnect(instance: Instance, event: Request, now: Millis) -> Instance:
    return _hear(instance, event, now, healing=True)


def _beat(instance: Instance, event: Request, now: Millis) -> Instance:
    return _hear(instance, event, now, healing=False)


def _holds_slots(instance: Instance, event: Deauthorize, now: Millis) -> bool:
    return any(slot.is_held and slot.project == event.project for slot in instance.slots)


def _has_released(instance: Instance, event: Deauthorize, now: Millis) -> bool:
    return any(slot.state is SlotState.RELEASED and slot.project == event.project for slot in instance.slots)


def _release(instance: Instance, event: Deauthorize, now: Millis) -> Instance:
    after = instance.with_slots(lambda slot: slot.released() if slot.project == event.project else slot)
    return after if any(slot.is_held for slot in after.slots) else replace(after, state=State.UNAUTHENTICATED)


def _retire(instance: Instance, event: Retire, now: Millis) -> Instance:
    after = replace(instance, state=State.RETIRED, challenge=None, verified=None, window_end=None)
    return after.with_slots(Slot.released)


Row = Transition[Instance, Answer]
_VERIFIED, _RETIRED = frozenset({State.VERIFIED}), frozenset({State.RETIRED})

DUE = (
    Row("R6", BOOTED, Tick, _open_lock, Answer.DONE, _lock_is_over),
    Row("R7", _VERIFIED, Tick, _forget_verification, Answer.DONE, _was_verified_too_long),
    Row("R10", REGISTERED, Tick, _fail_awaiting, Answer.DONE, _window_is_over),
    Row("R11", REGISTERED, Tick, _fail_silent, Answer.DONE, _some_are_silent),
)
"""What happens by itself. Each row takes away its own guard, so that `settle` comes to an end."""

SERVER = (
    Row("R5", frozenset({State.NEW}), Boot, _come_into_being, Answer.DONE),
    Row("R7", _VERIFIED, Boot, _boot_unverified, Answer.DONE),
    Row("R10", REGISTERED, Boot, _boot_in_time, Answer.DONE, _was_down_briefly),
    Row("R10", REGISTERED, Boot, _boot_too_late, Answer.DONE),
    Row("R6", BOOTED, Boot, _boot, Answer.DONE),
    Row("R10", BOOTED, Stop, unchanged, Answer.DONE),
    Row("R11", BOOTED, Tick, unchanged, Answer.DONE),
    Row("R13", _RETIRED, NewChallenge, unchanged, Answer.RETIRED),
    Row("R6", SERVING, NewChallenge, unchanged, Answer.LOCKED, _is_locked),
    Row("R6", SERVING, NewChallenge, _open_challenge, Answer.DONE),
    Row("R13", _RETIRED, Charge, unchanged, Answer.RETIRED),
    Row("R6", SERVING, Charge, unchanged, Answer.LOCKED, _is_locked),
    Row("R6", SERVING, Charge, unchanged, Answer.CONSUMED, _is_consumed),
    Row("R6", SERVING, Charge, unchanged, Answer.SUPERSEDED, _is_superseded),
    Row("R6", SERVING, Charge, unchanged, Answer.EXPIRED, _is_expired),
    Row("R6", SERVING, Charge, _charge, Answer.CHARGED),
    Row("R13", _RETIRED, Judge, unchanged, Answer.RETIRED),
    Row("R6", SERVING, Judge, _accept, Answer.ACCEPTED, _is_right),
    Row("R6", SERVING, Judge, unchanged, Answer.CONSUMED, _is_consumed),
    Row("R6", SERVING, Judge, _close_challenge, Answer.LOCKED, _is_locked),
    Row("R6", SERVING, Judge, unchanged, Answer.SUPERSEDED, _is_superseded),
    Row("R6", SERVING, Judge, unchanged, Answer.WRONG),
    Row("R8", AUTHENTICATED, Register, _register, Answer.REGISTERED, _is_free),
    Row("R8", AUTHENTICATED, Register, unchanged, Answer.FULL),
    Row("R13", _RETIRED, Register, unchanged, Answer.RETIRED),
    Row("R7", SERVING, Register, unchanged, Answer.NOT_AUTHENTICATED),
    Row("R10", frozenset({State.REAUTHENTICATE}), Request, unchanged, Answer.REAUTHENTICATE),
    Row("R10", REGISTERED, Request, _reconnect, Answer.RECONNECTED, _is_awaited),
    Row("R10", REGISTERED, Request, _reconnect, Answer.RECONNECTED, _missed_the_healing),
    Row("R9", REGISTERED, Request, _beat, Answer.OK, _is_live),
    Row("R11", BOOTED, Request, unchanged, Answer.UNKNOWN),
    Row("R12", REGISTERED, Deauthorize, _release, Answer.RELEASED, _holds_slots),
    Row("R12", BOOTED, Deauthorize, unchanged, Answer.RELEASED, _has_released),
    Row("R12", BOOTED, Deauthorize, unchanged, Answer.UNKNOWN),
    Row("R13", BOOTED, Retire, _retire, Answer.RETIRED),
)
"""The rows in order: the first that fits is taken."""
