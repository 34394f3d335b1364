"""The time line, purely: clocks that are set, hosts that are restarted, and a clock that starts in the past."""

import pytest

from wizard.licensing.rules.limits import DAY, HOUR, MINUTE, SECOND, Millis
from wizard.licensing.rules.timeline import DOUBT, JUMP, ClockBehind, Mark, Reading, advance, begin

T: Millis = 1_800_000_000_000
UP: Millis = 50 * DAY


class Host:
    """A machine with two clocks. `passes` is real time; UTC can be set besides."""

    def __init__(self, utc: Millis = T) -> None:
        self.utc, self.boottime, self.boots = utc, UP, 0
        self.mark = begin(self.reading, earliest=T)

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


@pytest.mark.parametrize("doubted", [0, 2 * DAY, -2 * DAY])
@pytest.mark.parametrize("behind", [JUMP + 1, DAY])
def test_a_stop_that_counts_as_none_because_the_clock_stayed_behind_is_shown(
    host: Host, doubted: Millis, behind: Millis
) -> None:
    """Nobody knows how long it was, but everybody can see that; also when the clock was doubted already."""
    host.utc += doubted
    host.now()
    host.passes(DOUBT // 2)
    last = host.now()
    host.restarts(down=HOUR)
    host.passes(DOUBT - 20 * SECOND)
    host.utc = last + min(0, doubted) - behind
    assert host.now() == last
    assert (host.mark.anomaly, host.mark.jump) == (last, min(0, doubted) - behind)
    host.passes(DOUBT)
    assert host.shows_anomaly()
    host.passes(1)
    assert not host.shows_anomaly()


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


@pytest.mark.parametrize(("utc", "now"), [(T - DAY, T), (T - 1, T), (T, T), (T + 1, T + 1)])
def test_it_does_not_begin_before_the_licence_was_signed(utc: Millis, now: Millis) -> None:
    assert Host(utc).mark.now == now


@pytest.mark.parametrize(("behind", "is_shown"), [(JUMP, False), (JUMP + 1, True), (T, True)])
def test_a_clock_that_is_behind_the_licence_is_an_anomaly_from_the_first_moment_for_an_hour(
    behind: Millis, is_shown: bool
) -> None:
    host = Host(T - behind)
    assert host.mark.shows_anomaly(T) is is_shown
    assert host.mark.utc(T) == T - behind
    assert host.mark.jump == (-behind if is_shown else 0)
    host.passes(DOUBT)
    assert host.shows_anomaly() is is_shown
    host.passes(1)
    assert not host.shows_anomaly()
    assert host.mark.offset == -behind


@pytest.mark.parametrize("wrong_for", [MINUTE, DOUBT, DOUBT + 1, DAY])
def test_a_clock_that_is_set_right_after_it_began_in_the_past_is_one_more_jump(wrong_for: Millis) -> None:
    """Whether the wrong one was believed meanwhile or not; here the licence is thirty days old by then."""
    host = Host(0)
    host.passes(wrong_for)
    host.now()
    host.utc = T + 30 * DAY
    assert host.now() == T + wrong_for
    assert host.mark.anomaly == T + wrong_for
    host.passes(DOUBT)
    assert (host.now(), host.mark.doubted) == (T + wrong_for + DOUBT, 30 * DAY - wrong_for)
    assert host.shows_anomaly()
    host.passes(1)
    assert not host.shows_anomaly()
    assert (host.mark.offset, host.mark.doubted) == (30 * DAY - wrong_for, None)
    host.restarts(down=3 * HOUR)
    assert host.now() == T + wrong_for + DOUBT + 1 + 3 * HOUR


def test_a_clock_that_is_set_right_to_the_moment_where_the_line_is_needs_no_doubt() -> None:
    host = Host(0)
    host.passes(MINUTE)
    host.now()
    host.utc = T + MINUTE + JUMP
    assert host.now() == T + MINUTE
    assert (host.mark.offset, host.mark.doubted, host.mark.anomaly) == (JUMP, None, T)


def test_a_host_that_begins_in_the_past_and_is_restarted_in_the_past_is_waited_for() -> None:
    """Until its clock passes the last moment known, as it would be without a battery; then only that counts."""
    host = Host(0)
    host.passes(30 * MINUTE)
    host.now()
    host.restarts(down=-30 * MINUTE)
    with pytest.raises(ClockBehind) as caught:
        host.now()
    assert caught.value.behind == 30 * MINUTE
    host.passes(30 * MINUTE + 1)
    assert host.now() == T + 30 * MINUTE + 1
