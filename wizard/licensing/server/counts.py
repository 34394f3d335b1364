"""What is counted from the start on, for Prometheus. In memory: after a restart counters begin anew."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from threading import Lock

from prometheus_client.metrics_core import CounterMetricFamily

from wizard.licensing.protocol.messages import Result
from wizard.licensing.rules.instance import Asker
from wizard.licensing.rules.limits import Millis
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server.authorization import Judgement


@dataclass(frozen=True, eq=False)
class Counted:
    """A metric, with all values that each of its labels can have."""

    name: str
    help: str
    labels: Mapping[str, tuple[str, ...]]


CHALLENGES = Counted(
    "license_server_challenges_total",
    "QR codes that were asked for, by what became of that.",
    {"asker": tuple(Asker), "result": ("made", "locked", "retired")},
)
CODES = Counted(
    "license_server_codes_total",
    "Codes that were entered, by what became of them (R6).",
    {"asker": tuple(Asker), "judgement": tuple(Judgement)},
)
THROTTLED = Counted(
    "license_server_throttled_total",
    "Requests that were refused because they came too often.",
    {"asker": tuple(Asker), "request": ("challenge", "code")},
)
BEATS = Counted(
    "license_server_beats_total",
    "Requests of projects, by what they were answered (R9).",
    {"result": tuple(result for result in Result if result is not Result.RELEASED)},
)
ANOMALIES = Counted(
    "license_server_clock_anomalies_total",
    "How often the clock of the host was noticed to have been set.",
    {},
)
ALL = (CHALLENGES, CODES, THROTTLED, BEATS, ANOMALIES)


class Counts:
    """Safe between threads. Every series is there from the start, with 0, so that a first event shows as a rise."""

    def __init__(self) -> None:
        self._numbers = {(counted, values): 0 for counted in ALL for values in product(*counted.labels.values())}
        self._mark: Mark | None = None
        self._lock = Lock()

    def add(self, counted: Counted, *values: str) -> None:
        """One more, with these values of its labels."""
        with self._lock:
            self._numbers[counted, values] += 1

    def watch(self, mark: Mark | None, started: Callable[[], Millis]) -> None:
        """One more anomaly of the clock, when the mark shows one that was not seen before.

        The first mark can show one that an earlier run has counted, before this one `started`. That is asked only then.
        """
        if mark is None:
            return
        with self._lock:
            last = self._mark.anomaly if self._mark is not None else _earlier(mark, started)
            self._numbers[ANOMALIES, ()] += mark.anomaly is not None and mark.anomaly != last
            self._mark = mark

    def families(self) -> Iterator[CounterMetricFamily]:
        """As Prometheus has them."""
        with self._lock:
            numbers = dict(self._numbers)
        for counted in ALL:
            family = CounterMetricFamily(counted.name, counted.help, labels=tuple(counted.labels))
            for (of, values), number in numbers.items():
                if of is counted:
                    family.add_metric(values, number)
            yield family


def _earlier(mark: Mark, started: Callable[[], Millis]) -> Millis | None:
    """The anomaly of the first mark, when it was there before the start."""
    return mark.anomaly if mark.anomaly is not None and mark.anomaly < started() else None
