"""The embedded backend: the contract, and what only it does. A stand-in is run in the place of the real server."""

import hashlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.contracts.backend import BackendContract, Bench
from tests.factories import NOW, a_node, an_image
from tests.fakes import FakeClock
from wizard.backends import load
from wizard.backends.embedded import EmbeddedBackend, supervision
from wizard.backends.embedded.folders import NodeFolder, Process, Wanted
from wizard.domain.image import Image
from wizard.errors import BackendError, InvalidInput

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))
NODE = a_node(address="127.0.0.77")


def free_port() -> int:
    """One of two free neighbours."""
    while True:
        with socket.create_server((NODE.address, 0)) as probe:
            port = int(probe.getsockname()[1])
            try:
                with socket.create_server((NODE.address, port + 1)):
                    return port
            except OSError:
                continue


def an_archive(folder: Path, behaviour: str = "works") -> tuple[Path, Image]:
    """The stand-in takes its claims, and so its behaviour, from the archive's beginning."""
    archive = folder / f"{behaviour}.tar"
    archive.write_bytes(behaviour.encode() + b"\0" * 3_000_000)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return archive, an_image(digest=digest, size=archive.stat().st_size)


def claims_of(archive: Path) -> bytes:
    return archive.read_bytes()[:64].rstrip(b"\0")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Callable[[], EmbeddedBackend]:
    def make() -> EmbeddedBackend:
        return EmbeddedBackend(
            data=tmp_path / "data",
            vendor_keys=tmp_path / "vendor.pub",
            claims_of=claims_of,
            command=STAND_IN,
            grace=0.3,
            clock=clock,
        )

    return make


@pytest.fixture
def bench(tmp_path: Path, make: Callable[[], EmbeddedBackend]) -> Iterator[Bench]:
    with a_bench(tmp_path, make(), "works").cleaned() as bench:
        yield bench


def a_bench(folder: Path, backend: EmbeddedBackend, behaviour: str) -> Bench:
    archive, image = an_archive(folder, behaviour)
    return Bench(
        backend=backend,
        node=NODE,
        image=image,
        archive=archive,
        port=free_port(),
        occupied=lambda port: socket.create_server((NODE.address, port)),
        says="started",
        put_config=lambda name, content: void(files(folder).volume(image.licence).joinpath(name).write_bytes(content)),
    )


def void(result: object) -> None:
    """Forgets a result."""


def files(folder: Path) -> NodeFolder:
    return NodeFolder(folder / "data" / "nodes", NODE.slug)


def pid_of(folder: Path, name: str = "one") -> int:
    begun = files(folder).process(name)
    assert begun
    return begun.process.pid


def wait_until(condition: Callable[[], bool]) -> None:
    """For what another process does in its own time."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(partial(has_ended, pid))


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


class TestEmbeddedBackend(BackendContract):
    pass


def test_it_is_loaded_by_name(tmp_path: Path) -> None:
    backend = load(
        "embedded", data=tmp_path, vendor_keys=tmp_path / "vendor.pub", claims_of=claims_of, clock=FakeClock()
    )
    assert isinstance(backend, EmbeddedBackend)
    with pytest.raises(InvalidInput):
        load("podman-on-the-moon")


def test_an_address_of_another_machine_is_not_well(bench: Bench) -> None:
    health = bench.backend.health(a_node(address="192.0.2.1"))
    assert not health.well
    assert str(health.detail) == "192.0.2.1 is no address of this machine."


def test_a_held_port_names_the_program_and_its_pid(bench: Bench) -> None:
    with bench.occupied(bench.port):
        check = bench.backend.preflight(NODE, bench.image, bench.port, "one", NOW).port
    assert str(check.holder) == f"{psutil.Process().name()} (process {os.getpid()})"


def test_a_port_held_by_one_of_ours_names_it(bench: Bench) -> None:
    bench.load()
    bench.start("one")
    check = bench.backend.preflight(NODE, bench.image, bench.port, "two", NOW).port
    assert str(check.holder) == "the authorization application one"


def test_a_port_of_a_server_on_all_addresses_is_held(bench: Bench) -> None:
    with socket.create_server(("0.0.0.0", bench.port)):
        assert not bench.is_free(bench.port)


def test_the_port_of_a_container_that_is_about_to_be_restarted_is_held(bench: Bench, tmp_path: Path) -> None:
    bench.load()
    bench.start("one")
    kill(pid_of(tmp_path))
    assert not bench.is_free(bench.port, "two")


def test_it_ends_at_once_with_its_own_words(tmp_path: Path, make: Callable[[], EmbeddedBackend]) -> None:
    with a_bench(tmp_path, make(), "dies").cleaned() as bench:
        bench.load()
        with pytest.raises(BackendError) as refusal:
            bench.start("one")
        assert refusal.value.problem.raw == "the claims cannot be read\n"
        instance = bench.inspect("one")
        assert instance
        assert (instance.running, instance.exit_code) == (False, 1)


def test_what_ended_at_its_start_is_not_restarted(tmp_path: Path, make: Callable[[], EmbeddedBackend]) -> None:
    backend = make()
    with a_bench(tmp_path, backend, "dies").cleaned() as bench:
        bench.load()
        with pytest.raises(BackendError):
            bench.start("one")
        backend.keep_running()
        assert "cannot be read" in backend.logs(NODE, "one")
        assert len(backend.logs(NODE, "one").splitlines()) == 1


def test_a_stubborn_one_is_killed_after_the_grace(tmp_path: Path, make: Callable[[], EmbeddedBackend]) -> None:
    with a_bench(tmp_path, make(), "stubborn").cleaned() as bench:
        bench.load()
        bench.start("one")
        wait_until(lambda: "started" in bench.backend.logs(NODE, "one"))
        bench.backend.stop(NODE, "one")
        instance = bench.inspect("one")
        assert instance
        assert (instance.running, instance.exit_code) == (False, -signal.SIGKILL)


def test_it_inherits_no_secret_and_works_in_its_own_folder(bench: Bench, tmp_path: Path) -> None:
    bench.load()
    bench.start("one")
    environment = bench.backend.read_config(NODE, "one", "environment")
    assert environment
    assert set(environment.decode().split()) <= {"LANG", "LC_CTYPE", "PATH", "PYTHONPATH", "PYTHONUNBUFFERED"}
    assert str(files(tmp_path).folder("one")) in bench.backend.logs(NODE, "one")


def test_it_leads_a_session_of_its_own(bench: Bench, tmp_path: Path) -> None:
    bench.load()
    bench.start("one")
    assert os.getsid(pid_of(tmp_path)) == pid_of(tmp_path)


class TestFoundAgain:
    def test_another_worker_finds_it_and_starts_no_second_one(
        self, bench: Bench, tmp_path: Path, make: Callable[[], EmbeddedBackend]
    ) -> None:
        bench.load()
        bench.start("one")
        pid = pid_of(tmp_path)
        another = make()
        another.start(NODE, bench.image, bench.port, "one")
        another.keep_running()
        assert pid_of(tmp_path) == pid
        assert another.inspect(NODE, "one") == bench.inspect("one")

    def test_a_recycled_pid_is_not_taken_for_it(self, bench: Bench, tmp_path: Path) -> None:
        bench.load()
        bench.start("one")
        bench.backend.stop(NODE, "one")
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
            record = files(tmp_path).process("one")
            assert record
            name = record.process.__class__(machine=record.process.machine, pid=stranger.pid, started=0.0)
            files(tmp_path).keep_process("one", Process(process=name, begun_at=NOW))
            assert not bench.is_running("one")
            bench.backend.stop(NODE, "one")
            assert stranger.poll() is None

    def test_one_whose_starter_was_killed_before_writing_its_pid_is_found_by_its_command(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        bench.load()
        bench.start("one")
        pid = pid_of(tmp_path)
        (files(tmp_path).folder("one") / "process.json").unlink()
        assert bench.is_running("one")
        bench.start("one")
        bench.backend.remove(NODE, "one")
        assert not psutil.pid_exists(pid)


class TestKeptRunning:
    def test_what_was_killed_is_started_again(
        self, tmp_path: Path, make: Callable[[], EmbeddedBackend], clock: FakeClock
    ) -> None:
        backend = make()
        with a_bench(tmp_path, backend, "works").cleaned() as bench:
            bench.load()
            bench.start("one")
            clock.advance(minutes=1)
            kill(pid_of(tmp_path))
            backend.keep_running()
            assert bench.is_running("one")

    def test_what_was_stopped_stays_stopped(self, tmp_path: Path, make: Callable[[], EmbeddedBackend]) -> None:
        backend = make()
        with a_bench(tmp_path, backend, "works").cleaned() as bench:
            bench.load()
            bench.start("one")
            backend.stop(NODE, "one")
            backend.keep_running()
            assert not bench.is_running("one")

    def test_what_was_paused_is_started_again_and_what_was_stopped_is_not(
        self, tmp_path: Path, make: Callable[[], EmbeddedBackend]
    ) -> None:
        backend = make()
        with a_bench(tmp_path, backend, "works").cleaned() as bench:
            bench.load()
            bench.start("one")
            backend.start(NODE, replace(bench.image, licence="ffffffffffffffff"), bench.port + 1, "two")
            backend.stop(NODE, "two")
            backend.pause()
            assert not bench.is_running("one")
            backend.keep_running()
            assert (bench.is_running("one"), bench.is_running("two")) == (True, False)

    def test_one_that_was_to_be_begun_when_the_worker_was_killed_is_begun(
        self, tmp_path: Path, make: Callable[[], EmbeddedBackend]
    ) -> None:
        backend = make()
        with a_bench(tmp_path, backend, "works").cleaned() as bench:
            bench.load()
            bench.start("one")
            container = files(tmp_path).container("one")
            assert container
            backend.remove(NODE, "one")
            files(tmp_path).keep(container)
            backend.keep_running()
            assert bench.is_running("one")

    def test_the_fifth_quick_death_is_the_last(
        self, tmp_path: Path, make: Callable[[], EmbeddedBackend], clock: FakeClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        backend = make()
        with a_bench(tmp_path, backend, "dies later").cleaned() as bench, caplog.at_level(logging.ERROR):
            bench.load()
            bench.start("one")
            for _ in range(supervision.MOST_QUICK_DEATHS):
                pid = pid_of(tmp_path)
                wait_until(partial(has_ended, pid))
                backend.keep_running()
                clock.advance(seconds=16)
                backend.keep_running()
            container = files(tmp_path).container("one")
            assert container
            assert container.wanted is Wanted.GIVEN_UP
            assert pid_of(tmp_path) == pid
            assert "Ended 5 times soon after its start" in backend.logs(NODE, "one")
            assert "stays down" in caplog.text
            instance = backend.inspect(NODE, "one")
            assert instance
            assert (instance.running, instance.exit_code) == (False, 3)
