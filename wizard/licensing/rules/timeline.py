"""The time line of an instance: what `now` is, from clocks of which one can be set wrong and the other starts anew.

While the host runs (one `boot_id`) only CLOCK_BOOTTIME counts, which nobody sets. Over a restart of the host only UTC
can tell how much time has passed, so it is compared with the time line all along: UTC minus time line is the *offset*,
and it stays what it is, but for the slow corrections of a clock that is kept right.

An offset that is suddenly another one (by more than JUMP) is an anomaly: UTC was set. That extends and expires nothing,
for it is not looked at. The new offset is *doubted* until it has stood for DOUBT. Should the host restart in that hour,
both offsets are tried, and the shorter time down is taken, as everywhere where it is not known exactly. When both say
that the host comes from the future (a clock without a battery starts in the past), the time line waits until UTC makes
sense, but not longer than DOUBT: what has to be decided then is how long it was down, and nobody can undo it.
"""

from dataclasses import dataclass, replace

from wizard.licensing.rules.limits import HOUR, MINUTE, Millis

JUMP: Millis = 5 * MINUTE
"""UTC was set, when it moves by more than this against the time that has passed."""
DOUBT: Millis = HOUR
"""For so long an anomaly is shown, and a new offset doubted."""


class ClockBehind(Exception):
    """The host was restarted, and UTC is `behind` milliseconds before the last moment known. Wait, `left` at most."""

    def __init__(self, behind: Millis, left: Millis) -> None:
        super().__init__(f"The clock is {behind} ms behind.")
        self.behind = behind
        self.left = left


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the clocks of the host say: UTC in milliseconds since 1970, and milliseconds since its boot."""

    utc: Millis
    boottime: Millis
    boot_id: str
    """Of the running host: another one after each of its restarts."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One point of the time line, and the reading that it was made of."""

    now: Millis
    boottime: Millis
    boot_id: str
    offset: Millis = 0
    """UTC minus `now`, as it is trusted."""
    doubted: Millis | None = None
    """The offset that UTC shows instead, while it is doubted."""
    anomaly: Millis | None = None
    """When the last jump was noticed, on the time line."""
    jump: Millis = 0
    """How far UTC jumped then; negative when it was set back."""

    def utc(self, now: Millis) -> Millis:
        """What the host's own clock shows at `now`, for people."""
        return now + (self.offset if self.doubted is None else self.doubted)

    def shows_anomaly(self, now: Millis) -> bool:
        return self.anomaly is not None and now - self.anomaly <= DOUBT


def begin(reading: Reading, earliest: Millis) -> Mark:
    """The first point, at the first start of an instance: UTC, but not before `earliest`, when its licence was signed.

    A clock that is behind that moment is wrong for sure: that is an anomaly, as if it had been set back just now.
    """
    now = max(reading.utc, earliest)
    return _weighed(Mark(now=now, boottime=reading.boottime, boot_id=reading.boot_id), reading.utc - now)


def advance(mark: Mark, reading: Reading) -> Mark:
    """The point at that reading. It is never before `mark`; ClockBehind when it cannot be told yet."""
    if reading.boot_id != mark.boot_id:
        mark = _restarted(mark, reading)
    now = mark.now + max(0, reading.boottime - mark.boottime)
    return _weighed(replace(mark, now=now, boottime=reading.boottime), reading.utc - now)


def _restarted(mark: Mark, reading: Reading) -> Mark:
    """The same point, as seen from a host that has been restarted since."""
    offsets = [mark.offset] if mark.doubted is None else [mark.offset, mark.doubted]
    passed = [reading.utc - offset - mark.now for offset in offsets]
    down = min((span for span in passed if span >= 0), default=None)
    if down is None and max(passed) < -JUMP and reading.boottime < DOUBT:
        raise ClockBehind(-max(passed), DOUBT - reading.boottime)
    return replace(mark, now=mark.now + (down or 0), boottime=reading.boottime, boot_id=reading.boot_id)


def _weighed(mark: Mark, offset: Millis) -> Mark:
    """With what UTC shows now: followed when it is near, doubted when it has jumped, believed after an hour."""
    if abs(offset - mark.offset) <= JUMP:
        return replace(mark, offset=offset, doubted=None)
    if mark.doubted is None or abs(offset - mark.doubted) > JUMP:
        return replace(mark, doubted=offset, anomaly=mark.now, jump=offset - mark.offset)
    if mark.anomaly is not None and mark.now - mark.anomaly > DOUBT:
        return replace(mark, offset=offset, doubted=None)
    return replace(mark, doubted=offset)
