"""What is remembered, and for how long: slots that are not held, inputs over damage, and when it was alive."""

from dataclasses import replace

import pytest

from tests.licensing.test_rules import CHALLENGE, T, instance, lock, register, request, slot
from wizard.licensing.rules.events import Answer, Boot, Charge, Damage, Deauthorize, Event, Judge, Request, Tick
from wizard.licensing.rules.instance import Asker, Entry, Instance, Lock, Slot, SlotState, State
from wizard.licensing.rules.limits import BLOCKING_TOTAL, DAY, LOCK, MINUTE, REMEMBERED, Millis
from wizard.licensing.rules.server import serve, settle

MANY = REMEMBERED + 50


def over(number: int, *, last: Millis | None = None) -> Slot:
    """A slot that is not held; the higher the number, the later it was heard of."""
    state = SlotState.FAILED if number % 2 else SlotState.RELEASED
    return slot(state, project=f"s{number:04}", last=T + number if last is None else last)


def after_registering(*slots: Slot) -> Instance:
    """Another project registers. None of these slots is silent by then."""
    outcome = serve(instance(State.ACTIVE, *slots, maximum=2 * MANY), register(project="new"), T + MINUTE)
    assert outcome.answer is Answer.REGISTERED
    return outcome.after


@pytest.mark.parametrize(
    ("so_many", "forgotten"), [(REMEMBERED - 1, 0), (REMEMBERED, 0), (REMEMBERED + 1, 1), (MANY, 50)]
)
def test_of_slots_that_are_not_held_the_newest_hundred_are_remembered(so_many: int, forgotten: int) -> None:
    slots = [over(number) for number in range(so_many)]
    remembered = after_registering(*slots[::-1]).slots
    assert remembered.keys() - {("new", "a")} == {each.key for each in slots[forgotten:]}


def test_how_old_a_slot_is_depends_on_when_it_was_heard_of_and_not_on_when_it_registered() -> None:
    early = [replace(over(number, last=T + MANY + number), registered=T - DAY) for number in range(10)]
    late = [over(number) for number in range(10, MANY)]
    remembered = after_registering(*early, *late).slots
    assert {each.key for each in early} <= remembered.keys()
    assert late[0].key not in remembered


@pytest.mark.parametrize("state", [SlotState.LIVE, SlotState.AWAITING])
def test_a_slot_that_is_held_is_never_forgotten(state: SlotState) -> None:
    held = [slot(state, node=f"n{number}", last=T - MINUTE) for number in range(MANY)]
    waiting = instance(State.WINDOW, *held, *(over(number) for number in range(MANY)), maximum=2 * MANY)
    remembered = serve(waiting, register(project="new"), T + MINUTE).after.slots
    assert {each.key for each in held} <= remembered.keys()
    assert len(remembered) == MANY + REMEMBERED + 1


def test_a_stranger_who_registers_and_gives_up_in_a_loop_does_not_make_it_grow() -> None:
    before = instance(State.ACTIVE, slot(), maximum=3)
    for number in range(3 * REMEMBERED):
        before = serve(before, register("a", "b", project=f"s{number:04}"), T + number).after
        before = serve(before, Deauthorize(f"s{number:04}"), T + number).after
        assert len(before.slots) <= REMEMBERED + before.maximum
    assert before.state is State.ACTIVE
    assert serve(before, request(), T + MINUTE).answer is Answer.OK


@pytest.mark.parametrize("event", [Tick(), Request("s0000", "a", True), Deauthorize("p"), Damage(), Boot(2)], ids=str)
def test_only_a_registration_forgets_for_nothing_else_adds_slots(event: Event) -> None:
    before = instance(State.ACTIVE, slot(), *(over(number) for number in range(MANY)))
    assert serve(before, event, T + MINUTE).after.slots.keys() == before.slots.keys()


def test_a_slot_that_registers_again_is_held_and_so_counts_no_more() -> None:
    slots = [over(number) for number in range(REMEMBERED + 1)]
    before = instance(State.ACTIVE, *slots, maximum=MANY)
    remembered = serve(before, register(project=slots[-1].project), T + MINUTE).after.slots
    assert remembered.keys() == before.slots.keys()


@pytest.mark.parametrize("event", [Request("s0000", "a", True), Deauthorize("s0000")], ids=str)
def test_a_project_that_is_forgotten_is_told_what_a_failed_one_is(event: Event) -> None:
    failed = instance(State.ACTIVE, slot(SlotState.FAILED, project="s0000"))
    forgotten = after_registering(*(over(number) for number in range(MANY)))
    assert ("s0000", "a") not in forgotten.slots
    assert serve(forgotten, event, T + MINUTE).answer is serve(failed, event, T + MINUTE).answer is Answer.UNKNOWN


def guessed(wrong: int, total: int, until: Millis | None = None) -> Instance:
    entry = Entry(lock=Lock(wrong=wrong, total=total, until=until), challenge=CHALLENGE, consumed="c0")
    return instance(State.UNAUTHENTICATED).with_entry(Asker.ADMIN, entry)


def test_damage_does_not_forget_a_block_of_24_hours() -> None:
    blocked = guessed(6, BLOCKING_TOTAL, until=T + DAY)
    damaged = serve(blocked, Damage(), T + 1).after
    assert damaged.entry(Asker.ADMIN) == Entry(lock=lock(blocked, Asker.ADMIN), consumed="c0")
    assert damaged.entry(Asker.ANONYMOUS) == Entry(lock=Lock(until=T + 1 + LOCK))
    assert lock(settle(damaged, T + DAY - 1), Asker.ADMIN).holds(T + DAY - 1)
    assert lock(settle(damaged, T + DAY), Asker.ADMIN) == Lock()


@pytest.mark.parametrize(
    ("until", "locked_until"),
    [(None, T + LOCK), (T + LOCK - 1, T + LOCK), (T + LOCK, T + LOCK), (T + LOCK + 1, T + LOCK + 1)],
)
def test_damage_locks_for_15_minutes_or_for_as_long_as_it_was_locked_anyway(
    until: Millis | None, locked_until: Millis
) -> None:
    damaged = serve(guessed(3, 9, until=until), Damage(), T).after
    assert lock(damaged, Asker.ADMIN) == Lock(wrong=3, total=9, until=locked_until)
    assert lock(settle(damaged, locked_until), Asker.ADMIN) == Lock(total=9)


def test_the_total_goes_on_after_damage() -> None:
    damaged = serve(guessed(5, BLOCKING_TOTAL - 1), Damage(), T).after
    opened = damaged.with_entry(Asker.ADMIN, replace(damaged.entry(Asker.ADMIN), challenge=CHALLENGE))
    charged = serve(opened, Charge("c1", Asker.ADMIN), T + LOCK - 1)
    assert charged.answer is Answer.LOCKED
    again = replace(CHALLENGE, created=T + LOCK)
    opened = charged.after.with_entry(Asker.ADMIN, replace(charged.after.entry(Asker.ADMIN), challenge=again))
    blocked = serve(opened, Charge("c1", Asker.ADMIN), T + LOCK).after
    assert lock(blocked, Asker.ADMIN) == Lock(wrong=1, total=BLOCKING_TOTAL, until=T + LOCK + DAY)


def test_a_verdict_that_comes_late_does_not_take_back_when_it_was_alive() -> None:
    """Its moment is when the digits came in; the minute's tick has been written since."""
    charged = serve(instance(State.ACTIVE, slot()), Charge("c1"), T).after
    ticked = serve(charged, Tick(), T + 3 * MINUTE).after
    judged = serve(ticked, Judge("c1", False), T).after
    assert judged.alive == T + 3 * MINUTE
    # Else what a crash attests would begin before it; and a stop of a day would be one of more than a day.
    assert serve(judged, Boot(2), T + 4 * MINUTE + DAY).after.state is State.WINDOW
    assert serve(judged, Boot(2), T + 4 * MINUTE + DAY + 1).after.state is State.REAUTHENTICATE
