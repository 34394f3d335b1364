"""The authorization application's machine. `SERVER` is the table of SPEC.md, section 3; `serve` applies it.

Where that table leaves a case open, it is decided here:

- A right code in ACTIVE or WINDOW resets the counts and changes nothing else: what is authenticated stays so.
- WINDOW lasts while a slot awaits its project. A project may register in it, for the authentication has stayed.
- A project whose slots have all failed has nothing to deauthorize: it is UNKNOWN, and the authentication stays.
- After the 24 h block both counts are 0, as after any lock the count of wrong inputs is.
- RECONNECTED is said again until the project shows that it arrived: a lapsed project heals by nothing else.
- The limits of R6 hold for each asker: a stranger at the page locks out strangers, not the admin (decision 0009).
- Damaged storage is as a shutdown of unknown length: R10 asks for a new scan. The counter goes on where none has been,
  and the entry is locked once, since nobody knows how many wrong inputs there were; what is known of them stays.
- A slot that is not held says no more than UNKNOWN to its project, so only the newest of them are remembered.
"""

from collections.abc import Iterator
from dataclasses import replace

from wizard.licensing.rules.events import (
    Answer,
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
from wizard.licensing.rules.instance import (
    Challenge,
    Entry,
    Failure,
    Instance,
    Slot,
    SlotState,
    State,
)
from wizard.licensing.rules.limits import DAY, RECONNECT, SECOND, Millis
from wizard.licensing.rules.machine import Outcome, Transition, fire, pick, unchanged

BOOTED = frozenset(State) - {State.NEW}
SERVING = BOOTED - {State.RETIRED}
REGISTERED = frozenset({State.ACTIVE, State.WINDOW})
AUTHENTICATED = REGISTERED | {State.VERIFIED}


def serve(instance: Instance, event: Event, now: Millis) -> Outcome[Instance, Answer]:
    """What the event leads to at `now`. Whatever is due by then happens first, except at boot: it was not running.

    `now` may be a moment ago, as that of a Judge is: then the instance has been alive since.
    """
    before = instance if isinstance(event, Boot) else settle(instance, now)
    outcome = fire(SERVER, before, event, now)
    after = replace(outcome.after, alive=max(instance.alive, now), clean=isinstance(event, Stop))
    return Outcome(after, outcome.answer, outcome.rule)


def settle(instance: Instance, now: Millis) -> Instance:
    """The instance after all that is due by `now`, and nothing else."""
    tick = Tick()
    while due := pick(DUE, instance, tick, now):
        instance = due.effect(instance, tick, now)
    return instance


# What is due.


def _lock_is_over(instance: Instance, event: Tick, now: Millis) -> bool:
    return any(entry.lock.is_over(now) for entry in instance.entries.values())


def _open_lock(instance: Instance, event: Tick, now: Millis) -> Instance:
    return instance.with_entries(
        lambda entry: replace(entry, lock=entry.lock.opened()) if entry.lock.is_over(now) else entry
    )


def _was_verified_too_long(instance: Instance, event: Tick, now: Millis) -> bool:
    return instance.verified is not None and now - instance.verified > DAY


def _forget_verification(instance: Instance, event: Tick, now: Millis) -> Instance:
    return replace(instance, state=State.UNAUTHENTICATED, verified=None)


def _window_is_over(instance: Instance, event: Tick, now: Millis) -> bool:
    return instance.window_end is not None and now > instance.window_end


def _fail_awaiting(instance: Instance, event: Tick, now: Millis) -> Instance:
    awaiting = (slot for slot in instance.slots.values() if slot.state is SlotState.AWAITING)
    return instance.with_slots(*(slot.failed(Failure.NOT_RECONNECTED) for slot in awaiting))


def _some_are_silent(instance: Instance, event: Tick, now: Millis) -> bool:
    return any(slot.is_silent(now) for slot in instance.slots.values())


def _fail_silent(instance: Instance, event: Tick, now: Millis) -> Instance:
    silent = (slot for slot in instance.slots.values() if slot.is_silent(now))
    return instance.with_slots(*(slot.failed(Failure.NO_REQUEST) for slot in silent))


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
    return after.with_slots(*(slot.awaiting() for slot in _held(instance)))


def _boot_too_late(instance: Instance, event: Boot, now: Millis) -> Instance:
    after = replace(_boot(instance, event, now), state=State.REAUTHENTICATE, window_end=None)
    return after.with_slots(*(slot.failed(Failure.DOWNTIME) for slot in _held(instance)))


def _held(instance: Instance) -> Iterator[Slot]:
    return (slot for slot in instance.slots.values() if slot.is_held)


def _distrust(instance: Instance, event: Damage, now: Millis) -> Instance:
    """No counter was ever as high as the seconds since 1970: challenges are not made that fast (`server.rate`)."""
    after = replace(
        instance,
        state=State.REAUTHENTICATE,
        counter=max(instance.counter, now // SECOND),
        verified=None,
        window_end=None,
    )
    after = after.with_entries(lambda entry: replace(entry, lock=entry.lock.doubted(now), challenge=None))
    return after.with_slots(*(slot.failed(Failure.DAMAGE) for slot in _held(instance)))


# Challenge and code.


def _is_locked(instance: Instance, event: NewChallenge | Charge | Judge, now: Millis) -> bool:
    return instance.entry(event.asker).lock.holds(now)


def _open_challenge(instance: Instance, event: NewChallenge, now: Millis) -> Instance:
    entry = replace(instance.entry(event.asker), challenge=Challenge(id=event.id, created=now))
    return replace(instance, counter=instance.counter + 1).with_entry(event.asker, entry)


def _is_consumed(instance: Instance, event: Charge | Judge, now: Millis) -> bool:
    return instance.entry(event.asker).consumed == event.challenge


def _is_superseded(instance: Instance, event: Charge | Judge, now: Millis) -> bool:
    return not instance.entry(event.asker).awaits(event.challenge)


def _is_expired(instance: Instance, event: Charge, now: Millis) -> bool:
    challenge = instance.entry(event.asker).challenge
    return challenge is not None and challenge.remaining(now) < 0


def _charge(instance: Instance, event: Charge, now: Millis) -> Instance:
    entry = instance.entry(event.asker)
    return instance.with_entry(event.asker, replace(entry, lock=entry.lock.charged(now)))


def _is_right(instance: Instance, event: Judge, now: Millis) -> bool:
    return event.right and not _is_superseded(instance, event, now)


def _accept(instance: Instance, event: Judge, now: Millis) -> Instance:
    after = instance.with_entry(event.asker, Entry(consumed=event.challenge))
    return after if after.state in REGISTERED else replace(after, state=State.VERIFIED, verified=now)


def _close_challenge(instance: Instance, event: Judge, now: Millis) -> Instance:
    return instance.with_entry(event.asker, replace(instance.entry(event.asker), challenge=None))


# Registrations.


def _is_free(instance: Instance, event: Register, now: Millis) -> bool:
    """Whether there is a slot for each node; those that the project holds for them already are its own."""
    others = sum(slot.key not in event.slots for slot in _held(instance))
    return others + len(event.nodes) <= instance.maximum


def _register(instance: Instance, event: Register, now: Millis) -> Instance:
    slots = (
        Slot(project=event.project, name=event.name, node=node, state=SlotState.LIVE, registered=now)
        for node in sorted(event.nodes)
    )
    return replace(instance, state=State.ACTIVE, verified=None).with_slots(*slots).without_oldest()


def _has_slot(state: SlotState, instance: Instance, event: Request) -> bool:
    slot = instance.slots.get(event.slot)
    return slot is not None and slot.state is state


def _is_awaited(instance: Instance, event: Request, now: Millis) -> bool:
    return _has_slot(SlotState.AWAITING, instance, event)


def _is_live(instance: Instance, event: Request, now: Millis) -> bool:
    return _has_slot(SlotState.LIVE, instance, event)


def _missed_the_healing(instance: Instance, event: Request, now: Millis) -> bool:
    slot = instance.slots.get(event.slot)
    return slot is not None and slot.healing and not event.acknowledges


def _reconnect(instance: Instance, event: Request, now: Millis) -> Instance:
    return instance.with_slots(instance.slots[event.slot].heard_at(now, healing=True))


def _beat(instance: Instance, event: Request, now: Millis) -> Instance:
    return instance.with_slots(instance.slots[event.slot].heard_at(now, healing=False))


def _holds_slots(instance: Instance, event: Deauthorize, now: Millis) -> bool:
    return any(slot.project == event.project for slot in _held(instance))


def _has_released(instance: Instance, event: Deauthorize, now: Millis) -> bool:
    mine = (slot for slot in instance.slots.values() if slot.project == event.project)
    return any(slot.state is SlotState.RELEASED for slot in mine)


def _release(instance: Instance, event: Deauthorize, now: Millis) -> Instance:
    mine = (slot for slot in _held(instance) if slot.project == event.project)
    after = instance.with_slots(*(slot.released() for slot in mine))
    return after if any(_held(after)) else replace(after, state=State.UNAUTHENTICATED)


def _retire(instance: Instance, event: Retire, now: Millis) -> Instance:
    after = replace(instance, state=State.RETIRED, verified=None, window_end=None)
    after = after.with_entries(lambda entry: replace(entry, challenge=None))
    return after.with_slots(*(slot.released() for slot in _held(after)))


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
    Row("R13", _RETIRED, Damage, unchanged, Answer.RETIRED),
    Row("R10", frozenset(State), Damage, _distrust, Answer.REAUTHENTICATE),
)
"""The rows in order: the first that fits is taken."""
