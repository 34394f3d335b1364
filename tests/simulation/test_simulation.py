"""A small portion of `make sim`, and the proof that it would notice wrong rules."""

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.simulation.boundaries import AIMS, Aim
from tests.simulation.comparing import Rules
from tests.simulation.limits import DAY
from tests.simulation.running import Portion, run
from tests.simulation.scene import Scene
from tests.simulation.years import Life
from wizard.licensing.rules.events import Answer, Boot, Charge, Event, Request
from wizard.licensing.rules.instance import Instance
from wizard.licensing.rules.machine import Outcome
from wizard.licensing.rules.project import Feedback, ProjectEvent, Registration, Reply, follow, lapse
from wizard.licensing.rules.server import serve, settle

ORACLE = ("limits.py", "oracle_entry.py", "oracle_project.py", "oracle_server.py")


def test_months_of_ten_authorization_applications_agree_with_the_oracle() -> None:
    for number in range(10):
        life = Life(Random(f"months {number}"), projects=3)
        life.live(60 * DAY)
        assert life.world.beats > 1000


def test_traces_at_the_limits_agree_with_the_oracle() -> None:
    tally = run(Portion("traces", "test", 0, 2000))
    assert (tally.failure, tally.traces.total()) == ("", 2000)


@pytest.mark.parametrize("aim", [aim for aim in AIMS if aim.decides], ids=lambda aim: aim.name)
def test_each_aim_really_reaches_its_limit(aim: Aim) -> None:
    """Something else is told on one side of it than on the other."""
    told = {
        offset: Counter(aim.drive(Scene(Random(f"{number}")), offset) for number in range(15)) for offset in (-1, 1)
    }
    assert told[-1].most_common(1)[0][0] != told[1].most_common(1)[0][0]


def test_the_oracle_knows_nothing_of_the_rules() -> None:
    for name in ORACLE:
        tree = ast.parse(Path(__file__).with_name(name).read_text())
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert modules <= {"collections.abc", *(f"tests.simulation.{Path(file).stem}" for file in ORACLE)}


def test_the_same_seed_is_the_same_simulation() -> None:
    portion = Portion("traces", "test", 0, 200)
    assert run(portion) == run(portion)
    assert run(portion) != run(replace(portion, seed="another"))


def late_serve(kind: type[Event]) -> Rules:
    """One kind of event is judged one millisecond too early: every limit on it is one too long."""

    def wrong(instance: Instance, event: Event, now: int) -> Outcome[Instance, Answer]:
        if not isinstance(event, kind):
            return serve(instance, event, now)
        outcome = serve(instance, event, now - 1)
        return replace(outcome, after=replace(outcome.after, alive=now))

    return Rules(serve=wrong)


def late_follow(registration: Registration, event: ProjectEvent, now: int) -> Outcome[Registration, Reply]:
    outcome = follow(registration, event, now - 1 if isinstance(event, Feedback) else now)
    if isinstance(event, Feedback) and outcome.after.feedback == now - 1:
        return replace(outcome, after=replace(outcome.after, feedback=now, tried=now))
    return outcome


WRONG = {
    "a boot": late_serve(Boot),
    "an input": late_serve(Charge),
    "a request": late_serve(Request),
    "what is due at the authorization application": Rules(settle=lambda instance, now: settle(instance, now - 1)),
    "what is due at the project": Rules(lapse=lambda registration, now: lapse(registration, now - 1)),
    "an answer": Rules(follow=late_follow),
}


@pytest.mark.parametrize("name", WRONG)
def test_rules_that_are_wrong_by_a_millisecond_are_noticed(name: str) -> None:
    tally = run(Portion("traces", "test", 0, 2000), WRONG[name])
    assert tally.mismatches == 1
    assert "the oracle says" in tally.failure


def test_a_mismatch_is_told_with_its_trace_and_can_be_run_again_alone() -> None:
    wrong = WRONG["a request"]
    failure = run(Portion("traces", "test", 0, 2000), wrong).failure
    *trace, what, again = failure.splitlines()
    assert "Request" in trace[-1]
    assert what.startswith("Mismatch: ")
    kind, _, number = again.rpartition(" ")[2].partition(":")
    assert run(Portion(kind, "test", int(number)), wrong).failure == failure


def test_a_life_that_mismatches_is_told_in_the_same_way() -> None:
    tally = run(Portion("years", "test", 0), WRONG["a boot"])
    assert (tally.mismatches, tally.project_years) == (1, 0)
    assert tally.failure.endswith("Again: SEED=test python -m tests.simulation years:0")
