"""What was left half done is mended or cleaned up; what is somebody else's is left alone."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.factories import (
    NOW,
    a_cluster,
    a_deployed_registration,
    a_deployment,
    a_node,
    a_project,
    a_registration,
    a_status,
    an_image,
    an_operation,
)
from tests.fakes import Container, Engine, FakeBackend, FakeClock, MemoryStore, broken
from tests.jobs.toy import Toy, a_workshop
from wizard.domain.deployment import ServerState
from wizard.domain.operation import OperationState
from wizard.jobs.reconciler import Reconciler
from wizard.jobs.rounds import Rounds
from wizard.ports import Task, Workshop
from wizard.steps import deploy

NODE = a_node()
OPERATION = "0123456789abcdef"
LEFT = f"fineops-license-{OPERATION[:12]}"
KEPT = a_deployment().name

Job = Callable[[], None]


@pytest.fixture
def backend(workshop: Workshop) -> FakeBackend:
    assert isinstance(workshop.backend, FakeBackend)
    return workshop.backend


@pytest.fixture
def engine(backend: FakeBackend) -> Engine:
    return backend.engines[NODE.slug]


@pytest.fixture
def reconciler(workshop: Workshop) -> Reconciler:
    return Reconciler(workshop)


def a_container(**changes: object) -> Container:
    return replace(Container(an_image(), 18081), **changes)  # type: ignore[arg-type]


def ended(store: MemoryStore, state: OperationState, *, has_left: bool = True) -> None:
    """Have an operation of the registration r1 end so; its node was away while it was to be taken back."""
    store.queue(an_operation(id=OPERATION))
    claimed = store.claim("worker", NOW)
    assert claimed
    store.record(replace(claimed.ended(state, NOW), has_left=has_left), "worker")


def test_a_container_is_named_as_a_deployment_names_it(workshop: Workshop) -> None:
    task = Task(workshop=workshop, operation=OPERATION, progress=lambda done, total: None, wait=lambda seconds: None)
    assert deploy.name_of(task) == LEFT


class TestWhatIsDeployed:
    def test_one_that_does_not_run_is_started_again_and_that_is_said(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.save(a_deployed_registration())
        engine.containers[KEPT] = a_container(running=False)
        reconciler.reconcile(NODE)
        assert engine.containers[KEPT].running
        assert f"{KEPT} on {NODE.slug} does not run, and should" in caplog.text

    def test_one_that_runs_is_left_alone(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, backend: FakeBackend
    ) -> None:
        store.save(a_deployed_registration())
        engine.containers[KEPT] = a_container()
        reconciler.reconcile(NODE)
        assert backend.calls == [("containers", NODE.slug)]

    def test_one_that_is_being_worked_on_is_left_alone(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine
    ) -> None:
        store.save(a_deployed_registration())
        store.queue(an_operation())
        engine.containers[KEPT] = a_container(running=False)
        reconciler.reconcile(NODE)
        assert not engine.containers[KEPT].running

    def test_one_that_was_retired_stays_down(self, reconciler: Reconciler, store: MemoryStore, engine: Engine) -> None:
        store.save(a_deployed_registration(server=a_status(state=ServerState.RETIRED)))
        engine.containers[KEPT] = a_container(running=False)
        reconciler.reconcile(NODE)
        assert not engine.containers[KEPT].running

    def test_one_of_that_name_on_another_node_is_left_alone(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine
    ) -> None:
        store.save(a_deployed_registration(deployment=a_deployment(node="elsewhere")))
        engine.containers[KEPT] = a_container(running=False)
        reconciler.reconcile(NODE)
        assert not engine.containers[KEPT].running

    def test_a_backend_that_restarts_its_own_is_left_to_it(
        self, workshop: Workshop, store: MemoryStore, backend: FakeBackend
    ) -> None:
        class Supervisor(FakeBackend):
            def keep_running(self) -> None: ...
            def pause(self) -> None: ...

        supervisor = Supervisor()
        supervisor.engines[NODE.slug].containers[KEPT] = a_container(running=False)
        store.save(a_deployed_registration())
        Reconciler(replace(workshop, backend=supervisor)).reconcile(NODE)
        assert supervisor.count("start_again") == 0

    def test_one_that_cannot_be_started_keeps_nobody_from_the_next(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, backend: FakeBackend
    ) -> None:
        store.save(a_deployed_registration())
        store.save(a_deployed_registration(id="r2", deployment=a_deployment(name="second")))
        engine.containers[KEPT] = a_container(running=False)
        engine.containers["second"] = a_container(image=an_image(licence="ff" * 8), port=18082, running=False)
        backend.fail("start_again", broken("the port is taken"))
        reconciler.reconcile(NODE)
        assert [it.running for it in engine.containers.values()] == [False, True]
        reconciler.reconcile(NODE)
        assert engine.containers[KEPT].running

    def test_one_that_is_gone_is_not_made_anew_but_said_once(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.save(a_deployed_registration())
        reconciler.reconcile(NODE)
        reconciler.reconcile(NODE)
        assert engine.containers == {}
        assert caplog.text.count("is not on sales-main any more") == 1

    def test_what_is_deployed_elsewhere_is_not_missed_here(
        self, reconciler: Reconciler, store: MemoryStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.save(a_deployed_registration(deployment=a_deployment(node="elsewhere")))
        reconciler.reconcile(NODE)
        assert caplog.text == ""


class TestWhatWasLeft:
    @pytest.mark.parametrize("state", [OperationState.FAILED, OperationState.ABORTED])
    def test_the_container_of_an_operation_without_a_result_is_removed_and_its_volume_stays(
        self, state: OperationState, reconciler: Reconciler, store: MemoryStore, engine: Engine
    ) -> None:
        store.save(a_registration())
        ended(store, state)
        engine.containers[LEFT] = a_container()
        engine.volumes[an_image().licence] = {}
        reconciler.reconcile(NODE)
        assert engine.containers == {}
        assert list(engine.volumes) == [an_image().licence]

    def test_the_container_of_an_operation_under_way_is_left_alone(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.save(a_registration())
        store.queue(an_operation(id=OPERATION))
        engine.containers[LEFT] = a_container()
        reconciler.reconcile(NODE)
        assert list(engine.containers) == [LEFT]
        assert caplog.text == ""

    def test_what_was_deployed_is_never_taken_for_left_behind(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine
    ) -> None:
        store.save(a_deployed_registration(deployment=a_deployment(name=LEFT)))
        ended(store, OperationState.FAILED)
        engine.containers[LEFT] = a_container()
        reconciler.reconcile(NODE)
        assert list(engine.containers) == [LEFT]

    def test_what_was_given_up_is_left_to_those_who_remove_it(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.save(a_registration(discarded=(a_deployment(name=LEFT),)))
        engine.containers[LEFT] = a_container()
        reconciler.reconcile(NODE)
        assert list(engine.containers) == [LEFT]
        assert caplog.text == ""

    @pytest.mark.parametrize("name", [LEFT, f"{LEFT}0", "fineops-license-", "made-by-hand"])
    def test_what_this_store_does_not_know_is_never_touched_and_said_once(
        self,
        name: str,
        reconciler: Reconciler,
        engine: Engine,
        backend: FakeBackend,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The database was lost, or another wizard made it."""
        engine.containers[name] = a_container(running=False)
        reconciler.reconcile(NODE)
        reconciler.reconcile(NODE)
        assert {call[0] for call in backend.calls} == {"containers"}
        assert caplog.text.count("not known here") == 1


class TestImages:
    """What an operation that failed has loaded goes, too, once its node is back."""

    @pytest.fixture(autouse=True)
    def loaded(self, store: MemoryStore, engine: Engine) -> None:
        store.save(a_registration(node=NODE, image=an_image()))
        engine.images.add(an_image().digest)

    def test_the_image_of_an_operation_without_a_result_is_unloaded_once(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, backend: FakeBackend
    ) -> None:
        ended(store, OperationState.FAILED)
        reconciler.reconcile(NODE)
        reconciler.reconcile(NODE)
        assert engine.images == set()
        assert backend.count("unload") == 1

    def test_where_everything_was_taken_back_nothing_is_unloaded(
        self, reconciler: Reconciler, store: MemoryStore, backend: FakeBackend
    ) -> None:
        ended(store, OperationState.FAILED, has_left=False)
        reconciler.reconcile(NODE)
        assert backend.count("unload") == 0

    def test_an_image_that_an_operation_under_way_has_loaded_stays(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine
    ) -> None:
        ended(store, OperationState.FAILED)
        store.save(a_registration(id="r2", node=NODE, image=an_image()))
        store.queue(an_operation(id="fedcba9876543210", registration_id="r2"))
        reconciler.reconcile(NODE)
        assert engine.images == {an_image().digest}

    def test_what_could_not_be_unloaded_is_tried_again(
        self, reconciler: Reconciler, store: MemoryStore, engine: Engine, backend: FakeBackend
    ) -> None:
        ended(store, OperationState.ABORTED)
        backend.fail("unload", broken(permanent=False))
        reconciler.reconcile(NODE)
        assert engine.images == {an_image().digest}
        reconciler.reconcile(NODE)
        assert engine.images == set()


class TestRounds:
    def test_each_node_is_a_job_of_its_own_and_never_begun_twice(
        self, store: MemoryStore, clock: FakeClock, tmp_path: Path
    ) -> None:
        line: list[Job] = []
        rounds = Rounds(a_workshop(store, clock, tmp_path, a_project(), a_cluster()), Toy().flow, line.append)
        rounds.reconcile()
        rounds.reconcile()
        assert len(line) == 4

    def test_a_node_that_does_not_answer_delays_no_other(
        self, store: MemoryStore, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        workshop = a_workshop(store, clock, tmp_path, a_project(), a_cluster())
        assert isinstance(workshop.backend, FakeBackend)
        workshop.backend.fail("containers", broken("no answer", permanent=False))
        with caplog.at_level(logging.INFO):
            Rounds(workshop, Toy().flow, lambda job: job()).reconcile()
        assert workshop.backend.count("containers") == 4
        assert "no answer" in caplog.text
