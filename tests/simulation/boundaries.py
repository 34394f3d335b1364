"""Traces aimed at every limit of R6 to R14: before, at, and after it; alone, or after another in the same world."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation import aims_project, aims_server, aims_slots
from tests.simulation.scene import Scene
from tests.simulation.wandering import wander

OFFSETS = (-1, 0, 1)


@dataclass(frozen=True)
class Aim:
    """`drive` goes to the limit with an offset, and gives what was told there. `weight`: how often it is chosen.

    `decides`: whether another answer is told on one side of the limit than on the other.
    """

    name: str
    drive: Callable[[Scene, int], str]
    weight: int = 10
    decides: bool = True


AIMS = (
    Aim("R6  QR 300.000 s", aims_server.qr_runs_out),
    Aim("R6  5th and 6th wrong code", aims_server.sixth_wrong_locks, 6),
    Aim("R6  right code after 4, 5, 6 wrong", aims_server.sixth_is_evaluated, 6),
    Aim("R6  lock 900.000 s", aims_server.lock_ends, 6),
    Aim("R6  30th wrong code", aims_server.thirtieth_wrong_blocks, 1),
    Aim("R6  block 24 h", aims_server.block_ends, 1),
    Aim("R6  refreshed, newest, used QR", aims_server.only_the_newest_counts),
    Aim("R6  inputs at once", aims_server.several_at_once, 6),
    Aim("R6  two askers", aims_server.askers_stay_apart, 4),
    Aim("R6  damaged storage", aims_slots.damage, 6),
    Aim("R7  verified 24 h", aims_server.verified_runs_out),
    Aim("R7  restart before registering", aims_server.verified_does_not_outlive_a_restart),
    Aim("R8  maximum of registrations", aims_slots.maximum_of_registrations),
    Aim("R8  own slots again", aims_slots.registering_again),
    Aim("R8  a hundred slots not held", aims_slots.remembered, 1),
    Aim("R9  retry 60, 120, 240, 300 s", aims_project.retries, 20),
    Aim("R9  beat 2 h", aims_project.beats, 20),
    Aim("R10 down 24 h, clean", aims_server.down_for_a_day),
    Aim("R10 down 24 h, crash", aims_server.down_for_a_day_after_a_crash),
    Aim("R10 reconnect 2 h", aims_server.reconnect_in_two_hours),
    Aim("R10 second stop in the window", aims_server.second_stop_in_the_window),
    Aim("R10 RECONNECTED until it arrives", aims_slots.reconnected_until_it_arrives, decides=False),
    Aim("R10 healed within 26 h", aims_project.healed_after_26_hours, 20),
    Aim("R10 attested 24 h", aims_project.healed_by_an_attested_day, 20),
    Aim("R10 stop of a day, both sides", aims_project.stop_that_outlasts_the_project),
    Aim("R11 no request for 24 h", aims_server.silent_for_a_day),
    Aim("R11 no request for 24 h, then a stop", aims_server.silent_until_a_stop),
    Aim("R11 no answer for 24 h", aims_project.without_an_answer_for_a_day, 20),
    Aim("R11 lapsed, no answer for 26 h", aims_project.lapsed_without_an_answer, 20),
    Aim("R11 refused at 26 h", aims_project.lapsed_and_refused, 20),
    Aim("R12 last slot deauthorized", aims_slots.last_one_deauthorizes),
    Aim("R12 deauthorized as it fails", aims_slots.deauthorizing_late),
    Aim("R12 given up by the project", aims_project.given_up, 20),
    Aim("R13 retired", aims_slots.retiring, 6),
    Aim("all sequences at random", wander, 12, decides=False),
)
DECK = tuple(aim for aim in AIMS for _ in range(aim.weight))
PAIRED = 0.2
"""Of the traces: another limit is passed first, in the same world."""


@dataclass(frozen=True)
class Hit:
    """One trace that is over: what was told at the limit of `aim`."""

    aim: Aim
    offset: int
    paired: bool
    told: str


def shoot(scene: Scene) -> Hit:
    """One trace, as `scene.rng` wants it. Mismatch when the rules are wrong; `scene.world.trace` leads there."""
    rng, paired = scene.rng, False
    if rng.random() < PAIRED:
        first, before = rng.choice(DECK), rng.choice(OFFSETS)
        told = first.drive(scene, before)
        if scene.state == "RETIRED":
            return Hit(first, before, False, told)
        paired = True
    aim, offset = rng.choice(DECK), rng.choice(OFFSETS)
    return Hit(aim, offset, paired, aim.drive(scene, offset))
