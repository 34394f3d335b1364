"""Many projects at once: some processes, each with some threads, so that the load is not made by the slower side."""

import math
import multiprocessing
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from typing import NamedTuple

from bench.projects import beats, is_ok, registration, sent
from bench.wire import Wire
from tests.licensing.server.process import Door
from wizard.licensing.protocol import api

PROCESSES = 2
CONNECTIONS = 8
"""A process. In all as many as the authorization application has threads."""
LONGEST_SECONDS = 600
"""For one run. Whoever waits longer for the others has lost one of them."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a part of the crowd does: for some projects, with the sequence numbers from `first` on."""

    door: Door
    projects: Sequence[int]
    first: int = 0
    rounds: int = 1
    """How many beats of each project."""
    moments: Mapping[int, float] = field(default_factory=dict)
    """Seconds after the beginning at which each project beats."""
    genuine: bool = True
    """Whether an answer must be a signed feedback; the peer's is not."""

    def split(self, parts: int) -> list["Share"]:
        return [replace(self, projects=self.projects[part::parts]) for part in range(parts)]

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.door.certificate))


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of it: when it began and ended, the seconds that each answer took, and how many were not as wanted."""

    began: float
    ended: float
    latencies: Sequence[float]
    missed: int

    @property
    def per_second(self) -> float:
        return len(self.latencies) / (self.ended - self.began)

    def percentile(self, part: float) -> float:
        """The milliseconds that so many of the answers did not exceed."""
        return 1000 * sorted(self.latencies)[math.ceil(part * len(self.latencies)) - 1]

    @classmethod
    def of(cls, runs: Sequence["Run"]) -> "Run":
        """Several that ran beside each other, as one."""
        return cls(
            began=min(run.began for run in runs),
            ended=max(run.ended for run in runs),
            latencies=[latency for run in runs for latency in run.latencies],
            missed=sum(run.missed for run in runs),
        )


class Crowd:
    """The processes. In each of these methods all begin at once, and all are done when it returns."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def register(self, share: Share) -> Run:
        return self._run(_register, share)

    def beat(self, share: Share) -> Run:
        """As fast as they can, on kept connections."""
        return self._run(_beat, share)

    def pace(self, share: Share) -> Run:
        """Each at its moment, on a connection of its own, as projects do. A latency counts from that moment."""
        return self._run(_pace, share)

    def _run(self, work: Callable[[Share], Run], share: Share) -> Run:
        return Run.of(self._pool.map(partial(_in_threads, work), share.split(PROCESSES), chunksize=1))


@contextmanager
def crowd() -> Iterator[Crowd]:
    context = multiprocessing.get_context("forkserver")
    line = context.Barrier(PROCESSES * CONNECTIONS)
    with context.Pool(PROCESSES, initializer=_stand_at, initargs=(line,)) as pool:
        yield Crowd(pool)


_lines: list[Barrier] = []
"""In a process of the crowd: the starting line, which is the finishing line too."""


def _stand_at(line: Barrier) -> None:
    _lines.append(line)


class Answered(NamedTuple):
    """One exchange: the seconds that it took. Status 0 when there was no answer."""

    latency: float
    status: int
    body: bytes


def _in_threads(work: Callable[[Share], Run], share: Share) -> Run:
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return Run.of(list(threads.map(work, share.split(CONNECTIONS))))


def _register(share: Share) -> Run:
    requests = [sent(api.REGISTRATIONS, registration(project)) for project in share.projects]
    began, answered, ended = _on_one_connection(share, requests)
    return _run(began, ended, answered, [one.status == 201 for one in answered])


def _beat(share: Share) -> Run:
    numbers = range(share.first, share.first + share.rounds)
    of_each = [beats(project, numbers) for project in share.projects]
    messages = [message for of_one_round in zip(*of_each, strict=True) for message in of_one_round]
    began, answered, ended = _on_one_connection(share, [sent(api.BEATS, message) for message in messages])
    right = [
        is_ok(message, one.status, one.body) if share.genuine else one.status == 200
        for message, one in zip(messages, answered, strict=True)
    ]
    return _run(began, ended, answered, right)


def _pace(share: Share) -> Run:
    order = sorted(share.projects, key=lambda project: share.moments[project])
    messages = [beats(project, [share.first])[0] for project in order]
    requests = [sent(api.BEATS, message) for message in messages]
    context = share.context
    began = _line_up()
    answered = []
    for project, request in zip(order, requests, strict=True):
        moment = began + share.moments[project]
        time.sleep(max(0.0, moment - time.monotonic()))
        answered.append(_ask_anew(share.door, context, request, moment))
    ended = _line_up()
    right = [is_ok(message, one.status, one.body) for message, one in zip(messages, answered, strict=True)]
    return _run(began, ended, answered, right)


def _on_one_connection(share: Share, requests: Sequence[bytes]) -> tuple[float, list[Answered], float]:
    with Wire(share.door, share.context) as wire:
        began = _line_up()
        answered = [_ask(wire, request) for request in requests]
        ended = time.monotonic()
    _line_up()  # nobody checks signatures while others are still measured
    return began, answered, ended


def _line_up() -> float:
    """Wait for all others; when that was."""
    _lines[0].wait(LONGEST_SECONDS)
    return time.monotonic()


def _ask(wire: Wire, request: bytes) -> Answered:
    before = time.monotonic()
    status, body = wire.ask(request)
    return Answered(time.monotonic() - before, status, body)


def _ask_anew(door: Door, context: ssl.SSLContext, request: bytes, since: float) -> Answered:
    try:
        with Wire(door, context) as wire:
            status, body = wire.ask(request)
    except OSError:
        status, body = 0, b""
    return Answered(time.monotonic() - since, status, body)


def _run(began: float, ended: float, answered: Sequence[Answered], right: Sequence[bool]) -> Run:
    return Run(began=began, ended=ended, latencies=[one.latency for one in answered], missed=right.count(False))
