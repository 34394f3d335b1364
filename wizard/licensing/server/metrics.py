"""How the instance stands, for Prometheus: looked at when it asks, and nothing is written.

Names and units follow its conventions (base units, `_total`, `_seconds`). No company, project or node is named.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from wizard.licensing.protocol.api import PROTOCOL
from wizard.licensing.rules.instance import Asker, Instance, Slot, SlotState, State
from wizard.licensing.rules.limits import SECOND, Millis
from wizard.licensing.server.site import Site
from wizard.licensing.server.status import locked_ms, tries_left

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""Every Prometheus since 2014 reads it."""

Sample = tuple[tuple[str, ...], float]
"""The values of the labels, and the value."""


def exposition(site: Site) -> bytes:
    """The text, as of now. ClockBehind while that cannot be told."""
    now = site.now()
    build = site.authorization.identity.claims.build.hex()
    return generate_latest(_Scrape(site, site.authorization.look(now), now, build))


@dataclass(frozen=True)
class _Scrape:
    """A collector of its own for each scrape; the global registry is never touched."""

    site: Site
    instance: Instance
    now: Millis
    build: str

    def collect(self) -> Iterable[Metric]:
        yield from _gauges(self.instance, self.now, self.build)
        yield from self.site.counts.families()


def _gauges(instance: Instance, now: Millis, build: str) -> Iterator[Metric]:
    slots = tuple(instance.slots.values())
    yield _gauge(
        "license_server_info",
        "Always 1. The version of the protocol, and of the image (the first 8 bytes of its digest).",
        [((str(PROTOCOL), build), 1)],
        "protocol",
        "build",
    )
    yield _gauge(
        "license_server_start_time_seconds",
        "When it was started, in seconds since 1970.",
        [((), (instance.started or 0) / SECOND)],
    )
    yield _gauge(
        "license_server_state",
        "1 for the state in which it is, 0 for the others.",
        [((state.value,), state is instance.state) for state in State],
        "state",
    )
    yield _gauge("license_server_registrations_maximum", "Slots that the licence allows.", [((), instance.maximum)])
    yield _gauge(
        "license_server_slots",
        "Registered nodes, by the state of their slots.",
        [((state.value,), sum(slot.state is state for slot in slots)) for state in SlotState],
        "state",
    )
    yield _gauge(
        "license_server_longest_silence_seconds",
        "The longest time since a last request, of the slots in that state; nothing where there is none (R9, R11).",
        [((state.value,), silence / SECOND) for state, silence in _silences(slots, now)],
        "state",
    )
    yield _gauge(
        "license_server_tries_left",
        "Codes that are looked at before the entry locks, the one that locks included (R6).",
        [((asker.value,), tries_left(instance.entry(asker))) for asker in Asker],
        "asker",
    )
    yield _gauge(
        "license_server_lock_seconds",
        "Until the entry of codes opens again; 0 when it is open (R6).",
        [((asker.value,), (locked_ms(instance.entry(asker), now) or 0) / SECOND) for asker in Asker],
        "asker",
    )


def _silences(slots: Iterable[Slot], now: Millis) -> Iterator[tuple[SlotState, Millis]]:
    """Since the last request, or since the registration where none has come yet."""
    for state in SlotState:
        heard = [slot.heard for slot in slots if slot.state is state]
        if heard:
            yield state, now - min(heard)


def _gauge(name: str, help: str, samples: Iterable[Sample], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
