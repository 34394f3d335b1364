"""The machine of a project, purely. Boundaries one millisecond to either side (R14)."""

import pytest

from wizard.licensing.rules.limits import BEAT, DAY, HEAL, MINUTE, Millis
from wizard.licensing.rules.project import (
    BEATING,
    Accepted,
    Feedback,
    Loss,
    NoAnswer,
    ProjectEvent,
    ProjectState,
    Refused,
    Registration,
    Reply,
    Reregister,
    Time,
    follow,
    lapse,
    retry_delay,
)

T: Millis = 1_800_000_000_000


def registration(state: ProjectState) -> Registration:
    return Registration(state=state, feedback=T, tried=T)


PROJECT_EVENTS: tuple[ProjectEvent, ...] = (
    Accepted(),
    Feedback(),
    Feedback(down=DAY),
    NoAnswer(),
    Refused(Loss.UNKNOWN),
    Time(),
    Reregister(answered=True),
    Reregister(answered=False),
)


@pytest.mark.parametrize("state", list(ProjectState))
@pytest.mark.parametrize("event", PROJECT_EVENTS, ids=str)
def test_every_event_has_a_reply_in_every_state_of_the_project(state: ProjectState, event: ProjectEvent) -> None:
    assert follow(registration(state), event, T + 1).rule.startswith("R")


def test_a_project_connects_disconnects_and_connects_again() -> None:
    connected = follow(Registration(), Accepted(), T).after
    assert (connected.state, connected.feedback) == (ProjectState.CONNECTED, T)
    disconnected = follow(connected, NoAnswer(), T + BEAT).after
    assert (disconnected.state, disconnected.failures) == (ProjectState.DISCONNECTED, 1)
    healed = follow(disconnected, Feedback(), T + DAY).after
    assert (healed.state, healed.feedback, healed.failures) == (ProjectState.CONNECTED, T + DAY, 0)


@pytest.mark.parametrize("state", [ProjectState.CONNECTED, ProjectState.DISCONNECTED])
def test_a_registration_lapses_after_more_than_a_day_without_an_answer(state: ProjectState) -> None:
    assert lapse(registration(state), T + DAY).state is state
    assert lapse(registration(state), T + DAY + 1).state is ProjectState.LAPSED


@pytest.mark.parametrize(
    ("event", "age", "state"),
    [
        (Feedback(down=DAY), HEAL, ProjectState.CONNECTED),
        (Feedback(down=DAY), HEAL + 1, ProjectState.FAILED),
        (Feedback(down=DAY + 1), DAY + 1, ProjectState.FAILED),
        (Feedback(), DAY + 1, ProjectState.FAILED),
        (NoAnswer(), HEAL, ProjectState.LAPSED),
    ],
)
def test_a_lapsed_registration_heals_only_by_an_attested_short_stop(
    event: ProjectEvent, age: Millis, state: ProjectState
) -> None:
    assert follow(registration(ProjectState.DISCONNECTED), event, T + age).after.state is state


@pytest.mark.parametrize("loss", [Loss.UNKNOWN, Loss.REAUTHENTICATE])
def test_a_signed_refusal_fails_the_registration(loss: Loss) -> None:
    after = follow(registration(ProjectState.CONNECTED), Refused(loss), T + 1).after
    assert (after.state, after.reason) == (ProjectState.FAILED, loss)


def test_re_registering_releases_or_says_that_the_slot_frees_itself() -> None:
    connected = registration(ProjectState.CONNECTED)
    assert follow(connected, Reregister(answered=True), T).after.state is ProjectState.RELEASED
    unanswered = follow(connected, Reregister(answered=False), T)
    assert (unanswered.after.state, unanswered.answer) == (ProjectState.UNREGISTERED, Reply.SLOT_FREES_ITSELF)


def test_an_answer_that_comes_too_late_is_ignored() -> None:
    released = registration(ProjectState.RELEASED)
    assert follow(released, Feedback(), T).after == released


def test_retries_wait_60_seconds_doubled_up_to_300() -> None:
    assert [retry_delay(failures) // 1000 for failures in (1, 2, 3, 4, 5, 1000)] == [60, 120, 240, 300, 300, 300]


def test_the_first_beat_is_due_at_once_and_the_next_after_two_hours() -> None:
    accepted = follow(Registration(), Accepted(), T).after
    assert accepted.next_beat == T
    answered = follow(accepted, Feedback(), T + 5).after
    assert answered.next_beat == T + 5 + BEAT
    assert follow(answered, NoAnswer(), T + BEAT).after.next_beat == T + BEAT + MINUTE


@pytest.mark.parametrize("state", sorted(set(ProjectState) - BEATING))
def test_who_is_not_registered_does_not_beat(state: ProjectState) -> None:
    assert registration(state).next_beat is None
