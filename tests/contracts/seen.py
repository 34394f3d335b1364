"""What a ports.Store keeps of what was seen, and how it tells that something has changed. Part of the store's suite."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from tests.factories import (
    NOW,
    a_deployed_registration,
    a_deployment,
    a_health,
    a_registration,
    a_status,
    an_inspection,
    an_operation,
)
from wizard.domain.operation import LEASE, OperationState
from wizard.ports import Store
from wizard.text import say

MOMENT = timedelta(milliseconds=1)


class RevisionContract:
    """The revision changes with all that a page shows, and with nothing else."""

    @pytest.fixture
    def held(self, store: Store) -> Store:
        store.save(a_deployed_registration(discarded=(a_deployment(name="gone"),)))
        store.queue(an_operation())
        store.claim("worker", NOW)
        store.observe("r1", a_status())
        store.seen(a_health())
        return store

    CHANGES: ClassVar[tuple[Callable[[Store], object], ...]] = (
        lambda store: store.save(replace(store.registration("r1"), port=18090)),
        lambda store: store.observe("r1", a_status(tries_left=1)),
        lambda store: store.cleared("r1", "gone"),
        lambda store: store.record(store.operation("op1").progressed("load", done=3), "worker"),
        lambda store: store.record(store.operation("op1").ended(OperationState.DONE, NOW), "worker"),
        lambda store: store.ask_to_abort("op1"),
        lambda store: store.claim("another", NOW + LEASE + MOMENT),
        lambda store: store.seen(a_health(well=False, detail=say("No answer."))),
        lambda store: store.seen(a_health(node="another")),
    )

    @pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
    def test_it_changes_with_what_a_page_shows(self, held: Store, change: Callable[[Store], object]) -> None:
        before = held.revision("r1")
        change(held)
        assert held.revision("r1") != before

    def test_it_stays_when_nothing_new_was_seen(self, held: Store) -> None:
        before = held.revision("r1")
        held.observe("r1", a_status(seen_at=NOW + LEASE))
        held.seen(a_health(seen_at=NOW + LEASE))
        held.renew("op1", "worker", NOW)
        assert held.revision("r1") == before


class HealthContract:
    def test_each_node_is_known_as_it_was_last_seen(self, store: Store) -> None:
        assert store.healths() == {}
        store.seen(a_health(well=False, detail=say("No answer.")))
        store.seen(a_health(seen_at=NOW + LEASE))
        store.seen(a_health(node="another"))
        assert store.healths() == {"sales-main": a_health(seen_at=NOW + LEASE), "another": a_health(node="another")}

    def test_the_last_look_at_a_container_is_kept(self, store: Store) -> None:
        store.save(a_registration())
        assert store.inspection("r1") is None
        store.inspected("r1", an_inspection(running=False, exit_code=1))
        store.inspected("r1", an_inspection(log="\x00 \N{SNOWMAN}"))
        assert store.inspection("r1") == an_inspection(log="\x00 \N{SNOWMAN}")

    def test_looking_again_at_a_container_that_is_as_it_was_is_no_news(self, store: Store) -> None:
        store.save(a_registration())
        store.inspected("r1", an_inspection())
        before = store.revision("r1")
        store.inspected("r1", an_inspection(seen_at=NOW + LEASE))
        assert store.revision("r1") == before
        store.inspected("r1", an_inspection(restarts=1))
        assert store.revision("r1") != before
