"""Traces aimed at the limits of the project's own rules, by its own clock."""

from tests.simulation.limits import BEAT, DAY, HEAL, MINUTE, RETRIES
from tests.simulation.node import Node
from tests.simulation.scene import Scene
from wizard.licensing.rules.project import Loss


def a_node(scene: Scene) -> Node:
    """A node that was just accepted, or has just had a good answer; some with a wrong clock."""
    number = len(scene.world.nodes)
    node = scene.world.node(("alone", f"n{number}"), scene.rng.choice((0, 0, -10 * MINUTE, 7)))
    node.accept(scene.world.now)
    if scene.chance(0.5):
        scene.soon()
        node.hear(scene.world.now, scene.rng.choice((None, 1, DAY + 1)))
    return node


def misses(scene: Scene, node: Node, until: int) -> None:
    """Some requests without an answer before that moment."""
    for _ in range(scene.rng.randint(0, 3)):
        scene.world.wait(scene.rng.randint(0, max(0, until - scene.world.now) // 2))
        node.miss(scene.world.now)


def _good(node: Node) -> int:
    """When the last good answer came, by the clock of the world."""
    return (node.oracle.feedback or 0) - node.skew


def _told(node: Node) -> str:
    return str(node.registration.state)


def without_an_answer_for_a_day(scene: Scene, offset: int) -> str:
    node = a_node(scene)
    limit = _good(node) + DAY + offset
    misses(scene, node, limit)
    scene.world.until(limit)
    node.look(scene.world.now)
    if scene.chance(0.3):
        node.notice(scene.world.now)
    node.hear(scene.world.now, None)
    return _told(node)


def healed_after_26_hours(scene: Scene, offset: int) -> str:
    node = a_node(scene)
    limit = _good(node) + HEAL + offset
    misses(scene, node, limit)
    scene.world.until(limit)
    node.look(scene.world.now)
    if scene.chance(0.3):
        node.notice(scene.world.now)
    node.hear(scene.world.now, scene.rng.choice((0, DAY - 1, DAY)))
    return _told(node)


def healed_by_an_attested_day(scene: Scene, offset: int) -> str:
    node = a_node(scene)
    limit = _good(node) + scene.rng.choice((DAY + 1, HEAL - 1, HEAL))
    misses(scene, node, limit)
    scene.world.until(limit)
    node.hear(scene.world.now, DAY + offset)
    return _told(node)


def lapsed_without_an_answer(scene: Scene, offset: int) -> str:
    """A lapsed one goes on asking until 26 h."""
    node = a_node(scene)
    limit = _good(node) + HEAL + offset
    misses(scene, node, limit)
    scene.world.until(limit)
    node.miss(scene.world.now)
    return _told(node)


def lapsed_and_refused(scene: Scene, offset: int) -> str:
    node = a_node(scene)
    scene.world.until(_good(node) + HEAL + offset)
    node.be_refused(scene.world.now, scene.rng.choice(("UNKNOWN", "REAUTHENTICATE")))
    node.hear(scene.world.now, None)
    return "no feedback" if node.registration.reason is Loss.NO_FEEDBACK else "refused"


def retries(scene: Scene, offset: int) -> str:
    """When the next one is due after that many misses, and after an answer to one of them."""
    node = a_node(scene)
    missed = scene.rng.randint(1, len(RETRIES) + 3)
    for _ in range(missed):
        scene.world.until(node.due or 0)
        node.miss(scene.world.now)
    scene.world.until((node.due or 0) + offset)
    due = "due" if (node.due or 0) <= scene.world.now else "not yet"
    node.hear(scene.world.now, None)
    return due


def beats(scene: Scene, offset: int) -> str:
    """The first at once, then each two hours after the last answer."""
    node = a_node(scene)
    node.hear(scene.world.now, None)
    scene.world.wait(BEAT + offset)
    node.look(scene.world.now)
    due = "due" if (node.due or 0) <= scene.world.now else "not yet"
    if scene.chance(0.5):
        node.miss(scene.world.now)
    return due


def given_up(scene: Scene, offset: int) -> str:
    """-1: unanswered; 0: answered; 1: and then an answer comes late."""
    node = a_node(scene)
    scene.world.wait(scene.rng.choice((0, DAY, DAY + 1, HEAL, HEAL + 1)))
    node.give_up(scene.world.now, offset >= 0)
    if offset > 0:
        node.hear(scene.world.now, scene.rng.choice((None, 1)))
        node.miss(scene.world.now)
        node.be_refused(scene.world.now, "UNKNOWN")
    told = _told(node)
    scene.soon()
    node.accept(scene.world.now)
    node.accept(scene.world.now)
    return told


def stop_that_outlasts_the_project(scene: Scene, offset: int) -> str:
    """Both sides: a stop of a day, during which the project lapses, and is healed by what is attested."""
    node = scene.registered(scene.project())[0]
    scene.world.beat(node.key)
    scene.world.wait(scene.rng.choice((0, 1, BEAT - 5 * MINUTE)))
    scene.world.stop()
    booted = scene.world.now + DAY + offset
    for _ in range(scene.rng.randint(0, 3)):
        scene.world.wait(scene.rng.randint(0, (booted - scene.world.now) // 2))
        scene.world.beat(node.key)
    scene.world.until(booted)
    scene.world.boot()
    scene.world.wait(scene.rng.randint(1, RETRIES[-1]))
    scene.world.beat(node.key, scene.line())
    scene.world.beat(node.key)
    return _told(node)
