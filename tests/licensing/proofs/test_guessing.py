"""Sixteen processes guess at the same moment, against the real process (R6)."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any

import pytest

from tests.figures import tell
from tests.licensing.issuing import Vendor
from tests.licensing.proofs.guessers import GUESSERS, Guessers, Guesses, guessers
from tests.licensing.server.process import Caller, Process
from wizard.licensing.protocol import api
from wizard.licensing.rules.limits import TOLERATED

EVALUATED = TOLERATED + 1
"""The last of them locks, if it is wrong."""
SEED = 20261124
STRANGER: dict[str, str] = {}
"""Shows no token."""


@dataclass(frozen=True)
class Scene:
    """One instance that was never asked before, and a challenge for a stranger and one for the admin."""

    process: Process
    vendor: Vendor
    draw: random.Random

    def challenge(self, headers: dict[str, str]) -> dict[str, Any]:
        with Caller(self.process.door, headers=headers) as caller:
            status, document = caller.post(api.CHALLENGES, {})
        assert status == 201, document
        challenge: dict[str, Any] = document["challenge"]
        return challenge

    def wrong(self, right: str, count: int) -> list[str]:
        """Different ones."""
        drawn = self.draw.sample(range(10**6), count + 1)
        return [f"{number:06d}" for number in drawn if number != int(right)][:count]

    @property
    def evaluated(self) -> int:
        """How many inputs were looked at. Only the log tells: one that was can be answered with "locked" as well."""
        return (self.process.folder / "log" / "server.log").read_text().count(" Judge: ")


Judged = list[list[str]]
"""For each of the guessers, what became of each code."""
Round = Callable[[Scene, Guessers], Judged]


def only_wrong_codes(scene: Scene, crowd: Guessers) -> Judged:
    """Then, while it is locked, the right one."""
    challenge = scene.challenge(STRANGER)
    right = scene.vendor.answer(challenge["url"])
    guesses = [Guesses(challenge=challenge["id"], codes=scene.wrong(right, 6)) for _ in range(GUESSERS)]
    judged = crowd.at_once(scene.process.door, guesses)
    assert scene.evaluated == EVALUATED
    late = crowd.at_once(scene.process.door, [Guesses(challenge=challenge["id"], codes=[right])] * GUESSERS)
    assert set(chain(*late)) == {"locked"}
    return judged + late


def only_the_right_code(scene: Scene, crowd: Guessers) -> Judged:
    challenge = scene.challenge(STRANGER)
    right = scene.vendor.answer(challenge["url"])
    guesses = [Guesses(challenge=challenge["id"], codes=[right])] * GUESSERS
    judged = crowd.at_once(scene.process.door, guesses)
    assert Counter(chain(*judged))["accepted"] == 1
    late = crowd.at_once(scene.process.door, guesses)
    assert set(chain(*late)) == {"consumed"}
    return judged + late


def the_right_code_among_wrong_ones(scene: Scene, crowd: Guessers) -> Judged:
    challenge = scene.challenge(STRANGER)
    right = scene.vendor.answer(challenge["url"])
    guesses = [
        Guesses(challenge=challenge["id"], codes=scene.draw.sample([right, *scene.wrong(right, 2)], 3))
        for _ in range(GUESSERS)
    ]
    return crowd.at_once(scene.process.door, guesses)


def with_the_admins_token(scene: Scene, crowd: Guessers) -> Judged:
    """One code each, which is what one person's rate allows; the last ones are right."""
    admin = scene.process.admin
    challenge = scene.challenge(admin)
    right = scene.vendor.answer(challenge["url"])
    codes = [*scene.wrong(right, 10), *[right] * (GUESSERS - 10)]
    return crowd.at_once(
        scene.process.door, [Guesses(challenge=challenge["id"], codes=[code], headers=admin) for code in codes]
    )


def strangers_around_the_admin(scene: Scene, crowd: Guessers) -> Judged:
    """They lock themselves out, and not the one who shows the token."""
    admin = scene.process.admin
    challenge, own = scene.challenge(STRANGER), scene.challenge(admin)
    right = scene.vendor.answer(challenge["url"])
    strangers = [Guesses(challenge=challenge["id"], codes=scene.wrong(right, 6)) for _ in range(GUESSERS - 1)]
    entered = Guesses(challenge=own["id"], codes=[scene.vendor.answer(own["url"])], headers=admin)
    *judged, admins = crowd.at_once(scene.process.door, [*strangers, entered])
    assert admins == ["accepted"]
    assert Counter(chain(*judged))["accepted"] == 0
    return judged


ROUNDS: tuple[Round, ...] = (
    only_wrong_codes,
    only_the_right_code,
    the_right_code_among_wrong_ones,
    with_the_admins_token,
    strangers_around_the_admin,
)


@pytest.fixture(scope="module")
def crowd() -> Iterator[Guessers]:
    with guessers() as crowd:
        yield crowd


@contextmanager
def scene(folder: Path, draw: random.Random) -> Iterator[Scene]:
    vendor = Vendor()
    process = Process(folder, vendor)
    try:
        yield Scene(process, vendor, draw)
    finally:
        process.end()


def guess(folder: Path, crowd: Guessers, rounds: int) -> None:
    """Each round against a process of its own, with an instance that has just come into being."""
    draw, judged, evaluated, accepted = random.Random(SEED), Counter[str](), [0], [0]
    for number, play in enumerate(islice(cycle(ROUNDS), rounds)):
        with scene(folder / str(number), draw) as fresh:
            answers = Counter(chain(*play(fresh, crowd)))
            looked_at = fresh.evaluated - (play is strangers_around_the_admin)
        assert answers["accepted"] + answers["wrong"] <= looked_at, "The log does not tell what happened."
        judged += answers
        accepted.append(answers["accepted"])
        evaluated.append(looked_at)
    print(f"{rounds} rounds, {judged.total()} codes from {GUESSERS} processes at once: {dict(judged)}")
    assert tell("guessing.evaluated_before_a_lock", max(evaluated), "<=", EVALUATED)
    assert tell("guessing.accepted_of_one_challenge", max(accepted), "<=", 1)


def test_sixteen_processes_at_once_get_six_evaluations_and_one_acceptance(tmp_path: Path, crowd: Guessers) -> None:
    guess(tmp_path, crowd, len(ROUNDS))


@pytest.mark.long
def test_in_a_hundred_rounds_sixteen_processes_never_get_more(tmp_path: Path, crowd: Guessers) -> None:
    guess(tmp_path, crowd, 100)
