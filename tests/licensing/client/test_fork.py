"""Two copies of one project: both are told, neither is silently kept, and each can go on (SPEC.md, section 4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.client.scenes import ADDRESS, PORT, Scene
from wizard.licensing.client import Client, NotRegistered
from wizard.licensing.rules.limits import BEAT, DAY, MINUTE
from wizard.licensing.rules.project import ProjectState


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path, registrations=4)
    scene.register()
    yield scene
    scene.bench.kill()


def states(client: Client, now: int) -> set[ProjectState]:
    return {node.registration.state for node in client.look(now).nodes}


def codes(client: Client, now: int) -> list[str]:
    """What is in the history, oldest first."""
    return [entry.cause.code for entry in client.look(now).history]


def slots(scene: Scene) -> list[str]:
    return [slot["state"] for slot in scene.bench.status()["slots"]]


def behind(scene: Scene) -> Client:
    """A copy that has been left behind, as one restored from a backup is: it is always told FORK."""
    copy = scene.copied()
    scene.pass_time(10 * BEAT)
    return copy


def test_the_copy_that_comes_later_is_told_and_the_other_one_at_its_next_request(scene: Scene) -> None:
    copy = scene.copied()
    now = scene.bench.now
    scene.client.beat(now, everyone=True)
    copy.beat(now, everyone=True)
    assert states(copy, now) == {ProjectState.DISCONNECTED}
    assert copy.look(now).needs_own_key
    assert codes(copy, now)[-1] == "fork"
    copy.beat(now + MINUTE)
    assert states(copy, now + MINUTE) == {ProjectState.CONNECTED}
    scene.client.beat(now + BEAT)
    assert states(scene.client, now + BEAT) == {ProjectState.DISCONNECTED}
    assert codes(scene.client, now + BEAT)[-1] == "fork"


def test_the_one_that_stays_goes_on_by_itself_and_remembers_the_other_for_a_day(scene: Scene) -> None:
    copy = scene.copied()
    copy.beat(scene.bench.now, everyone=True)
    scene.client.beat(scene.bench.now, everyone=True)
    noticed = scene.bench.now
    scene.pass_time(DAY)
    memory = scene.client.look(scene.bench.now)
    assert states(scene.client, scene.bench.now) == {ProjectState.CONNECTED}
    assert not memory.needs_own_key
    assert memory.has_other_copy(noticed + DAY)
    assert not memory.has_other_copy(noticed + DAY + 1)


def test_fork_keeps_no_registration_alive(scene: Scene) -> None:
    copy = behind(scene)
    heard = copy.look(scene.bench.now).nodes[0].registration.feedback
    assert heard is not None
    copy.beat(heard + DAY)
    assert states(copy, heard + DAY) == {ProjectState.DISCONNECTED}
    assert states(copy, heard + DAY + 1) == {ProjectState.LAPSED}


def test_a_copy_with_a_key_of_its_own_takes_slots_of_its_own_and_leaves_the_others(scene: Scene) -> None:
    copy = behind(scene)
    now = scene.bench.now
    copy.beat(now)
    assert copy.look(now).needs_own_key
    before = copy.look(now).key
    copy.register(ADDRESS, PORT, now)
    after = copy.look(now)
    assert after.key != before
    assert (after.fork, after.heir) == (None, "")
    assert slots(scene) == ["LIVE"] * 4
    copy.beat(now, everyone=True)
    scene.client.beat(now, everyone=True)
    assert states(copy, now) == states(scene.client, now) == {ProjectState.CONNECTED}
    assert not scene.client.look(now).has_other_copy(now)


def test_the_key_of_its_own_outlives_a_restart_and_the_old_one_is_gone(scene: Scene) -> None:
    copy = behind(scene)
    now = scene.bench.now
    copy.register(ADDRESS, PORT, now, own_key=True)
    key = copy.look(now).key
    again = scene.open(scene.copy_folder)
    assert again.look(now).key == key
    assert [path.name for path in scene.copy_folder.glob("*.key")] == [f"ed25519-{key[:16]}.key"]
    again.beat(now, everyone=True)
    assert states(again, now) == {ProjectState.CONNECTED}


def test_a_key_of_its_own_that_is_refused_changes_nothing(scene: Scene) -> None:
    copy = behind(scene)
    now = scene.bench.now
    scene.bench.restart(down=DAY + 1)
    before = copy.look(now)
    with pytest.raises(NotRegistered) as refused:
        copy.register(ADDRESS, PORT, now, own_key=True)
    assert refused.value.code == "not_authenticated"
    after = copy.look(now)
    assert (after.key, after.nodes, after.server) == (before.key, before.nodes, before.server)


def test_a_key_of_its_own_whose_answer_was_lost_is_used_again(scene: Scene) -> None:
    copy = behind(scene)
    now = scene.bench.now
    scene.line.deaf = True
    with pytest.raises(Exception, match="no answer"):
        copy.register(ADDRESS, PORT, now, own_key=True)
    scene.line.deaf = False
    again = scene.open(scene.copy_folder)
    again.register(ADDRESS, PORT, now, own_key=True)
    assert slots(scene) == ["LIVE"] * 4
    assert len({slot["project"] for slot in scene.bench.status()["slots"]}) == 1


def test_a_backup_from_before_the_registration_is_refused_once_and_then_registers_as_its_own(tmp_path: Path) -> None:
    scene = Scene(tmp_path, registrations=4)
    copy = scene.copied()
    scene.register()
    now = scene.bench.now
    with pytest.raises(NotRegistered) as refused:
        copy.register(ADDRESS, PORT, now)
    assert refused.value.code == "fork"
    assert states(copy, now) == {ProjectState.UNREGISTERED}
    assert codes(copy, now) == ["fork"]
    copy.register(ADDRESS, PORT, now)
    assert slots(scene) == ["LIVE"] * 4
    scene.bench.kill()


def test_giving_up_a_copy_that_is_behind_frees_nothing_at_once_and_it_still_needs_a_key_of_its_own(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, registrations=4)
    scene.register()
    copy = scene.copied()
    for _ in range(2):  # on the channel of the whole project the copy is now behind
        scene.client.register(ADDRESS, PORT, scene.bench.now)
    now = scene.bench.now
    assert not copy.deauthorize(now)
    memory = copy.look(now)
    assert memory.notice is not None
    assert memory.notice.cause.code == "frees_itself"
    assert memory.needs_own_key
    assert slots(scene) == ["LIVE"] * 2
    scene.bench.kill()


def test_registering_with_a_key_of_its_own_gives_up_nothing_that_the_other_copy_holds(scene: Scene) -> None:
    copy = scene.copied()
    copy.beat(scene.bench.now, everyone=True)
    scene.client.beat(scene.bench.now, everyone=True)
    copy.register(ADDRESS, PORT, scene.bench.now, own_key=True)
    scene.pass_time(BEAT)
    assert states(scene.client, scene.bench.now) == {ProjectState.CONNECTED}
    assert slots(scene).count("RELEASED") == 0
