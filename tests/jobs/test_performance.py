"""An operation is done in order, or taken back whole; and it goes on after whatever befell its worker."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.factories import (
    a_check,
    a_deployment,
    a_port_check,
    a_preflight,
    a_registration,
    an_operation,
)
from tests.fakes import FakeBackend, FakeClock, MemoryStore, broken
from tests.jobs.toy import Toy, a_step
from wizard.domain.operation import LEASE, Operation, OperationState, PhaseRecord
from wizard.domain.preflight import Outcome
from wizard.errors import InvalidInput
from wizard.flow import Flow
from wizard.jobs.performance import MOST_ATTEMPTS, PAUSES, Performance
from wizard.ports import Task, Workshop
from wizard.text import say

DOUBTED = a_preflight(checks=(a_check(outcome=Outcome.DOUBTFUL),))


class Shop:
    """Queues one operation of the toy's step, and performs it."""

    def __init__(self, toy: Toy, workshop: Workshop, store: MemoryStore, clock: FakeClock) -> None:
        self.toy, self.workshop, self.store, self.clock = toy, workshop, store, clock
        self.stop = threading.Event()
        store.save(a_registration())
        phases = tuple(PhaseRecord(slug=slug) for slug in ("one", "two", "three"))
        store.queue(an_operation(kind="toy", phases=phases))

    def perform(self, owner: str = "worker", flow: Flow | None = None) -> Operation:
        claimed = self.store.claim(owner, self.clock())
        assert claimed
        flow = flow or self.toy.flow
        Performance(claimed, owner, self.workshop, flow, self.stop, self.clock.sleep).run()
        return self.operation

    @property
    def operation(self) -> Operation:
        return self.store.operation("op1")

    def die(self, owner: str = "dead") -> None:
        """Claim it as a worker that is killed at once."""
        self.store.claim(owner, self.clock())
        self.store.release(owner)


@pytest.fixture
def shop(toy: Toy, workshop: Workshop, store: MemoryStore, clock: FakeClock) -> Shop:
    return Shop(toy, workshop, store, clock)


def raising(error: BaseException) -> Callable[[Task], None]:
    def phase(task: Task) -> None:
        raise error

    return phase


def objecting(shop: Shop) -> None:
    shop.store.registration("r1").checked(DOUBTED).accept(())


def test_the_phases_are_done_in_order_and_the_registration_is_saved(shop: Shop) -> None:
    operation = shop.perform()
    assert shop.toy.happened == ["one", "two", "three"]
    assert (operation.state, operation.problem) == (OperationState.DONE, None)
    assert shop.store.registration("r1").preflight == a_preflight()
    assert shop.store.registration("r1").version == 2
    assert shop.store.owners() == []


def test_each_phase_tells_when_it_began_and_ended(shop: Shop) -> None:
    begun = shop.clock()
    shop.toy.does["two"] = lambda task: task.wait(3)
    one, two, three = shop.perform().phases
    assert (one.started_at, one.ended_at) == (begun, begun)
    assert two.ended_at == three.started_at
    assert two.started_at
    assert two.ended_at
    assert (two.ended_at - two.started_at).total_seconds() == 3


class TestFailure:
    def test_a_refusal_is_undone_in_reverse_and_told(self, shop: Shop) -> None:
        shop.toy.does["two"] = raising(broken("no space left on device"))
        operation = shop.perform()
        assert shop.toy.happened == ["one", "two", "undo two", "undo one"]
        assert operation.state is OperationState.FAILED
        assert operation.problem
        assert operation.problem.raw == "no space left on device"
        assert [phase.failed for phase in operation.phases] == [False, True, False]

    def test_nothing_of_a_failed_operation_is_saved(self, shop: Shop) -> None:
        shop.toy.does["three"] = raising(broken())
        shop.perform()
        assert shop.store.registration("r1") == a_registration(version=1)

    def test_an_invalid_input_is_undone_and_told_without_further_tries(self, shop: Shop) -> None:
        shop.toy.does["two"] = raising(InvalidInput(say("The port is taken."), field="port", offer="18082"))
        operation = shop.perform()
        assert shop.toy.happened.count("two") == 1
        assert operation.problem
        assert (operation.problem.field, operation.problem.offer) == ("port", "18082")

    def test_what_an_objection_found_out_is_kept_and_the_refusal_is_of_that_version(self, shop: Shop) -> None:
        shop.toy.does["one"] = lambda task: objecting(shop)
        operation = shop.perform()
        kept = shop.store.registration("r1")
        assert kept.preflight == DOUBTED
        assert (operation.state, operation.version) == (OperationState.FAILED, kept.version)
        assert operation.problem
        assert "was not accepted" in str(operation.problem.happened)

    def test_an_objection_to_what_was_changed_meanwhile_is_made_again_to_what_is_chosen_now(self, shop: Shop) -> None:
        def changed_meanwhile(task: Task) -> None:
            if len(shop.toy.happened) == 1:
                old = shop.store.registration("r1")
                shop.store.save(replace(old, port=18082))
                old.checked(DOUBTED).accept(())
            objecting(shop)

        shop.toy.does["one"] = changed_meanwhile
        assert shop.perform().state is OperationState.QUEUED
        assert shop.store.registration("r1").preflight is None
        assert shop.perform().state is OperationState.FAILED
        assert (shop.store.registration("r1").port, shop.store.registration("r1").preflight) == (18082, DOUBTED)

    def test_what_may_pass_by_itself_is_tried_again_after_longer_and_longer_pauses(self, shop: Shop) -> None:
        errors = [broken(permanent=False)] * 2

        def sometimes(task: Task) -> None:
            if errors:
                raise errors.pop()

        shop.toy.does["two"] = sometimes
        assert shop.perform().state is OperationState.DONE
        assert shop.toy.happened == ["one", "two", "two", "two", "three"]
        assert sum(shop.clock.slept) == sum(PAUSES[:2])

    def test_what_does_not_pass_fails_in_the_end(self, shop: Shop) -> None:
        shop.toy.does["two"] = raising(broken("still down", permanent=False))
        operation = shop.perform()
        assert shop.toy.happened.count("two") == len(PAUSES) + 1
        assert operation.problem
        assert operation.problem.raw == "still down"

    def test_a_programming_error_is_undone_and_told_without_its_words(
        self, shop: Shop, caplog: pytest.LogCaptureFixture
    ) -> None:
        shop.toy.does["two"] = raising(ZeroDivisionError("secret"))
        with caplog.at_level(logging.ERROR):
            operation = shop.perform()
        assert shop.toy.happened == ["one", "two", "undo two", "undo one"]
        assert operation.problem
        assert "op1" in str(operation.problem.why)
        assert "secret" not in str(operation.problem)
        assert "ZeroDivisionError" in caplog.text

    def test_what_cannot_be_taken_back_is_told_and_the_rest_is_taken_back(self, shop: Shop) -> None:
        shop.toy.does["three"] = raising(broken("it broke"))
        shop.toy.undoes["two"] = raising(broken("it is stuck"))
        operation = shop.perform()
        assert shop.toy.happened[-3:] == ["undo three", "undo two", "undo one"]
        assert operation.problem
        assert "it broke" in operation.problem.raw
        assert "it is stuck" in operation.problem.raw


class TestAbort:
    def test_an_abort_during_the_last_phase_is_not_too_late(self, shop: Shop) -> None:
        """What it has made would stay, and nobody would hear that the abort came to nothing."""
        shop.toy.does["three"] = lambda task: shop.store.ask_to_abort("op1")
        assert shop.perform().state is OperationState.ABORTED
        assert shop.toy.happened[-3:] == ["undo three", "undo two", "undo one"]
        assert shop.store.registration("r1") == a_registration(version=1)

    def test_an_abort_between_phases_undoes_what_was_done(self, shop: Shop) -> None:
        shop.toy.does["one"] = lambda task: shop.store.ask_to_abort("op1")
        operation = shop.perform()
        assert shop.toy.happened == ["one", "undo one"]
        assert (operation.state, operation.problem) == (OperationState.ABORTED, None)

    def test_an_abort_is_noticed_by_progress(self, shop: Shop) -> None:
        def load(task: Task) -> None:
            for done in range(100):
                if done == 50:
                    shop.store.ask_to_abort("op1")
                shop.clock.advance(seconds=0.1)
                task.progress(done, 100)
            pytest.fail("it went on to the end")

        shop.toy.does["two"] = load
        assert shop.perform().state is OperationState.ABORTED
        assert shop.toy.happened == ["one", "two", "undo two", "undo one"]

    def test_an_abort_is_noticed_while_waiting(self, shop: Shop) -> None:
        def wait(task: Task) -> None:
            shop.store.ask_to_abort("op1")
            task.wait(3600)

        shop.toy.does["two"] = wait
        assert shop.perform().state is OperationState.ABORTED
        assert shop.clock.slept == []

    def test_an_abort_before_it_was_taken_up_does_nothing(self, shop: Shop) -> None:
        shop.store.ask_to_abort("op1")
        assert shop.perform().state is OperationState.ABORTED
        assert shop.toy.happened == []

    def test_the_wish_to_abort_does_not_interrupt_the_taking_back(self, shop: Shop) -> None:
        def undo(task: Task) -> None:
            task.progress(1, 2)
            task.wait(2)

        shop.toy.does["one"] = lambda task: shop.store.ask_to_abort("op1")
        shop.toy.undoes["one"] = undo
        assert shop.perform().problem is None

    def test_an_abort_that_leaves_something_behind_says_so(self, shop: Shop) -> None:
        shop.toy.does["one"] = lambda task: shop.store.ask_to_abort("op1")
        shop.toy.undoes["one"] = raising(broken("it is stuck"))
        operation = shop.perform()
        assert operation.state is OperationState.ABORTED
        assert operation.problem
        assert "it is stuck" in operation.problem.raw


class TestProgress:
    def test_it_is_written_five_times_a_second_at_most(self, shop: Shop) -> None:
        revisions: set[str] = set()

        def load(task: Task) -> None:
            for done in range(1000):
                shop.clock.advance(milliseconds=1)
                task.progress(done, 1000)
                revisions.add(shop.store.revision("r1"))

        shop.toy.does["two"] = load
        shop.perform()
        assert 4 <= len(revisions) <= 6

    def test_it_is_there_while_the_phase_runs(self, shop: Shop) -> None:
        def load(task: Task) -> None:
            shop.clock.advance(seconds=1)
            task.progress(30, 100)
            assert (shop.operation.phases[1].done, shop.operation.phases[1].total) == (30, 100)

        shop.toy.does["two"] = load
        assert shop.perform().state is OperationState.DONE


class TestAfterACrash:
    def test_all_phases_are_run_again_from_the_first(self, shop: Shop) -> None:
        shop.die()
        assert shop.perform().attempt == 2
        assert shop.toy.happened == ["one", "two", "three"]

    def test_what_an_earlier_attempt_began_is_undone_too(self, shop: Shop) -> None:
        claimed = shop.store.claim("dead", shop.clock())
        assert claimed
        begun = claimed.progressed("one", started_at=shop.clock()).progressed("two", started_at=shop.clock())
        shop.store.record(begun, "dead")
        shop.store.release("dead")
        shop.store.ask_to_abort("op1")
        assert shop.perform().state is OperationState.ABORTED
        assert shop.toy.happened == ["undo two", "undo one"]

    def test_what_was_saved_before_the_crash_is_done_and_not_aborted(self, shop: Shop) -> None:
        shop.die()
        shop.store.save(shop.store.registration("r1").checked(a_preflight()))
        shop.store.ask_to_abort("op1")
        assert shop.perform().state is OperationState.DONE
        assert shop.toy.happened == []

    def test_the_fifth_crash_is_the_last(self, shop: Shop) -> None:
        for _ in range(MOST_ATTEMPTS):
            shop.die()
        operation = shop.perform()
        assert operation.state is OperationState.FAILED
        assert operation.problem
        assert "5 times" in str(operation.problem.happened)
        assert shop.toy.happened == []

    def test_taking_it_back_is_tried_once_after_the_last_crash(self, shop: Shop) -> None:
        claimed = shop.store.claim("dead", shop.clock())
        assert claimed
        shop.store.record(claimed.progressed("one", started_at=shop.clock()), "dead")
        shop.store.release("dead")
        for _ in range(MOST_ATTEMPTS - 1):
            shop.die()
        shop.toy.undoes["one"] = raising(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            shop.perform()
        shop.store.release("worker")
        assert shop.perform().state is OperationState.FAILED
        assert shop.toy.happened == ["undo one"]


class TestOtherHands:
    def test_who_lost_the_lease_does_nothing_more(self, shop: Shop) -> None:
        def lose(task: Task) -> None:
            shop.clock.advance(seconds=LEASE.total_seconds() + 1)
            assert shop.store.claim("another", shop.clock())

        shop.toy.does["one"] = lose
        operation = shop.perform()
        assert shop.toy.happened == ["one"]
        assert operation.state is OperationState.RUNNING
        assert shop.store.owners() == ["another"]

    def test_a_stopping_worker_puts_it_back_without_undoing_or_counting(self, shop: Shop) -> None:
        def wait(task: Task) -> None:
            shop.stop.set()
            task.wait(60)

        shop.toy.does["two"] = wait
        operation = shop.perform()
        assert shop.toy.happened == ["one", "two"]
        assert (operation.state, operation.attempt) == (OperationState.QUEUED, 0)
        assert shop.store.owners() == []


class TestChangedMeanwhile:
    def test_a_save_by_somebody_else_begins_it_again_while_the_step_is_the_current_one(self, shop: Shop) -> None:
        def change(task: Task) -> None:
            del shop.toy.does["two"]
            shop.store.save(replace(shop.store.registration("r1"), port=18099))

        shop.toy.does["two"] = change
        assert shop.perform().state is OperationState.QUEUED
        assert shop.toy.happened[-3:] == ["undo three", "undo two", "undo one"]
        assert shop.perform().state is OperationState.DONE
        assert shop.store.registration("r1").port == 18099
        assert shop.store.registration("r1").preflight == a_preflight()

    def test_what_was_done_otherwise_meanwhile_is_not_done_again(self, shop: Shop) -> None:
        shop.toy.does["two"] = lambda task: shop.store.save(
            shop.store.registration("r1").checked(a_preflight(port=a_port_check(port=18099)))
        )
        shop.perform()
        assert shop.perform().state is OperationState.DONE
        assert shop.toy.happened == ["one", "two", "three", "undo three", "undo two", "undo one"]
        check = shop.store.registration("r1").preflight
        assert check
        assert check.port.port == 18099

    def test_a_step_that_is_not_the_current_one_any_more_fails_instead_of_beginning_again(self, shop: Shop) -> None:
        shop.toy.does["two"] = lambda task: shop.store.save(replace(shop.store.registration("r1"), port=18099))
        earlier = replace(a_step(()), slug="earlier", is_done=lambda registration: registration.port is None)
        operation = shop.perform(flow=Flow((earlier, *shop.toy.flow.steps)))
        assert operation.state is OperationState.FAILED
        assert operation.problem
        assert shop.toy.happened[-3:] == ["undo three", "undo two", "undo one"]


class TestDiscarded:
    def test_what_was_given_up_is_removed_before_anything_is_begun(self, shop: Shop, workshop: Workshop) -> None:
        assert isinstance(workshop.backend, FakeBackend)
        backend = workshop.backend
        shop.store.save(replace(shop.store.registration("r1"), discarded=(a_deployment(name="old"),)))
        shop.toy.does["one"] = lambda task: shop.toy.happened.append(f"removed {backend.count('remove')}")
        assert shop.perform().state is OperationState.DONE
        assert shop.toy.happened[:2] == ["one", "removed 1"]
        assert shop.store.registration("r1").discarded == ()

    def test_a_node_that_does_not_remove_it_keeps_nobody_from_going_on(self, shop: Shop, workshop: Workshop) -> None:
        assert isinstance(workshop.backend, FakeBackend)
        workshop.backend.fail("remove", broken())
        shop.store.save(replace(shop.store.registration("r1"), discarded=(a_deployment(name="old"),)))
        assert shop.perform().state is OperationState.DONE
        assert shop.store.registration("r1").discarded == (a_deployment(name="old"),)
