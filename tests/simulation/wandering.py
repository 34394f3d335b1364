"""Random sequences of everything that can happen, with the limits and one millisecond to either side as the waits."""

from collections.abc import Callable, Mapping

from tests.simulation.limits import ALIVE, BEAT, DAY, HEAL, LOCK, QR, RETRIES
from tests.simulation.scene import Scene

LIMITS = (0, ALIVE, RETRIES[-1], QR, LOCK, BEAT, DAY, DAY + ALIVE, HEAL)
STEPS = 12


def wander(scene: Scene, offset: int) -> str:
    """`offset` is that of the first wait; all others have their own."""
    scene.up()
    for number in range(STEPS):
        step = scene.rng.choice(DECK)
        step(scene)
        if scene.chance(0.6):
            aside = offset if number == 0 else scene.rng.randint(-1, 1)
            scene.world.wait(max(0, scene.rng.choice(LIMITS) + aside))
        scene.look()
    scene.up()
    return scene.state


def _stop_or_boot(scene: Scene) -> None:
    if scene.world.site.is_up:
        scene.world.stop(clean=scene.chance(0.5))
    else:
        scene.world.boot()


def _ask(scene: Scene) -> None:
    scene.up()
    scene.world.ask(scene.asker())


def _enter(scene: Scene) -> None:
    scene.up()
    asker = scene.asker()
    challenges = list(scene.world.challenge.values())
    challenge = scene.rng.choice(challenges) if challenges and scene.chance(0.2) else None
    scene.world.enter(scene.chance(0.6), asker, challenge)


def _guess(scene: Scene) -> None:
    scene.up()
    scene.guess(scene.rng.randint(1, 6), scene.asker(), restarts=True)


def _scan(scene: Scene) -> None:
    scene.authenticated()


def _register(scene: Scene) -> None:
    scene.up()
    scene.world.register(scene.keys(scene.project(), scene.rng.randint(1, 3)), scene.line())


def _beat(scene: Scene) -> None:
    for key in sorted(scene.world.nodes):
        if scene.chance(0.7):
            scene.world.beat(key, scene.line())


def _deauthorize(scene: Scene) -> None:
    scene.world.deauthorize(scene.project(), scene.line())


def _damage(scene: Scene) -> None:
    if scene.world.site.is_up:
        scene.world.site.damage(scene.world.now)


def _crash_between_charge_and_verdict(scene: Scene) -> None:
    """An input that was counted, and never judged."""
    scene.up()
    asker = scene.asker()
    scene.world.site.charge(scene.world.now, scene.world.challenge.get(asker, "c0"), asker)
    scene.world.stop(clean=False)


OFTEN: Mapping[Callable[[Scene], None], int] = {
    _beat: 10,
    _stop_or_boot: 6,
    _register: 5,
    _scan: 4,
    _ask: 3,
    _enter: 3,
    _guess: 2,
    _deauthorize: 2,
    _crash_between_charge_and_verdict: 1,
    _damage: 1,
}
DECK = tuple(step for step, times in OFTEN.items() for _ in range(times))
