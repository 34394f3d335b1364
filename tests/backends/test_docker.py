"""The docker backend on real engines, each private to these tests: Docker and Podman pass the same contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.backends.common import bench_on, expect_one_at_most, refusal_of
from tests.contracts.backend import BackendContract, Bench
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import hosts
from tests.factories import a_node
from tests.fakes import FakeClock
from tests.waiting import until
from wizard.backends import load
from wizard.backends.engine import reading, template
from wizard.domain.engine import Engine
from wizard.domain.image import Image
from wizard.domain.instance import Instance
from wizard.domain.preflight import Outcome

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]

RUNS: Mapping[str, Callable[..., AbstractContextManager[Daemon]]] = {"docker": docker_daemon, "podman": podman_service}


@pytest.fixture(scope="module", params=sorted(RUNS))
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with hosts(1) as (host,), RUNS[request.param](host) as daemon:
        yield daemon


@pytest.fixture
def bench(daemon: Daemon, issued: tuple[Image, Path]) -> Iterator[Bench]:
    node = a_node(address=daemon.host.address)
    backend = load("docker", engines={node.slug: Engine(url=daemon.url)}, clock=FakeClock(), grace=2)
    with bench_on(daemon, backend, node, issued) as bench:
        yield bench


class TestDockerBackend(BackendContract):
    """On Docker, and on Podman."""


@contextmanager
def somebodys_name(daemon: Daemon, bench: Bench) -> Iterator[Callable[[], Sequence[str]]]:
    """Somebody else calls the image something, too; what it is called."""

    def names() -> Sequence[str]:
        with daemon.client() as engine:
            return [name for image in engine.images() for name in image["RepoTags"] or ()]

    with daemon.client() as engine:
        engine.tag(f"sha256:{bench.image.image_id}", "theirs", "1")
    try:
        yield names
    finally:
        with daemon.client() as engine:
            engine.remove_image("theirs:1")


def test_unloading_takes_our_name_of_the_image_away_and_nobody_elses(daemon: Daemon, bench: Bench) -> None:
    bench.load()
    with somebodys_name(daemon, bench) as names:
        bench.backend.unload(bench.node, bench.image)
        [left] = names()
        assert left.endswith("theirs:1")
        bench.start("one")
        assert bench.is_running("one")
        bench.backend.remove(bench.node, "one")


def test_a_volume_that_somebody_else_has_made_under_our_name_is_refused_and_left_alone(
    daemon: Daemon, bench: Bench
) -> None:
    bench.load()
    name = template.volume_of(bench.image.licence)
    with daemon.client() as engine:
        engine.create_volume(name)
    assert bench.check("leftovers", "one").outcome is Outcome.FAILED
    refusal = refusal_of(lambda: bench.start("one"))
    assert (refusal.permanent, name in str(refusal.problem.happened)) == (True, True)
    assert bench.inspect("one") is None
    with daemon.client() as engine:
        assert [it["Name"] for it in engine.volumes()["Volumes"]] == [name]
        engine.remove_volume(name)
    bench.start("one")
    assert bench.is_running("one")


def test_of_two_that_are_started_at_once_on_one_volume_one_runs_at_most(bench: Bench) -> None:
    bench.load()
    expect_one_at_most(bench)
    bench.backend.start_again(bench.node, "one")
    assert bench.is_running("one")


def run(daemon: Daemon, bench: Bench, program: str, **changes: object) -> None:
    """A container of ours that runs a few lines of Python instead of the authorization application."""
    bench.load()
    body = template.container(bench.node, bench.image, bench.port)
    body |= {"Entrypoint": ["python3", "-c", program], "Cmd": []}
    body["HostConfig"] |= changes
    with daemon.client() as engine:
        engine.create_container_from_config(body, "one")
        engine.start("one")


def test_of_an_output_without_end_the_last_part_is_read(daemon: Daemon, bench: Bench) -> None:
    """Both streams, each in frames, which is the API's way without a terminal."""
    program = "import sys; print('one', flush=True); sys.stderr.write('x' * 3_000_000 + '\\nthe \\x1b[31mend\\n')"
    run(daemon, bench, program, RestartPolicy={"Name": "no"})
    until(lambda: not bench.is_running("one"), "it has ended")  # Podman refuses a log whose last line is half written
    output = until(lambda: ended(bench.backend.logs(bench.node, "one")), "it has printed all")
    assert len(output) <= reading.LONGEST_OUTPUT
    assert output.endswith("x\nthe end\n")
    assert bench.backend.logs(bench.node, "one", lines=1) == "the end\n"


def ended(output: str) -> str:
    return output if output.endswith("end\n") else ""


def test_what_the_engine_starts_again_and_again_is_counted(daemon: Daemon, bench: Bench) -> None:
    run(daemon, bench, "raise SystemExit(7)")

    def restarted() -> Instance | None:
        [instance] = bench.backend.containers(bench.node)
        return instance if instance.restarts > 1 and not instance.running else None

    instance = until(restarted, "it was started again")
    assert (instance.exit_code, instance.licence) == (7, bench.image.licence)


def test_one_that_is_paused_is_told_so_counts_as_running_and_can_be_removed(daemon: Daemon, bench: Bench) -> None:
    bench.load()
    bench.start("one")
    with daemon.client() as engine:
        engine.pause("one")
        assert is_paused(bench)
        bench.start("one")
        bench.backend.start_again(bench.node, "one")
        engine.unpause("one")
        assert not is_paused(bench)
        engine.pause("one")
    bench.backend.remove(bench.node, "one")
    assert bench.inspect("one") is None


def is_paused(bench: Bench) -> bool:
    """It runs in either case."""
    instance = bench.inspect("one")
    assert instance is not None
    assert (instance.running, instance.exit_code) == (True, None)
    return instance.paused


def test_memory_that_was_not_enough_is_said_as_far_as_the_engine_tells(daemon: Daemon, bench: Bench) -> None:
    """Podman tells it since 5."""
    run(daemon, bench, "bytearray(1 << 30)", RestartPolicy={"Name": "no"})
    instance = until(lambda: ended_instance(bench), "it has ended")
    assert instance.exit_code == 137
    assert instance.out_of_memory or "podman" in str(bench.backend.health(bench.node).detail).lower()


def ended_instance(bench: Bench) -> Instance | None:
    instance = bench.inspect("one")
    return instance if instance and not instance.running else None
