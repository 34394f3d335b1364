"""Traces aimed at the limits of the authorization application's rules. Each gives what was told at the limit.

An aim is driven one millisecond (or one input, or one slot) before its limit, at it, and after it: -1, 0, 1.
"""

from tests.simulation.limits import ALIVE, BLOCKING, DAY, HOUR, LOCK, LOCKING, MINUTE, QR, RECONNECT
from tests.simulation.scene import Scene
from tests.simulation.world import Line
from wizard.licensing.rules.instance import Asker

OTHER = {Asker.ANONYMOUS: Asker.ADMIN, Asker.ADMIN: Asker.ANONYMOUS}


def qr_runs_out(scene: Scene, offset: int) -> str:
    asker = scene.asker()
    scene.qr(asker)
    opened = scene.world.now
    if scene.chance(0.3):
        scene.world.ask(OTHER[asker])
    if scene.chance(0.3):
        scene.restart()
    scene.world.until(opened + QR + offset)
    answer = scene.world.enter(scene.chance(0.5), asker)
    return "EXPIRED" if answer == "EXPIRED" else "in time"


def sixth_wrong_locks(scene: Scene, offset: int) -> str:
    asker = scene.asker()
    anew(scene, asker)
    answer = scene.guess(LOCKING - 1 + offset if offset < 1 else LOCKING, asker, restarts=True)
    if scene.chance(0.5):
        scene.world.enter(scene.chance(0.5), asker)
    return answer


def sixth_is_evaluated(scene: Scene, offset: int) -> str:
    asker = scene.asker()
    anew(scene, asker)
    scene.guess(LOCKING - 1 + offset, asker, restarts=True)
    answer = scene.world.enter(True, asker)
    if offset < 1:
        scene.guess(LOCKING - 1, asker)
    return answer


def lock_ends(scene: Scene, offset: int) -> str:
    asker = scene.asker()
    anew(scene, asker)
    scene.guess(LOCKING, asker)
    _, _, end = scene.world.site.oracle.entries[asker].counts(scene.world.now)
    if scene.chance(0.3):
        scene.restart(scene.rng.choice((None, 20 * MINUTE)))
    if scene.chance(0.3):
        scene.world.ask(OTHER[asker])
        scene.world.enter(scene.chance(0.5), OTHER[asker])
    scene.world.until((end or 0) + offset)
    scene.look()
    answer = "LOCKED" if scene.world.ask(asker) is None else "free"
    scene.guess(scene.rng.choice((0, 1, LOCKING)), asker) if answer == "free" else scene.world.enter(True, asker)
    return answer


def thirtieth_wrong_blocks(scene: Scene, offset: int) -> str:
    """And the lock of the 24th, or a success before, does not. Damage in between forgets none of them."""
    asker = scene.asker()
    anew(scene, asker)
    if scene.chance(0.3):
        scene.guess(scene.rng.randint(1, BLOCKING - 1), asker)
        anew(scene, asker)
    before = scene.rng.randint(0, BLOCKING - 1)
    scene.guess(before, asker)
    if scene.chance(0.5):
        scene.world.site.damage(scene.world.now)
    scene.guess(BLOCKING - before + min(offset, 0), asker)
    scene.world.wait(HOUR)
    return "LOCKED" if scene.world.ask(asker) is None else "free"


def block_ends(scene: Scene, offset: int) -> str:
    asker = scene.asker()
    anew(scene, asker)
    scene.guess(BLOCKING, asker)
    if scene.chance(0.5):
        scene.world.wait(scene.rng.choice((0, HOUR, DAY - LOCK - 1, DAY - LOCK, DAY - LOCK + 1, DAY - 1)))
        scene.world.site.damage(scene.world.now)
    scene.world.until((scene.world.site.oracle.entries[asker].counts(scene.world.now)[2] or 0) + offset)
    answer = "LOCKED" if scene.world.ask(asker) is None else "free"
    if answer == "free":
        scene.guess(LOCKING, asker)
    return answer


def only_the_newest_counts(scene: Scene, offset: int) -> str:
    """-1: the older one after a refresh; 0: the newest; 1: the newest once more."""
    asker = scene.asker()
    older = scene.qr(asker)
    scene.soon()
    newest = scene.qr(asker)
    answer = scene.world.enter(True, asker, older if offset < 0 else newest)
    return answer if offset < 1 else scene.world.enter(scene.chance(0.5), asker, newest)


def several_at_once(scene: Scene, offset: int) -> str:
    """Inputs that are all charged before the first is judged: what comes after the sixth is not evaluated."""
    asker = scene.asker()
    anew(scene, asker)
    challenge = scene.qr(asker)
    now, site = scene.world.now, scene.world.site
    answers = [site.charge(now, challenge, asker) for _ in range(LOCKING + offset)]
    charged = answers.count("CHARGED")
    right = scene.rng.randrange(charged + 2)
    for position in range(charged):
        if scene.chance(0.9):
            site.judge(now, challenge, position == right, asker)
    return answers[-1]


def askers_stay_apart(scene: Scene, offset: int) -> str:
    """One asker is locked out, or has its QR refreshed: the other one is not."""
    stranger = scene.asker()
    admin = OTHER[stranger]
    for asker in (admin, stranger):
        anew(scene, asker)
    scene.guess(LOCKING - 1 + min(offset, 0), admin)
    challenge = scene.qr(admin)
    scene.guess(LOCKING + min(offset, 0), stranger)
    return scene.world.enter(offset >= 0, admin, challenge)


def anew(scene: Scene, asker: Asker) -> None:
    """Nothing counted of that asker: its last input was the right one."""
    if scene.world.site.oracle.runs and scene.world.site.oracle.entries[asker].counts(scene.world.now) == (0, 0, None):
        scene.up()
        return
    scene.qr(asker)
    scene.world.enter(True, asker)


def verified_runs_out(scene: Scene, offset: int) -> str:
    scene.up()
    scene.vacate()
    if scene.held() or scene.state != "VERIFIED":
        reset(scene)
    asker = scene.asker()
    scene.qr(asker)
    scene.world.enter(True, asker)
    scene.world.wait(DAY + offset)
    if scene.chance(0.3):
        scene.look()
    return scene.world.register(scene.keys("p")) or ""


def reset(scene: Scene) -> None:
    """Neither slots nor an authentication: the storage is damaged, and somebody scans."""
    scene.world.site.damage(scene.world.now)
    scene.authenticated()


def verified_does_not_outlive_a_restart(scene: Scene, offset: int) -> str:
    """-1: a restart before the code; 0: none; 1: one between the code and the registration."""
    scene.up()
    reset(scene)
    asker = scene.asker()
    scene.qr(asker)
    if offset < 0:
        scene.restart()
    scene.world.enter(True, asker)
    if offset > 0:
        scene.restart()
    return scene.world.register(scene.keys("p")) or ""


def down_for_a_day(scene: Scene, offset: int) -> str:
    """Cleanly stopped, so that it is exact."""
    keys = live(scene)
    scene.soon()
    scene.world.stop()
    scene.world.wait(DAY + offset)
    scene.world.boot()
    scene.soon()
    return scene.world.beat(keys[0]) or ""


def down_for_a_day_after_a_crash(scene: Scene, offset: int) -> str:
    """The lower bound: a minute after the last moment on the disk. Ticks come each minute, so it is no longer ago."""
    keys = live(scene)
    if scene.chance(0.5):
        scene.world.wait(scene.rng.randint(0, HOUR))
    scene.soon(2 * MINUTE)
    scene.world.stop(clean=False)
    seen = scene.world.site.oracle.runs[-1].seen
    scene.world.until(seen + ALIVE + DAY + offset)
    scene.world.boot()
    return scene.world.beat(keys[0]) or ""


def reconnect_in_two_hours(scene: Scene, offset: int) -> str:
    keys = live(scene, nodes=2)
    scene.restart(scene.rng.choice((0, 1, HOUR, DAY)))
    booted = scene.world.now
    if scene.chance(0.3):
        scene.world.beat(keys[1], scene.line())
    if scene.chance(0.3):
        scene.world.register(scene.keys("r"))
    scene.world.until(booted + RECONNECT + offset)
    if scene.chance(0.5):
        scene.look()
    return scene.world.beat(keys[0]) or ""


def second_stop_in_the_window(scene: Scene, offset: int) -> str:
    """A stop in the two hours opens them anew; one after them comes too late."""
    keys = live(scene)
    scene.restart()
    scene.world.wait(RECONNECT + offset)
    if scene.chance(0.5):
        scene.world.stop()
    else:
        scene.world.tick()
        scene.soon(MINUTE - 1)
        scene.world.stop(clean=False)
    scene.world.wait(scene.rng.choice((0, RECONNECT, DAY)))
    scene.world.boot()
    scene.world.wait(scene.rng.choice((0, RECONNECT)))
    return scene.world.beat(keys[0]) or ""


def silent_for_a_day(scene: Scene, offset: int) -> str:
    keys = live(scene, nodes=2)
    heard = scene.world.site.oracle.slots[keys[0]].heard
    if scene.chance(0.5):
        scene.world.wait(HOUR)
        scene.world.beat(keys[1], scene.line())
    if scene.chance(0.3):
        scene.restart()
        scene.world.beat(keys[0], Line.ANSWER_LOST)
        heard = scene.world.now
    scene.world.until(heard + DAY + offset)
    if scene.chance(0.3):
        scene.look()
    return scene.world.beat(keys[0]) or ""


def silent_until_a_stop(scene: Scene, offset: int) -> str:
    keys = live(scene)
    heard = scene.world.site.oracle.slots[keys[0]].heard
    scene.world.until(heard + DAY + offset)
    scene.world.tick()
    scene.restart(scene.rng.choice((0, 1, RECONNECT)))
    return scene.world.beat(keys[0]) or ""


def live(scene: Scene, nodes: int = 1) -> list[tuple[str, str]]:
    """Slots of one project that are live, some of them in a window that others still wait in."""
    return [node.key for node in scene.registered(scene.project(), nodes)]
