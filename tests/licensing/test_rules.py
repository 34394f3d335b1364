"""The two machines, purely. Boundaries one millisecond to either side (R14)."""

from dataclasses import replace

import pytest

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
from wizard.licensing.rules.instance import Asker, Challenge, Entry, Failure, Instance, Lock, Slot, SlotState, State
from wizard.licensing.rules.limits import DAY, LOCK, MINUTE, QR_VALID, RECONNECT, Millis
from wizard.licensing.rules.machine import NoTransition
from wizard.licensing.rules.project import (
    PROJECT,
)
from wizard.licensing.rules.server import BOOTED, SERVER, serve, settle

T: Millis = 1_800_000_000_000
CHALLENGE = Challenge(id="c1", created=T)


def slot(state: SlotState = SlotState.LIVE, *, node: str = "a", project: str = "p", last: Millis | None = T) -> Slot:
    return Slot(project=project, name="Project", node=node, state=state, registered=T, last=last)


def instance(state: State, *slots: Slot, maximum: int = 2) -> Instance:
    return Instance(
        state=state,
        maximum=maximum,
        alive=T,
        clean=True,
        slots={each.key: each for each in slots},
        entries={asker: Entry(challenge=CHALLENGE) for asker in Asker},
        verified=T if state is State.VERIFIED else None,
        window_end=T + RECONNECT if state is State.WINDOW else None,
        stopped=T - MINUTE,
        started=T,
    )


def register(*nodes: str, project: str = "p") -> Register:
    return Register(project, "Project", frozenset(nodes or ("a",)))


def request(*, acknowledges: bool = True) -> Request:
    return Request("p", "a", acknowledges)


EVENTS: tuple[Event, ...] = (
    Boot(2),
    Tick(),
    Stop(),
    NewChallenge("c2"),
    Charge("c1"),
    Judge("c1", True),
    Judge("c1", False),
    register(),
    request(),
    Deauthorize("p"),
    Retire(),
    Damage(),
)


def lock(instance: Instance, asker: Asker = Asker.ANONYMOUS) -> Lock:
    return instance.entry(asker).lock


def challenge(instance: Instance, asker: Asker = Asker.ANONYMOUS) -> Challenge | None:
    return instance.entry(asker).challenge


def only_slot(instance: Instance) -> Slot:
    (only,) = instance.slots.values()
    return only


@pytest.mark.parametrize("state", sorted(BOOTED))
@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_every_event_has_an_answer_in_every_state(state: State, event: Event) -> None:
    for slots in ((), (slot(),), (slot(SlotState.AWAITING),), (slot(SlotState.FAILED),), (slot(SlotState.RELEASED),)):
        outcome = serve(instance(state, *slots), event, T + 1)
        assert outcome.rule.startswith("R")
        assert outcome.after.alive == T + 1


def test_before_its_first_boot_nothing_else_can_happen() -> None:
    with pytest.raises(NoTransition):
        serve(Instance(), Tick(), T)


def test_the_first_boot_makes_an_unauthenticated_instance() -> None:
    born = serve(Instance(), Boot(3), T).after
    assert (born.state, born.maximum, born.counter, challenge(born)) == (State.UNAUTHENTICATED, 3, 0, None)


def test_every_row_names_its_rule() -> None:
    assert all(row.rule in {f"R{number}" for number in range(5, 14)} for row in (*SERVER, *PROJECT))


def test_a_new_challenge_raises_the_counter_and_kills_the_older_one() -> None:
    outcome = serve(instance(State.UNAUTHENTICATED), NewChallenge("c2"), T + 1)
    assert (outcome.after.counter, challenge(outcome.after)) == (1, Challenge(id="c2", created=T + 1))
    assert serve(outcome.after, Charge("c1"), T + 2).answer is Answer.SUPERSEDED


@pytest.mark.parametrize(("elapsed", "answer"), [(QR_VALID, Answer.CHARGED), (QR_VALID + 1, Answer.EXPIRED)])
def test_a_code_is_in_time_for_five_minutes(elapsed: Millis, answer: Answer) -> None:
    outcome = serve(instance(State.UNAUTHENTICATED), Charge("c1"), T + elapsed)
    assert outcome.answer is answer
    assert lock(outcome.after).wrong == (answer is Answer.CHARGED)


def guess(before: Instance, times: int, now: Millis = T) -> tuple[Instance, Answer]:
    answer = Answer.DONE
    for _ in range(times):
        charged = serve(before, Charge("c1"), now)
        outcome = serve(charged.after, Judge("c1", False), now) if charged.answer is Answer.CHARGED else charged
        before, answer = outcome.after, outcome.answer
    return before, answer


def test_the_fifth_wrong_code_warns_and_the_sixth_locks() -> None:
    assert guess(instance(State.UNAUTHENTICATED), 5)[1] is Answer.WRONG
    locked, answer = guess(instance(State.UNAUTHENTICATED), 6)
    assert answer is Answer.LOCKED
    assert (lock(locked), challenge(locked)) == (Lock(wrong=6, total=6, until=T + LOCK), None)


def test_the_sixth_code_is_accepted_when_it_is_right() -> None:
    charged = serve(guess(instance(State.UNAUTHENTICATED), 5)[0], Charge("c1"), T)
    outcome = serve(charged.after, Judge("c1", True), T)
    assert (outcome.answer, outcome.after.state, lock(outcome.after)) == (Answer.ACCEPTED, State.VERIFIED, Lock())


def test_the_lock_opens_at_900_000_with_no_count() -> None:
    locked, _ = guess(instance(State.UNAUTHENTICATED), 6)
    assert lock(settle(locked, T + LOCK - 1)).holds(T + LOCK - 1)
    assert lock(settle(locked, T + LOCK)) == Lock(total=6)


def test_thirty_wrong_codes_in_total_block_for_24_hours() -> None:
    before = instance(State.UNAUTHENTICATED).with_entry(
        Asker.ANONYMOUS, Entry(lock=Lock(wrong=5, total=29), challenge=CHALLENGE)
    )
    blocked, _ = guess(before, 1)
    assert lock(blocked).until == T + DAY
    assert lock(settle(blocked, T + DAY)) == Lock()


def test_a_stranger_who_guesses_locks_out_strangers_and_not_the_admin() -> None:
    locked, _ = guess(instance(State.UNAUTHENTICATED), 6)
    assert serve(locked, Charge("c1"), T).answer is Answer.LOCKED
    charged = serve(locked, Charge("c1", Asker.ADMIN), T)
    outcome = serve(charged.after, Judge("c1", True, Asker.ADMIN), T)
    assert (outcome.answer, outcome.after.state) == (Answer.ACCEPTED, State.VERIFIED)
    assert lock(outcome.after).until == T + LOCK


def test_a_refresh_of_a_stranger_does_not_void_the_challenge_of_the_admin_but_takes_a_counter() -> None:
    refreshed = serve(instance(State.UNAUTHENTICATED), NewChallenge("c2"), T).after
    assert (challenge(refreshed), challenge(refreshed, Asker.ADMIN)) == (Challenge(id="c2", created=T), CHALLENGE)
    admins = serve(refreshed, NewChallenge("c3", Asker.ADMIN), T).after
    assert (admins.counter, challenge(admins)) == (2, Challenge(id="c2", created=T))


@pytest.mark.parametrize("state", sorted(frozenset(State) - {State.RETIRED}))
def test_damaged_storage_asks_for_a_new_scan_fails_all_slots_and_locks_once(state: State) -> None:
    held = (slot(), slot(SlotState.AWAITING, node="b"))
    damaged = serve(replace(instance(state, *held), counter=7), Damage(), T).after
    assert damaged.state is State.REAUTHENTICATE
    assert {each.reason for each in damaged.slots.values()} == {Failure.DAMAGE}
    assert [damaged.entry(asker) for asker in Asker] == [Entry(lock=Lock(until=T + LOCK))] * 2
    assert serve(damaged, NewChallenge("c2"), T + LOCK).after.counter == T // 1000 + 1


def test_damage_never_takes_the_counter_back() -> None:
    assert serve(replace(instance(State.ACTIVE), counter=T), Damage(), T).after.counter == T


def test_what_is_retired_stays_so_when_its_storage_is_damaged() -> None:
    assert serve(instance(State.RETIRED), Damage(), T).after.state is State.RETIRED


def test_a_right_code_works_once() -> None:
    accepted = serve(serve(instance(State.UNAUTHENTICATED), Charge("c1"), T).after, Judge("c1", True), T).after
    assert serve(accepted, Charge("c1"), T).answer is Answer.CONSUMED
    assert serve(accepted, Judge("c1", True), T).answer is Answer.CONSUMED


@pytest.mark.parametrize("state", [State.ACTIVE, State.WINDOW])
def test_a_right_code_does_not_make_an_authenticated_instance_volatile(state: State) -> None:
    waiting = slot(SlotState.AWAITING if state is State.WINDOW else SlotState.LIVE)
    charged = serve(instance(state, waiting), Charge("c1"), T).after
    assert serve(charged, Judge("c1", True), T).after.state is state


@pytest.mark.parametrize(("elapsed", "state"), [(DAY, State.VERIFIED), (DAY + 1, State.UNAUTHENTICATED)])
def test_verified_lasts_a_day(elapsed: Millis, state: State) -> None:
    assert settle(instance(State.VERIFIED), T + elapsed).state is state


def test_verified_does_not_outlive_a_restart() -> None:
    assert serve(instance(State.VERIFIED), Boot(2), T + 1).after.state is State.UNAUTHENTICATED


def test_registering_is_all_or_nothing() -> None:
    verified = instance(State.VERIFIED, maximum=2)
    assert serve(verified, register("a", "b", "c"), T).answer is Answer.FULL
    outcome = serve(verified, register("a", "b"), T)
    assert (outcome.answer, outcome.after.state) == (Answer.REGISTERED, State.ACTIVE)
    assert serve(outcome.after, register("a", project="other"), T).answer is Answer.FULL


def test_a_project_that_registers_again_takes_its_own_slots() -> None:
    active = serve(instance(State.VERIFIED, maximum=1), register("a"), T).after
    outcome = serve(active, register("a"), T + 5)
    assert outcome.answer is Answer.REGISTERED
    assert [slot.registered for slot in outcome.after.slots.values()] == [T + 5]


@pytest.mark.parametrize("state", [State.UNAUTHENTICATED, State.REAUTHENTICATE])
def test_nothing_registers_without_authentication(state: State) -> None:
    assert serve(instance(state), register(), T).answer is Answer.NOT_AUTHENTICATED


@pytest.mark.parametrize(("silence", "state"), [(DAY, SlotState.LIVE), (DAY + 1, SlotState.FAILED)])
def test_a_slot_fails_after_more_than_a_day_of_silence(silence: Millis, state: SlotState) -> None:
    settled = settle(instance(State.ACTIVE, slot()), T + silence)
    assert (only_slot(settled).state, settled.state) == (state, State.ACTIVE)


def test_a_slot_that_never_beat_is_silent_since_it_registered() -> None:
    settled = settle(instance(State.ACTIVE, slot(last=None)), T + DAY + 1)
    assert only_slot(settled).reason is Failure.NO_REQUEST


@pytest.mark.parametrize(
    ("down", "state", "slot_state"),
    [(DAY, State.WINDOW, SlotState.AWAITING), (DAY + 1, State.REAUTHENTICATE, SlotState.FAILED)],
)
def test_a_stop_of_24_hours_keeps_and_one_millisecond_more_re_authenticates(
    down: Millis, state: State, slot_state: SlotState
) -> None:
    stopped = serve(instance(State.ACTIVE, slot()), Stop(), T).after
    booted = serve(stopped, Boot(2), T + down).after
    assert (booted.state, only_slot(booted).state) == (state, slot_state)


def test_a_crash_is_taken_for_a_stop_a_minute_after_the_last_sign_of_life() -> None:
    alive = serve(instance(State.ACTIVE, slot()), Tick(), T).after
    assert serve(alive, Boot(2), T + DAY + MINUTE).after.state is State.WINDOW
    assert serve(alive, Boot(2), T + DAY + MINUTE + 1).after.state is State.REAUTHENTICATE


def test_a_restart_without_slots_has_nobody_to_wait_for() -> None:
    assert serve(instance(State.ACTIVE, slot(SlotState.FAILED)), Boot(2), T + 1).after.state is State.ACTIVE


@pytest.mark.parametrize(("elapsed", "answer"), [(RECONNECT, Answer.RECONNECTED), (RECONNECT + 1, Answer.UNKNOWN)])
def test_a_reconnect_at_exactly_two_hours_counts(elapsed: Millis, answer: Answer) -> None:
    outcome = serve(instance(State.WINDOW, slot(SlotState.AWAITING)), request(), T + elapsed)
    assert (outcome.answer, outcome.after.state) == (answer, State.ACTIVE)


def test_the_window_stays_open_until_all_have_reconnected() -> None:
    waiting = instance(State.WINDOW, slot(SlotState.AWAITING), slot(SlotState.AWAITING, node="b"))
    first = serve(waiting, request(), T + 1).after
    assert first.state is State.WINDOW
    assert serve(first, Request("p", "b", True), T + 2).after.state is State.ACTIVE


def test_reconnected_is_said_until_it_has_arrived() -> None:
    waiting = instance(State.WINDOW, slot(SlotState.AWAITING))
    first = serve(waiting, request(acknowledges=False), T)
    second = serve(first.after, request(acknowledges=False), T + 1)
    third = serve(second.after, request(acknowledges=True), T + 2)
    fourth = serve(third.after, request(acknowledges=False), T + 3)
    assert [outcome.answer.value for outcome in (first, second, third, fourth)] == [
        "RECONNECTED",
        "RECONNECTED",
        "OK",
        "OK",
    ]


def test_a_restart_within_the_window_opens_it_anew() -> None:
    waiting = instance(State.WINDOW, slot(SlotState.AWAITING))
    booted = serve(serve(waiting, Stop(), T + RECONNECT).after, Boot(2), T + 2 * RECONNECT).after
    assert booted.window_end == T + 3 * RECONNECT


def test_a_failed_slot_is_unknown_until_it_registers_again() -> None:
    active = instance(State.ACTIVE, slot(SlotState.FAILED))
    assert serve(active, request(), T).answer is Answer.UNKNOWN
    again = serve(active, register(), T).after
    assert serve(again, request(), T).answer is Answer.OK


def test_a_request_after_too_long_a_stop_is_answered_with_reauthenticate() -> None:
    assert serve(instance(State.REAUTHENTICATE, slot(SlotState.FAILED)), request(), T).answer is Answer.REAUTHENTICATE


def test_deauthorizing_the_last_project_ends_the_authentication() -> None:
    two = instance(State.ACTIVE, slot(), slot(project="q"))
    first = serve(two, Deauthorize("p"), T).after
    assert first.state is State.ACTIVE
    assert serve(first, Deauthorize("q"), T).after.state is State.UNAUTHENTICATED


def test_a_repeated_deauthorization_is_released_again_and_a_strange_one_unknown() -> None:
    released = serve(instance(State.ACTIVE, slot()), Deauthorize("p"), T).after
    assert serve(released, Deauthorize("p"), T).answer is Answer.RELEASED
    assert serve(released, Deauthorize("q"), T).answer is Answer.UNKNOWN


def test_a_failed_project_that_deauthorizes_leaves_the_authentication_alone() -> None:
    outcome = serve(instance(State.ACTIVE, slot(SlotState.FAILED)), Deauthorize("p"), T)
    assert (outcome.answer, outcome.after.state) == (Answer.UNKNOWN, State.ACTIVE)


def test_retired_is_final() -> None:
    retired = serve(instance(State.ACTIVE, slot()), Retire(), T).after
    for event in EVENTS:
        retired = serve(retired, event, T + DAY).after
        assert retired.state is State.RETIRED
    assert only_slot(retired).state is SlotState.RELEASED
