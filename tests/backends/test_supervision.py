"""When a container that ended is started again, moment by moment."""

from datetime import timedelta

import pytest

from tests.factories import NOW
from wizard.backends.embedded import supervision
from wizard.backends.embedded.folders import Container, Process, Wanted
from wizard.processes import this_process

MOMENT = timedelta(milliseconds=1)


def a_container(quick_deaths: int = 0) -> Container:
    return Container(
        name="one",
        digest="d",
        licence="l",
        address="127.0.0.1",
        port=18081,
        wanted=Wanted.RUNNING,
        quick_deaths=quick_deaths,
    )


def ended_after(life: timedelta) -> Process:
    return Process(process=this_process(), begun_at=NOW - life, ended_at=NOW)


def test_ending_within_thirty_seconds_is_a_quick_death() -> None:
    quick = ended_after(supervision.QUICK - MOMENT)
    assert supervision.after_death(a_container(2), quick).quick_deaths == 3


def test_ending_after_thirty_seconds_makes_earlier_deaths_forgotten() -> None:
    assert supervision.after_death(a_container(4), ended_after(supervision.QUICK)).quick_deaths == 0


def test_the_fifth_quick_death_gives_it_up() -> None:
    quick = ended_after(timedelta(seconds=1))
    assert supervision.after_death(a_container(3), quick).wanted is Wanted.RUNNING
    assert supervision.after_death(a_container(4), quick).wanted is Wanted.GIVEN_UP


@pytest.mark.parametrize(("deaths", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8)])
def test_each_quick_death_doubles_the_wait(deaths: int, seconds: int) -> None:
    last = ended_after(timedelta(seconds=1))
    assert not supervision.may_begin(a_container(deaths), last, NOW + timedelta(seconds=seconds) - MOMENT)
    assert supervision.may_begin(a_container(deaths), last, NOW + timedelta(seconds=seconds))


def test_after_a_long_life_it_begins_at_once() -> None:
    assert supervision.may_begin(a_container(0), ended_after(timedelta(days=3)), NOW)
