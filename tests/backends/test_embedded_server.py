"""The embedded backend with the real authorization application, asked over its real HTTPS."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.backends.test_embedded import NODE, a_bench, pid_of, wait_until
from tests.contracts.backend import Bench
from tests.factories import NOW
from tests.fakes import FakeClock
from tests.licensing.issuing import Vendor, another
from wizard.backends.embedded import EmbeddedBackend
from wizard.domain.deployment import Endpoint, Judgement, ServerState, ServerStatus
from wizard.errors import BackendError
from wizard.licensing.protocol.api import PIN_FILE, PRIVATE_CONFIG
from wizard.licensing.protocol.claims import dump_vendor_keys, sign_claims
from wizard.relay import PinnedRelay

VENDOR = Vendor()
CLAIMS = VENDOR.claims(registrations=2)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Iterator[Bench]:
    (tmp_path / "vendor.pub").write_bytes(dump_vendor_keys({CLAIMS.kid: VENDOR.signing.public_key()}))
    backend = EmbeddedBackend(
        data=tmp_path / "data",
        vendor_keys=tmp_path / "vendor.pub",
        claims_of=lambda archive: sign_claims(CLAIMS, VENDOR.signing),
        clock=clock,
    )
    with a_bench(tmp_path, backend, "real").cleaned() as bench:
        bench.load()
        bench.start("one")
        yield bench


def eventually(ask: Callable[[], ServerStatus]) -> ServerStatus:
    """It answers in its own time."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return ask()
        except BackendError as error:
            if error.permanent or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def endpoint(bench: Bench) -> Endpoint:
    deadline = time.monotonic() + 20
    while (pin := bench.backend.read_config(NODE, "one", PIN_FILE)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return Endpoint(address=NODE.address, port=bench.port, pin=pin.decode().strip())


def status(bench: Bench) -> ServerStatus:
    return eventually(lambda: PinnedRelay().status(endpoint(bench), NOW))


def group_has_ended(leader: int) -> bool:
    """Whether nothing of the container is left that could hold its port or its volume. Zombies hold nothing."""
    processes = psutil.process_iter(["status"])
    living = [process.pid for process in processes if process.info["status"] != psutil.STATUS_ZOMBIE]
    return leader not in map(group_of, living)


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:  # it has ended just now
        return None


def test_it_answers_over_pinned_https(bench: Bench) -> None:
    said = status(bench)
    assert (said.state, said.tries_left, said.registrations) == (ServerState.UNAUTHENTICATED, 6, 2)


def test_the_code_that_the_vendor_answers_is_accepted(bench: Bench) -> None:
    status(bench)
    relay = PinnedRelay()
    challenge = relay.challenge(endpoint(bench), NOW)
    assert (challenge.expires_at - challenge.created_at).total_seconds() == 300
    verdict = relay.submit(endpoint(bench), challenge.id, VENDOR.answer(challenge.url), NOW)
    assert (verdict.judgement, verdict.status.state) == (Judgement.ACCEPTED, ServerState.VERIFIED)


def test_a_wrong_code_is_counted_across_a_crash_that_the_backend_mends(
    bench: Bench, tmp_path: Path, clock: FakeClock
) -> None:
    before = status(bench)
    relay = PinnedRelay()
    challenge = relay.challenge(endpoint(bench), NOW)
    verdict = relay.submit(endpoint(bench), challenge.id, another(VENDOR.answer(challenge.url)), NOW)
    assert (verdict.judgement, verdict.status.tries_left) == (Judgement.WRONG, 5)
    pid = pid_of(tmp_path)
    os.killpg(pid, signal.SIGKILL)
    wait_until(partial(group_has_ended, pid))
    clock.advance(minutes=1)
    assert isinstance(bench.backend, EmbeddedBackend)
    bench.backend.keep_running()
    after = status(bench)
    assert after.instance == before.instance
    assert after.tries_left == 5


def test_it_is_stopped_cleanly_well_within_the_grace_and_started_again(bench: Bench) -> None:
    before = status(bench)
    begun = time.monotonic()
    bench.backend.stop(NODE, "one")
    assert time.monotonic() - begun < 5
    instance = bench.inspect("one")
    assert instance
    assert instance.exit_code == 0
    bench.backend.start_again(NODE, "one")
    assert status(bench).instance == before.instance


def test_its_private_config_can_be_read(bench: Bench) -> None:
    status(bench)
    assert bench.backend.read_config(NODE, "one", PRIVATE_CONFIG)


def test_claims_that_nobody_signed_end_it_with_its_own_words(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "vendor.pub").write_bytes(dump_vendor_keys({}))
    other = replace(bench.image, licence="ffffffffffffffff")
    with pytest.raises(BackendError) as failure:
        bench.backend.start(NODE, other, bench.port + 1, "two")
    assert "cannot run" in failure.value.problem.raw
