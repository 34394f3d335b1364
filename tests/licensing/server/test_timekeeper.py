"""The time line, kept: over processes, over restarts of the host, and while the clock of the host is set."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.issuing import Vendor
from wizard.licensing.rules.instance import Instance, State
from wizard.licensing.rules.limits import DAY, HOUR, MINUTE, SECOND, Millis
from wizard.licensing.rules.timeline import DOUBT, ClockBehind, Reading
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.identity import open_identity
from wizard.licensing.server.store import Store
from wizard.licensing.server.timekeeper import Timekeeper, read_clocks

T: Millis = 1_800_000_000_000


class Host:
    """A machine on which one authorization application runs, in one process after another."""

    def __init__(self, config: Path) -> None:
        self.utc, self.boottime, self.boots = T, DAY, 0
        self.vendor = Vendor()
        self.config = config
        self.start()

    def read(self) -> Reading:
        return Reading(utc=self.utc, boottime=self.boottime, boot_id=f"boot {self.boots}")

    def start(self) -> None:
        identity = open_identity(self.config, self.vendor.claims())
        self.authorization = Authorization(identity, Store(self.config, identity.row_key))
        self.clock = Timekeeper(self.authorization.store, self.authorization.boot, self.read)

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


def test_both_clocks_of_this_machine_are_read() -> None:
    first, second = read_clocks(), read_clocks()
    assert first.boot_id == second.boot_id
    assert 0 < first.boottime <= second.boottime < first.utc
