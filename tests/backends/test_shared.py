"""Many who want to know the same thing at once: one looks, and the others take what it has found."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.backends.fake_engine import Answer, FakeEngine, fake_engine, http, version
from tests.factories import a_node
from tests.waiting import until
from wizard.backends.engine.channel import Channel
from wizard.backends.engine.shared import Shared
from wizard.domain.engine import Engine
from wizard.errors import BackendError

THREADS = 16


class Ticks:
    """A clock that goes on by one each time that somebody looks at it: all have asked when it stands at THREADS."""

    def __init__(self) -> None:
        self.looks: list[None] = []

    def __call__(self) -> float:
        self.looks.append(None)
        return len(self.looks)


class Look:
    """Finds something, or fails, once all have asked."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.clock = Ticks()
        self.shared = Shared(self.clock)
        self.failure = failure
        self.found: str | None = None
        self.count = 0

    def get(self) -> str:
        return self.shared.get(lambda: self.found, self.find)

    def find(self) -> str:
        self.count += 1
        until(lambda: len(self.clock.looks) >= THREADS, "all have asked")
        if self.failure is not None:
            raise self.failure
        self.found = "found"
        return self.found

    def outcome(self, _: int) -> str:
        try:
            return self.get()
        except ValueError as error:
            return str(error)


def test_one_looks_for_all_who_ask_at_once() -> None:
    look = Look()
    with ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(look.outcome, range(THREADS))) == {"found"}
    assert look.count == 1


def test_a_failure_is_that_of_all_who_have_waited_for_it_and_of_nobody_later() -> None:
    look = Look(ValueError("failed"))
    with ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(look.outcome, range(THREADS))) == {"failed"}
    assert look.count == 1
    look.failure = None
    assert look.get() == "found"
    assert look.count == 2


def asks(engine: FakeEngine) -> Channel:
    return Channel(a_node(), Engine(url=engine.url))


def slowly(engine: FakeEngine) -> Answer:
    """An engine whose version takes a moment, as Podman's does."""

    def answer(head: bytes) -> Iterator[bytes]:
        is_version = b"/version" in head.split(b"\r\n")[0]
        if is_version:
            engine.ended.wait(0.2)
        yield version() if is_version else http(b"OK")

    return answer


def silently(engine: FakeEngine) -> Answer:
    return lambda head: engine.silence()


def at_once(ask: Callable[[], bool]) -> list[bool]:
    together = threading.Barrier(THREADS)

    def after_all(_: int) -> bool:
        together.wait()
        return ask()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(after_all, range(THREADS)))


def answers(channel: Channel, seconds: float = 5) -> bool:
    try:
        with channel.open(seconds) as engine:
            return bool(engine.ping())
    except BackendError:
        return False


def test_an_engine_is_asked_for_its_version_once_by_all_who_come_at_once() -> None:
    with fake_engine(slowly) as engine:
        channel = asks(engine)
        assert all(at_once(lambda: answers(channel)))
        assert sum(b"/version" in head.split(b"\r\n")[0] for head in engine.heads) == 1


def test_an_engine_that_is_silent_costs_all_who_come_at_once_no_more_than_one() -> None:
    with fake_engine(silently) as engine:
        channel = asks(engine)
        began = time.monotonic()
        assert not any(at_once(lambda: answers(channel, 1)))
        assert time.monotonic() - began < 4


def test_nobody_waits_for_another_longer_than_for_the_engine() -> None:
    with fake_engine(silently) as engine, ThreadPoolExecutor(1) as threads:
        channel = asks(engine)
        patient = threads.submit(answers, channel, 5)
        until(lambda: engine.heads, "one waits for the engine")
        began = time.monotonic()
        with pytest.raises(BackendError) as refusal, channel.open(0.2):
            pass
        assert time.monotonic() - began < 2
        assert "does not answer" in str(refusal.value.problem.happened)
        engine.ended.set()
        assert not patient.result()
