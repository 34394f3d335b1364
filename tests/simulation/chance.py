"""How long things take, at random: often near a limit, for that is where rules go wrong."""

from collections.abc import Callable, Sequence
from random import Random

from tests.simulation.limits import BEAT, DAY, HEAL, HOUR, MINUTE, QR, SECOND

Span = Callable[[Random], int]
"""Milliseconds."""


def between(shortest: int, longest: int) -> Span:
    return lambda rng: rng.randint(shortest, longest)


def around(limit: int) -> Span:
    """Some exactly at the limit, some one millisecond to either side, and some minutes around it."""
    return lambda rng: (
        limit + rng.choice((-1, 0, 1, rng.randint(-MINUTE, MINUTE), rng.randint(-5 * MINUTE, 5 * MINUTE)))
    )


def about(mean: int) -> Span:
    """Without memory, as failures come."""
    return lambda rng: 1 + int(rng.expovariate(1 / mean))


def one_of(*weighted: tuple[int, Span]) -> Span:
    spans: Sequence[Span] = [span for weight, span in weighted for _ in range(weight)]
    return lambda rng: rng.choice(spans)(rng)


DOWN = one_of(
    (8, between(SECOND, 10 * MINUTE)),
    (4, between(10 * MINUTE, 6 * HOUR)),
    (3, around(BEAT)),
    (2, around(DAY)),
    (2, around(DAY + MINUTE)),
    (1, between(6 * HOUR, DAY)),
    (2, between(DAY, 5 * DAY)),
)
"""The authorization application."""
UNTIL_STOP = one_of((1, between(1, BEAT + 10 * MINUTE)), (4, about(40 * DAY)))
"""Sometimes a second stop comes within the two hours in which projects reconnect."""

CUT = one_of(
    (6, between(SECOND, HOUR)),
    (3, between(HOUR, DAY)),
    (2, around(BEAT)),
    (2, around(DAY)),
    (2, around(HEAL)),
    (1, between(DAY, 3 * DAY)),
)
"""A line."""
UNTIL_CUT = about(80 * DAY)

PAUSE = one_of((8, between(SECOND, 20 * MINUTE)), (1, around(BEAT)), (1, around(DAY)), (1, between(HOUR, 3 * DAY)))
"""A project that is stopped."""
UNTIL_PAUSE = about(30 * DAY)

UNTIL_REREGISTER = about(150 * DAY)
UNTIL_DAMAGE = about(300 * DAY)

REACTION = one_of((6, between(MINUTE, 2 * HOUR)), (2, between(2 * HOUR, 12 * HOUR)), (1, around(DAY)))
"""Until an admin does something about it."""
TYPING = one_of((6, between(5 * SECOND, 4 * MINUTE)), (1, around(QR)))
"""From a QR to its code."""
