"""The time line, kept: over processes, over restarts of the host, and while the clock of the host is set."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tests.licensing.issuing import Vendor
from wizard.licensing.rules.instance import Instance, State
from wizard.licensing.rules.limits import DAY, HOUR, MINUTE, SECOND, Millis
from wizard.licensing.rules.timeline import DOUBT, ClockBehind, Mark, Reading
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.identity import open_identity
from wizard.licensing.server.store import DATABASE, Store
from wizard.licensing.server.timekeeper import PAUSE, Timekeeper, read_clocks

T: Millis = 1_800_000_000_000
EARLIEST: Millis = T - 100 * DAY
"""When the licence was issued."""


class Host:
    """A machine on which one authorization application runs, in one process after another."""

    def __init__(self, config: Path) -> None:
        self.utc, self.boottime, self.boots = T, DAY, 0
        self.vendor = Vendor()
        self.config = config
        self.start()

    def read(self) -> Reading:
        return Reading(utc=self.utc, boottime=self.boottime, boot_id=f"boot {self.boots}")

    def start(self, make_store: type[Store] = Store) -> None:
        identity = open_identity(self.config, self.vendor.claims())
        self.authorization = Authorization(identity, make_store(self.config, identity.row_key))
        self.clock = Timekeeper(self.authorization.store, self.authorization, EARLIEST, self.read)

    def stop(self) -> None:
        self.clock.keep()
        self.authorization.stop(self.clock())
        self.authorization.store.close()

    def passes(self, span: Millis) -> None:
        self.utc += span
        self.boottime += span

    def reboots(self) -> None:
        self.boots += 1
        self.boottime = 20 * SECOND

    def look(self) -> Instance:
        return self.authorization.look(self.clock())

    def authenticate(self) -> None:
        instance = self.authorization.challenge(self.clock())
        challenge = instance.entry(next(iter(instance.entries))).challenge
        assert challenge is not None
        url = self.authorization.url(challenge.id, next(iter(instance.entries)))
        assert url is not None
        self.authorization.enter(challenge.id, self.vendor.answer(url), self.clock())


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.authorization.store.close()


def test_the_first_time_that_is_told_boots_the_instance(host: Host) -> None:
    assert host.clock() == T
    assert host.look().state is State.UNAUTHENTICATED


def test_a_clock_that_is_set_while_it_is_stopped_does_not_change_how_long_it_was_down(host: Host) -> None:
    host.look()
    host.stop()
    host.passes(HOUR)
    host.utc += 30 * DAY
    host.start()
    instance = host.look()
    assert (instance.stopped, instance.started) == (T, T + HOUR)


def test_over_a_restart_of_the_host_it_is_the_clock_that_tells(host: Host) -> None:
    host.look()
    host.stop()
    host.passes(3 * HOUR)
    host.reboots()
    host.start()
    assert host.look().started == T + 3 * HOUR


def test_a_clock_that_starts_in_the_past_is_waited_for_before_anything_is_decided(host: Host) -> None:
    host.look()
    host.stop()
    host.passes(3 * HOUR)
    host.reboots()
    right, host.utc = host.utc, 0
    host.start()
    with pytest.raises(ClockBehind):
        host.clock()
    host.utc = right + MINUTE
    assert host.look().started == T + 3 * HOUR + MINUTE


def test_a_jump_is_remembered_at_once_and_over_a_restart_of_the_process(host: Host) -> None:
    host.look()
    host.utc -= 2 * DAY
    host.look()
    host.authorization.store.close()  # a crash
    host.start()
    assert host.look().state is State.UNAUTHENTICATED
    mark = host.authorization.store.mark
    assert mark is not None
    assert (mark.jump, mark.shows_anomaly(T + DOUBT), mark.shows_anomaly(T + DOUBT + 1)) == (-2 * DAY, True, False)


def test_a_jump_of_a_week_expires_no_challenge_and_ends_no_lock(host: Host) -> None:
    host.authenticate()
    assert host.look().state is State.VERIFIED
    host.utc += 7 * DAY
    assert host.look().state is State.VERIFIED
    host.passes(DAY + 1)
    assert host.look().state is State.UNAUTHENTICATED


def test_a_clock_without_a_battery_gives_no_time_before_the_licence(host: Host) -> None:
    host.utc = 0
    assert host.clock() == EARLIEST
    host.passes(MINUTE)
    assert host.clock() == EARLIEST + MINUTE


def hold(host: Host, span: Millis) -> None:
    """The container is paused, or the host suspended: no minute passes in the process, but it goes on."""
    host.look()
    host.passes(span)


@pytest.mark.parametrize(("span", "state"), [(PAUSE, State.VERIFIED), (PAUSE + 1, State.UNAUTHENTICATED)])
def test_a_process_that_was_held_has_been_restarted(host: Host, span: Millis, state: State) -> None:
    """Verified is volatile (R7)."""
    host.authenticate()
    hold(host, span)
    assert host.look().state is state


def test_the_time_for_which_it_was_held_is_attested_as_time_down(host: Host) -> None:
    host.look()
    hold(host, 3 * HOUR)
    instance = host.look()
    assert (instance.stopped, instance.started) == (T + MINUTE, T + 3 * HOUR)


def test_when_the_disk_fails_after_the_boot_it_does_not_boot_twice(host: Host) -> None:
    """The second boot would find an instance that was alive just now, and attest no time down."""

    class Full(Exception):
        pass

    class FullStore(Store):
        def keep_mark(self, mark: Mark) -> None:
            raise Full

    host.look()
    host.stop()
    host.passes(3 * HOUR)
    host.start(FullStore)
    with pytest.raises(Full):
        host.clock()
    assert host.look().started == T + 3 * HOUR
    assert host.look().stopped == T


def test_trouble_of_the_disk_is_not_taken_for_a_first_start(host: Host) -> None:
    """The time line would begin anew, at whatever UTC says."""
    host.look()
    host.stop()
    path = host.config / DATABASE
    path.rename(host.config / "aside")
    path.mkdir()
    host.start()
    with pytest.raises(OperationalError):
        host.clock()
    path.rmdir()
    (host.config / "aside").rename(path)
    host.passes(3 * HOUR)
    assert host.look().stopped == T


def test_both_clocks_of_this_machine_are_read() -> None:
    first, second = read_clocks(), read_clocks()
    assert first.boot_id == second.boot_id
    assert 0 < first.boottime <= second.boottime < first.utc
