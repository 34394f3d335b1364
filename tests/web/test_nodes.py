"""The page of the nodes: how each is reached, and how it was last seen."""

from pathlib import Path

from tests.desk import FakeDesk
from tests.visitor import Visitor
from wizard.domain.engine import Engine
from wizard.domain.instance import Health
from wizard.text import say


def rows(visitor: Visitor) -> list[str]:
    return [row.get_text(" ", strip=True) for row in visitor.open("/nodes").page.select(".nodes li")]


def test_a_node_that_nobody_has_seen_yet_says_so(visitor: Visitor) -> None:
    assert all("not seen yet" in row for row in rows(visitor))


def test_a_node_shows_its_engine_and_what_is_wrong_with_it(visitor: Visitor, desk: FakeDesk) -> None:
    desk.inventory.engines = {"sales-main": Engine(url="tcp://192.0.2.7:2376", tls=Path("tls"))}
    trouble = say("The engine of Main application server does not answer.")
    desk.store.seen(Health(node="sales-main", well=False, detail=trouble, seen_at=desk.now))
    row = rows(visitor)[0]
    for shown in ("tcp://192.0.2.7:2376", "does not answer", str(trouble), "127.0.0.1"):
        assert shown in row


def test_a_node_that_may_not_run_it_says_why(visitor: Visitor) -> None:
    assert sum("In a multi-node project it runs on a component server." in row for row in rows(visitor)) == 2


def test_a_stranger_does_not_see_how_engines_are_reached(stranger: Visitor) -> None:
    assert "/sign-in" in stranger.open("/nodes").url
