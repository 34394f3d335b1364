"""The time line as a drawing: two lanes of states, and a tick for each request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MOST = 400
"""Ticks, and states in a lane, that are kept."""
SHORTEST = timedelta(minutes=10)
"""What the whole width stands for at the least."""
WIDTH = 1000


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A state that lasted from one time to another."""

    state: str
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A stretch as it is drawn, in the units of a drawing that is WIDTH wide."""

    state: str
    x: float
    width: float


@dataclass
class Lane:
    """The states of one side, one after another."""

    stretches: list[Stretch] = field(default_factory=list)

    def add(self, state: str, at: datetime) -> None:
        """It is in that state now: the state before has lasted until now."""
        if self.stretches:
            self.stretches[-1] = replace(self.stretches[-1], until=at)
        if not self.stretches or self.stretches[-1].state != state:
            self.stretches.append(Stretch(state=state, since=at, until=at))
        del self.stretches[:-MOST]

    def bars(self, first: datetime, last: datetime) -> Iterator[Bar]:
        span = max(last - first, SHORTEST)
        for stretch in self.stretches:
            x = WIDTH * ((stretch.since - first) / span)
            end = WIDTH * ((stretch.until - first) / span)
            yield Bar(state=stretch.state, x=round(x, 1), width=round(max(end - x, 2), 1))


@dataclass
class Chart:
    """What has been seen of both sides."""

    server: Lane = field(default_factory=Lane)
    project: Lane = field(default_factory=Lane)
    beats: list[datetime] = field(default_factory=list)

    def add(self, at: datetime, server: str, project: str, beats: Sequence[datetime]) -> None:
        self.server.add(server, at)
        self.project.add(project, at)
        self.beats.extend(beats)
        del self.beats[:-MOST]

    @property
    def first(self) -> datetime | None:
        return self.server.stretches[0].since if self.server.stretches else None

    @property
    def last(self) -> datetime | None:
        return self.server.stretches[-1].until if self.server.stretches else None

    def lanes(self) -> tuple[list[Bar], list[Bar], list[float]]:
        """Bars of the authorization application, those of the project, and where the ticks are."""
        first, last = self.first, self.last
        if first is None or last is None:
            return [], [], []
        span = max(last - first, SHORTEST)
        ticks = [round(WIDTH * ((beat - first) / span), 1) for beat in self.beats]
        return list(self.server.bars(first, last)), list(self.project.bars(first, last)), ticks
