"""R9 by numbers: how often a project misses the two hours after a restart (R10), with and without the retry rule."""

from collections.abc import Callable

from tests.figures import tell
from wizard.licensing.client.line import TIME_LIMIT
from wizard.licensing.rules.limits import BEAT, RECONNECT, SECOND, Millis
from wizard.licensing.rules.project import NoAnswer, ProjectState, Registration, follow

LOST = 0.026
"""The part of all requests that get no answer, each by itself. A fixed two-hour retry has one request in the window."""
LASTS: Millis = int(2 * TIME_LIMIT) * SECOND
"""A request that gets no answer has failed after so long at most."""
STEP: Millis = 4 * SECOND
NEGLIGIBLE = 1e-9

NextBeat = Callable[[Registration], Millis]


def by_the_rule(registration: Registration) -> Millis:
    assert registration.next_beat is not None
    return registration.next_beat


def after_two_hours(registration: Registration) -> Millis:
    assert registration.tried is not None
    return registration.tried + BEAT


def missing(due: Millis, next_beat: NextBeat) -> float:
    """How probably no request arrives within the window that begins at 0, when the next one is sent at `due`."""
    registration = Registration(state=ProjectState.CONNECTED, feedback=due - BEAT, tried=due - BEAT)
    probability = 1.0
    while due <= RECONNECT and probability > NEGLIGIBLE:
        probability *= LOST
        registration = follow(registration, NoAnswer(), due + LASTS).after
        due = next_beat(registration)
    return probability


def average(next_beat: NextBeat) -> float:
    """Over restarts at every moment between two requests, in percent."""
    moments = range(0, BEAT, STEP)
    return 100 * sum(missing(due, next_beat) for due in moments) / len(moments)


def test_the_retry_rule_leaves_at_most_four_restarts_of_ten_thousand_to_be_missed() -> None:
    fixed, rule = average(after_two_hours), average(by_the_rule)
    assert tell("r9.fixed_retry_misses_percent", round(fixed, 3), ">=", 2.6, digits=3)
    assert tell("r9.rule_misses_percent", rule, "<=", 0.04, digits=3)
