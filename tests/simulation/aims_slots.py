"""Traces aimed at who gets a slot, who gives it back, and who is told what about it."""

from tests.simulation.aims_server import anew, live
from tests.simulation.limits import DAY, HOUR, LOCK, RECONNECT, REMEMBERED
from tests.simulation.oracle_server import Key
from tests.simulation.scene import Scene
from tests.simulation.world import Line
from wizard.licensing.rules.instance import Asker


def maximum_of_registrations(scene: Scene, offset: int) -> str:
    """Others hold some slots; so many nodes ask that one is free, none, or one is missing. The maximum may change."""
    scene.authenticated()
    scene.vacate("p")
    others = scene.rng.randint(0, 2)
    if others:
        scene.world.register(scene.keys("q", others))
    if scene.chance(0.3):
        scene.world.maximum = scene.rng.randint(3, 5)
        scene.restart()
        scene.world.register(scene.keys("r"))
    if scene.chance(0.3):
        scene.world.wait(scene.rng.choice((RECONNECT, RECONNECT + 1, DAY, DAY + 1)))
    scene.authenticated()
    nodes = scene.world.maximum - len(scene.held("p")) + offset
    return scene.world.register(scene.keys("p", nodes)) or "" if nodes > 0 else "nobody asks"


def registering_again(scene: Scene, offset: int) -> str:
    """A project may take its own slots again, even of a full instance. -1: with fewer nodes; 1: with one more."""
    scene.authenticated()
    scene.vacate("p")
    nodes = scene.world.maximum
    scene.world.register(scene.keys("p", nodes))
    scene.soon()
    if scene.chance(0.5):
        scene.restart()
    return scene.world.register(scene.keys("p", nodes + offset)) or ""


def remembered(scene: Scene, offset: int) -> str:
    """So many slots are not held that the oldest of them is just remembered (0), or forgotten (1).

    They are those of one big project that gives up or is too silent, and what was there before. Only the authorization
    application is asked: what a hundred nodes think of it is the same as ever.
    """
    site, oracle = scene.world.site, scene.world.site.oracle
    _make_room(scene)
    held = scene.keys("r", scene.rng.randint(0, 2))
    if held:
        site.register(scene.world.now, held)
        scene.soon()
    over = len(oracle.slots) - len(held)
    big = [("s", f"n{number}") for number in range(max(1, REMEMBERED + offset - over))]
    site.register(scene.world.now, frozenset(big))
    for key in (min(big), *scene.rng.choices(big, k=2)):
        scene.soon()
        site.request(scene.world.now, key, True)
    _lose(scene, "s", held)
    scene.authenticated()
    scene.soon()
    oldest = min(oracle.slots.keys() - held, key=lambda key: (oracle.slots[key].heard, key))
    site.register(scene.world.now, scene.keys("q", scene.rng.randint(1, 2)))
    told = "remembered" if oldest in site.instance.slots else "forgotten"
    site.request(scene.world.now, oldest, True)
    site.deauthorize(scene.world.now, oldest[0])
    return told


def _make_room(scene: Scene) -> None:
    """Nobody holds a slot, and so many may."""
    usual, scene.world.maximum = scene.world.maximum, 2 * REMEMBERED
    scene.restart()
    scene.world.maximum = usual
    scene.vacate()


def _lose(scene: Scene, project: str, others: frozenset[Key]) -> None:
    """That project gives up, or is silent for more than a day, in which the others beat."""
    if scene.chance(0.5):
        scene.world.site.deauthorize(scene.world.now, project)
        return
    scene.world.wait(HOUR)
    for key in sorted(others):
        scene.world.site.request(scene.world.now, key, True)
    scene.world.wait(DAY - HOUR + 1)


def last_one_deauthorizes(scene: Scene, offset: int) -> str:
    """-1: another project has a slot; 0: none has; 1: it says so once more."""
    scene.authenticated()
    scene.vacate("p")
    scene.world.register(scene.keys("p", 2))
    if offset < 0:
        scene.world.register(scene.keys("q"))
    if scene.chance(0.3):
        scene.restart()
    if scene.chance(0.3):
        scene.world.beat(("p", "a"), scene.line())
    if scene.chance(0.2):
        scene.world.deauthorize("r")
    for _ in range(1 if offset < 1 else 2):
        scene.world.deauthorize("p", scene.line())
    scene.world.register(scene.keys("q", scene.world.maximum - (offset < 0)))
    return scene.state


def deauthorizing_late(scene: Scene, offset: int) -> str:
    """Its slots fail in that moment, or are still held; others' slots and the authentication stay."""
    keys = live(scene)
    if scene.chance(0.5):
        scene.world.register(scene.keys("r"))
    if scene.chance(0.5):
        scene.world.until(scene.world.site.oracle.slots[keys[0]].heard + DAY + offset)
    else:
        scene.restart()
        scene.world.wait(RECONNECT + offset)
    return scene.world.deauthorize(keys[0][0]) or ""


def reconnected_until_it_arrives(scene: Scene, offset: int) -> str:
    """The answer is lost once (0), twice (1), or not at all (-1); with a restart in between or not."""
    keys = live(scene)
    scene.restart(scene.rng.choice((None, DAY)))
    for _ in range(1 + offset):
        scene.soon()
        scene.world.beat(keys[0], scene.rng.choice((Line.ANSWER_LOST, Line.REQUEST_LOST)))
        if scene.chance(0.1):
            scene.restart()
    first = scene.world.beat(keys[0])
    second = scene.world.beat(keys[0], scene.line())
    third = scene.world.beat(keys[0])
    return f"{first}, {second}, {third}"


def retiring(scene: Scene, offset: int) -> str:
    """-1: before; 0: at once; 1: and everything that can be tried after it."""
    keys = live(scene)
    asker = scene.asker()
    if scene.chance(0.5):
        scene.qr(asker)
    if scene.chance(0.3):
        scene.restart()
    if offset >= 0:
        scene.world.site.retire(scene.world.now)
    if offset > 0:
        scene.world.site.damage(scene.world.now)
        scene.restart(scene.rng.choice((1, DAY, DAY + 1)))
        scene.world.ask(asker)
        scene.world.enter(True, asker)
        scene.world.site.judge(scene.world.now, scene.world.challenge.get(asker, "c0"), True, asker)
        scene.world.register(scene.keys("p"))
        scene.world.deauthorize(keys[0][0])
    return scene.world.beat(keys[0]) or ""


def damage(scene: Scene, offset: int) -> str:
    """After it a lock of 15 minutes, whatever it was before. -1: before that is over."""
    asker = scene.asker()
    live(scene)
    anew(scene, asker)
    scene.guess(scene.rng.choice((0, 3, 6)), asker)
    if scene.chance(0.3):
        scene.qr(asker)
    scene.world.site.damage(scene.world.now)
    damaged = scene.world.now
    if scene.chance(0.3):
        scene.restart()
    scene.world.enter(True, asker)
    scene.world.until(damaged + LOCK + offset)
    answer = "LOCKED" if scene.world.ask(asker) is None else "free"
    if answer == "free":
        scene.world.enter(scene.chance(0.5), asker)
    scene.world.ask(Asker.ADMIN)
    return answer
