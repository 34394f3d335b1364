"""The time line, purely: clocks that are set, hosts that are restarted, and a clock that starts in the past."""

import pytest

from wizard.licensing.rules.limits import DAY, HOUR, MINUTE, SECOND, Millis
from wizard.licensing.rules.timeline import DOUBT, JUMP, ClockBehind, Mark, Reading, advance, begin

T: Millis = 1_800_000_000_000
UP: Millis = 50 * DAY


class Host:
    """A machine with two clocks. `passes` is real time; UTC can be set besides."""

    def __init__(self) -> None:
        self.utc, self.boottime, self.boots = T, UP, 0
        self.mark = begin(self.reading)

    @property
    def reading(self) -> Reading:
        return Reading(utc=self.utc, boottime=self.boottime, boot_id=f"boot {self.boots}")

    def passes(self, span: Millis) -> None:
        self.utc += span
        self.boottime += span

    def restarts(self, *, down: Millis) -> None:
        self.utc += down
        self.boottime = 20 * SECOND
        self.boots += 1

    def now(self) -> Millis:
        self.mark = advance(self.mark, self.reading)
        return self.mark.now

    def shows_anomaly(self) -> bool:
        return self.mark.shows_anomaly(self.now())


@pytest.fixture
def host() -> Host:
    return Host()


def test_it_begins_with_utc(host: Host) -> None:
    assert host.mark == Mark(now=T, boottime=UP, boot_id="boot 0")


def test_time_passes(host: Host) -> None:
    host.passes(1)
    assert host.now() == T + 1
    host.passes(DAY)
    assert host.now() == T + 1 + DAY
    assert not host.shows_anomaly()


@pytest.mark.parametrize("jump", [-10 * DAY, -JUMP - 1, JUMP + 1, 10 * DAY])
def test_a_clock_that_is_set_extends_and_expires_nothing_and_is_shown_for_an_hour(host: Host, jump: Millis) -> None:
    host.passes(MINUTE)
    host.now()
    host.utc += jump
    assert host.now() == T + MINUTE
    assert host.shows_anomaly()
    assert host.mark.jump == jump
    host.passes(DOUBT)
    assert host.now() == T + MINUTE + DOUBT
    assert host.shows_anomaly()
    host.passes(1)
    assert not host.shows_anomaly()


@pytest.mark.parametrize("jump", [-JUMP, JUMP])
def test_five_minutes_are_no_anomaly(host: Host, jump: Millis) -> None:
    host.utc += jump
    assert host.now() == T
    assert not host.shows_anomaly()


def test_a_clock_that_drifts_slowly_never_is_one(host: Host) -> None:
    for _ in range(1000):
        host.passes(HOUR)
        host.utc += 10 * SECOND
        host.now()
    assert host.mark.now == T + 1000 * HOUR
    assert host.mark.anomaly is None


def test_a_boottime_that_seems_to_go_back_does_not_take_the_time_back(host: Host) -> None:
    host.boottime -= SECOND
    assert host.now() == T


def test_over_a_restart_of_the_host_utc_tells_how_long_it_was_down(host: Host) -> None:
    host.restarts(down=3 * HOUR)
    assert host.now() == T + 3 * HOUR
    host.passes(MINUTE)
    assert host.now() == T + 3 * HOUR + MINUTE
    assert not host.shows_anomaly()


def test_in_the_hour_after_a_jump_a_restart_counts_the_shorter_time_down(host: Host) -> None:
    host.utc += 2 * DAY
    host.now()
    host.restarts(down=MINUTE)
    assert host.now() == T + MINUTE


def test_a_jump_that_is_taken_back_by_the_restart_counts_for_nothing_either(host: Host) -> None:
    host.utc += 2 * DAY
    host.now()
    host.utc -= 2 * DAY
    host.restarts(down=MINUTE)
    assert host.now() == T + MINUTE


def test_after_an_hour_the_new_clock_is_believed(host: Host) -> None:
    host.utc += 2 * DAY
    host.now()
    host.passes(DOUBT + 1)
    host.now()
    assert (host.mark.offset, host.mark.doubted) == (2 * DAY, None)
    host.utc -= 2 * DAY  # now this would be the jump: it says that the host comes from the past
    host.restarts(down=MINUTE)
    with pytest.raises(ClockBehind):
        host.now()


def test_a_clock_that_starts_in_the_past_is_waited_for(host: Host) -> None:
    host.restarts(down=HOUR)
    right, host.utc = host.utc, 0
    with pytest.raises(ClockBehind) as caught:
        host.now()
    assert caught.value.behind == T
    assert caught.value.left == DOUBT - 20 * SECOND
    host.utc = right
    host.passes(MINUTE)
    assert host.now() == T + HOUR + MINUTE
    assert not host.shows_anomaly()


def test_it_is_waited_for_no_longer_than_an_hour(host: Host) -> None:
    host.restarts(down=HOUR)
    host.utc = 0
    host.passes(DOUBT - 20 * SECOND - 1)
    with pytest.raises(ClockBehind):
        host.now()
    host.passes(1)
    assert host.now() == T
    assert host.shows_anomaly()


def test_a_clock_that_is_behind_by_five_minutes_is_not_waited_for(host: Host) -> None:
    host.restarts(down=-JUMP)
    assert host.now() == T


def test_a_clock_that_is_behind_by_more_is(host: Host) -> None:
    host.restarts(down=-JUMP - 1)
    with pytest.raises(ClockBehind):
        host.now()


def test_people_are_shown_what_the_clock_of_the_host_says(host: Host) -> None:
    host.utc += 2 * DAY
    now = host.now()
    assert host.mark.utc(now) == T + 2 * DAY
    host.passes(DOUBT + 1)
    now = host.now()
    assert host.mark.utc(now) == T + 2 * DAY + DOUBT + 1
