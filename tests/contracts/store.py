"""What every ports.Store must do. Inherit, and give a fixture `store` that is empty."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from tests.contracts.seen import HealthContract, RevisionContract
from tests.factories import (
    NOW,
    a_challenge,
    a_deployed_registration,
    a_deployment,
    a_registration,
    a_slot,
    a_status,
    an_operation,
)
from wizard.domain.operation import LEASE, OperationState, PhaseRecord
from wizard.errors import Problem, Stale, UnknownStep
from wizard.ports import Store
from wizard.text import say

Answer = TypeVar("Answer")
MOMENT = timedelta(milliseconds=1)


def at_once(times: int, act: Callable[[int], Answer]) -> list[Answer]:
    """What came of doing it several times in parallel, started together."""
    gate = threading.Barrier(times)

    def wait_and_act(number: int) -> Answer:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(wait_and_act, range(times)))


class RegistrationsContract:
    def test_an_unknown_registration_is_said_to_be_unknown(self, store: Store) -> None:
        for ask in (store.registration, store.revision):
            with pytest.raises(UnknownStep):
                ask("none")

    def test_what_was_saved_comes_back_the_same(self, store: Store) -> None:
        slots = (a_slot(last_request_at=NOW),)
        full = a_deployed_registration(
            challenge=a_challenge(scanned=True),
            verified_at=NOW,
            server=a_status(slots=slots, locked_until=NOW),
            discarded=(a_deployment(name="older"),),
            notice=say("%(count)s things: %(thing)s", count=2, thing=say("one")),
        )
        saved = store.save(full)
        assert saved == replace(full, version=1)
        assert store.registration("r1") == saved

    def test_each_save_is_the_next_version(self, store: Store) -> None:
        first = store.save(a_registration())
        second = store.save(replace(first, port=18082))
        assert (first.version, second.version) == (1, 2)
        assert store.registration("r1").port == 18082

    def test_a_save_upon_an_older_version_is_stale_and_writes_nothing(self, store: Store) -> None:
        first = store.save(a_registration())
        store.save(replace(first, port=18082))
        with pytest.raises(Stale):
            store.save(replace(first, port=18083))
        assert store.registration("r1").port == 18082

    def test_a_second_registration_of_the_same_id_is_stale(self, store: Store) -> None:
        store.save(a_registration())
        with pytest.raises(Stale):
            store.save(a_registration())

    def test_a_save_of_what_was_never_made_is_stale(self, store: Store) -> None:
        with pytest.raises(Stale):
            store.save(a_registration(version=3))

    def test_the_newest_registration_is_listed_first(self, store: Store) -> None:
        assert store.registrations() == []
        for id in ("a", "c", "b"):
            store.save(a_registration(id=id))
        assert [registration.id for registration in store.registrations()] == ["b", "c", "a"]

    def test_of_twelve_saves_at_once_one_succeeds(self, store: Store) -> None:
        first = store.save(a_registration())

        def save(number: int) -> bool:
            try:
                store.save(replace(first, port=20000 + number))
            except Stale:
                return False
            return True

        assert at_once(12, save).count(True) == 1
        assert store.registration("r1").version == 2


class ObservationsContract:
    def test_an_observation_is_kept_without_a_new_version(self, store: Store) -> None:
        store.save(a_deployed_registration())
        store.observe("r1", a_status(tries_left=4))
        seen = store.registration("r1")
        assert (seen.version, seen.server) == (1, a_status(tries_left=4))

    def test_an_observation_does_not_make_a_save_stale(self, store: Store) -> None:
        registration = store.save(a_deployed_registration())
        store.observe("r1", a_status())
        assert store.save(registration).version == 2

    def test_an_observation_that_took_longer_does_not_replace_a_later_one(self, store: Store) -> None:
        store.save(a_deployed_registration())
        store.observe("r1", a_status(tries_left=3, seen_at=NOW + MOMENT))
        store.observe("r1", a_status(tries_left=6))
        assert store.registration("r1").server == a_status(tries_left=3, seen_at=NOW + MOMENT)

    def test_what_is_observed_of_a_deployment_that_was_given_up_is_dropped(self, store: Store) -> None:
        store.save(a_registration())
        store.observe("r1", a_status())
        assert store.registration("r1").server is None

    def test_an_observation_of_an_unknown_registration_is_refused(self, store: Store) -> None:
        with pytest.raises(UnknownStep):
            store.observe("none", a_status())

    def test_a_cleared_deployment_is_gone_and_the_others_stay(self, store: Store) -> None:
        kept = a_deployment(name="kept")
        store.save(a_registration(discarded=(a_deployment(name="gone"), kept)))
        store.cleared("r1", "gone")
        store.cleared("r1", "gone")
        assert store.registration("r1").discarded == (kept,)
        assert store.registration("r1").version == 1


class OperationsContract:
    def test_a_queued_operation_comes_back_the_same(self, store: Store) -> None:
        store.save(a_registration())
        operation = an_operation()
        assert store.queue(operation) == operation
        assert store.operation("op1") == operation

    def test_an_operation_of_an_unknown_registration_is_refused(self, store: Store) -> None:
        with pytest.raises(UnknownStep):
            store.queue(an_operation())

    def test_an_unknown_operation_is_said_to_be_unknown(self, store: Store) -> None:
        with pytest.raises(UnknownStep):
            store.operation("none")

    def test_while_one_is_active_queueing_another_returns_it(self, store: Store) -> None:
        store.save(a_registration())
        first = store.queue(an_operation(id="first"))
        assert store.queue(an_operation(id="second")) == first
        assert store.claim("worker", NOW) == replace(first, state=OperationState.RUNNING, attempt=1)
        assert store.queue(an_operation(id="third")).id == "first"

    def test_once_it_has_ended_another_is_queued(self, store: Store) -> None:
        store.save(a_registration())
        store.queue(an_operation(id="first"))
        claimed = store.claim("worker", NOW)
        assert claimed
        store.record(claimed.ended(OperationState.DONE, NOW), "worker")
        assert store.queue(an_operation(id="second")).id == "second"
        assert store.operation("first").state is OperationState.DONE

    def test_of_twelve_queued_at_once_one_is_written(self, store: Store) -> None:
        store.save(a_registration())
        ids = {operation.id for operation in at_once(12, lambda n: store.queue(an_operation(id=f"op{n}")))}
        assert len(ids) == 1

    def test_the_last_operation_is_the_newest_of_its_kind(self, store: Store) -> None:
        store.save(a_registration())
        assert store.last_operation("r1") is None
        for id, kind in (("one", "port"), ("two", "deploy"), ("three", "port")):
            store.queue(an_operation(id=id, kind=kind))
            claimed = store.claim("worker", NOW)
            assert claimed
            store.record(claimed.ended(OperationState.FAILED, NOW), "worker")
        last, deploy = store.last_operation("r1"), store.last_operation("r1", "deploy")
        assert last
        assert deploy
        assert (last.id, deploy.id) == ("three", "two")
        assert store.last_operation("r1", "scan") is None
        assert store.last_operation("none") is None

    def test_operations_are_found_by_the_beginning_of_their_id(self, store: Store) -> None:
        for id in ("0a1b", "0a10", "0A1b", "%a1b"):
            store.save(a_registration(id=id))
            store.queue(an_operation(id=id, registration_id=id))
        assert [operation.id for operation in store.operations("0a1")] == ["0a1b", "0a10"]
        assert store.operations("0a1b1") == []


class LeasesContract:
    @pytest.fixture
    def queued(self, store: Store) -> Store:
        store.save(a_registration())
        store.queue(an_operation())
        return store

    def test_there_is_nothing_to_claim_in_an_empty_store(self, store: Store) -> None:
        assert store.claim("worker", NOW) is None

    def test_a_claim_charges_an_attempt_and_hides_it_from_others(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        assert (claimed.state, claimed.attempt) == (OperationState.RUNNING, 1)
        assert queued.claim("two", NOW) is None
        assert queued.operation("op1") == claimed

    def test_the_oldest_is_claimed_first(self, queued: Store) -> None:
        queued.save(a_registration(id="r2"))
        queued.queue(an_operation(id="op0", registration_id="r2"))
        claims = [queued.claim("worker", NOW), queued.claim("worker", NOW)]
        assert [claimed.id for claimed in claims if claimed] == ["op1", "op0"]

    def test_what_is_to_wait_is_passed_over(self, queued: Store) -> None:
        queued.save(a_registration(id="r2"))
        queued.queue(an_operation(id="op0", registration_id="r2"))
        claims = [queued.claim("worker", NOW, besides=["r1"]) for _ in range(2)]
        assert [claimed.id for claimed in claims if claimed] == ["op0"]
        assert queued.operation("op1").attempt == 0

    def test_a_lease_holds_to_its_last_moment_and_is_free_after_it(self, queued: Store) -> None:
        queued.claim("one", NOW)
        assert queued.claim("two", NOW + LEASE) is None
        taken = queued.claim("two", NOW + LEASE + MOMENT)
        assert taken
        assert taken.attempt == 2

    def test_a_renewed_lease_holds_from_then_on(self, queued: Store) -> None:
        queued.claim("one", NOW)
        assert queued.renew("op1", "one", NOW + LEASE)
        assert queued.claim("two", NOW + LEASE + LEASE) is None

    def test_who_lost_the_lease_can_neither_renew_nor_record(self, queued: Store) -> None:
        lost = queued.claim("one", NOW)
        assert lost
        queued.claim("two", NOW + LEASE + MOMENT)
        assert not queued.renew("op1", "one", NOW)
        assert not queued.record(lost.ended(OperationState.DONE, NOW), "one")
        assert queued.operation("op1").is_active

    def test_progress_is_recorded_by_the_holder(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        further = claimed.progressed("load", started_at=NOW, done=5, total=10)
        assert queued.record(further, "one")
        assert queued.operation("op1").phases[1] == PhaseRecord(slug="load", started_at=NOW, done=5, total=10)
        assert queued.renew("op1", "one", NOW)

    def test_an_ended_operation_keeps_its_problem_and_is_nobodys(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        problem = Problem(happened=say("%(what)s broke.", what="It"), raw="its own words")
        assert queued.record(claimed.ended(OperationState.FAILED, NOW, problem), "one")
        assert queued.operation("op1").problem == problem
        assert queued.owners() == []
        assert queued.claim("two", NOW + LEASE + MOMENT) is None

    def test_what_came_of_it_is_saved_together_with_its_end(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        result = replace(queued.registration("r1"), port=18099)
        assert queued.record(claimed.ended(OperationState.DONE, NOW), "one", result)
        assert queued.registration("r1") == replace(result, version=2)
        assert queued.operation("op1").state is OperationState.DONE

    def test_what_came_of_it_is_stale_after_another_save_and_then_it_has_not_ended(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        result = replace(queued.registration("r1"), port=18099)
        queued.save(replace(result, port=18082))
        with pytest.raises(Stale):
            queued.record(claimed.ended(OperationState.DONE, NOW), "one", result)
        assert queued.registration("r1").port == 18082
        assert queued.operation("op1") == claimed
        assert queued.renew("op1", "one", NOW)

    def test_nothing_comes_of_it_in_the_hands_of_who_lost_the_lease(self, queued: Store) -> None:
        lost = queued.claim("one", NOW)
        assert lost
        queued.claim("two", NOW + LEASE + MOMENT)
        result = replace(queued.registration("r1"), port=18099)
        assert not queued.record(lost.ended(OperationState.DONE, NOW), "one", result)
        assert queued.registration("r1").version == 1

    def test_what_is_put_back_can_be_claimed_at_once(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        queued.record(replace(claimed, state=OperationState.QUEUED, attempt=0), "one")
        again = queued.claim("two", NOW)
        assert again
        assert again.attempt == 1

    def test_what_a_dead_worker_held_can_be_claimed_at_once(self, queued: Store) -> None:
        queued.claim("dead", NOW)
        assert queued.owners() == ["dead"]
        queued.release("another")
        assert queued.claim("two", NOW) is None
        queued.release("dead")
        again = queued.claim("two", NOW)
        assert again
        assert again.attempt == 2

    def test_the_wish_to_abort_is_not_overwritten_by_progress(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        queued.ask_to_abort("op1")
        queued.record(claimed.progressed("load", done=1), "one")
        assert queued.operation("op1").abort

    def test_an_ended_operation_is_not_aborted_any_more(self, queued: Store) -> None:
        claimed = queued.claim("one", NOW)
        assert claimed
        queued.record(claimed.ended(OperationState.DONE, NOW), "one")
        queued.ask_to_abort("op1")
        queued.ask_to_abort("none")
        assert not queued.operation("op1").abort

    def test_of_twelve_workers_one_gets_it(self, queued: Store) -> None:
        claims = at_once(12, lambda number: queued.claim(f"worker {number}", NOW))
        assert len([claimed for claimed in claims if claimed]) == 1

    def test_twelve_workers_share_twelve_operations(self, store: Store) -> None:
        for number in range(12):
            store.save(a_registration(id=f"r{number}"))
            store.queue(an_operation(id=f"op{number}", registration_id=f"r{number}"))
        claims = at_once(12, lambda number: store.claim(f"worker {number}", NOW))
        assert {claimed.id for claimed in claims if claimed} == {f"op{number}" for number in range(12)}


class StoreContract(
    RegistrationsContract, ObservationsContract, OperationsContract, LeasesContract, RevisionContract, HealthContract
):
    """All of it."""
