"""What a project remembers survives a crash, and is never believed when it is damaged."""

import os
import random
import signal
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.figures import tell
from tests.licensing.client.scenes import ADDRESS, NODES, PORT, Scene
from wizard.licensing.client import Drawer, StorageError
from wizard.licensing.client.history import LONGEST
from wizard.licensing.client.state import Memory
from wizard.licensing.rules.limits import BEAT, DAY, HEAL, MINUTE
from wizard.licensing.rules.project import ProjectState

KILLS = 40
ACKNOWLEDGED = struct.Struct("!II")
"""The length of the history, and the sequence of the last message."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    scene.register()
    yield scene
    scene.bench.kill()


def memory_file(scene: Scene) -> Path:
    return scene.folder / "registration.json"


def key_file(scene: Scene) -> Path:
    [path] = scene.folder.glob("*.key")
    return path


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ (1 << bit)).to_bytes(len(data), "big")


def cut_short(data: bytes) -> bytes:
    return data[: len(data) // 2]


def first_digit_changed(data: bytes) -> bytes:
    return data.replace(b'"sequence": 3', b'"sequence": 2')


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut short": cut_short,
    "empty": lambda data: b"",
    "no JSON": lambda data: b"\x00" * len(data),
    "another JSON": lambda data: b"[1, 2]",
    "nested deeply": lambda data: b"[" * 100_000,
    "one digit": first_digit_changed,
    "one bit": lambda data: flipped(data, 3),
    "another format": lambda data: data.replace(b'"format":2', b'"format":3'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_memory_is_put_aside_and_the_project_registers_again_in_its_own_slots(
    scene: Scene, damage: Callable[[bytes], bytes]
) -> None:
    written = memory_file(scene).read_bytes()
    damaged = damage(written)
    assert damaged != written
    memory_file(scene).write_bytes(damaged)
    client = scene.open(scene.folder)
    memory = client.look(scene.bench.now)
    assert {node.registration.state for node in memory.nodes} == {ProjectState.UNREGISTERED}
    assert memory.notice is not None
    assert memory.notice.cause.code == "damaged_memory"
    assert [entry.cause.code for entry in memory.history] == ["damaged_memory"]
    assert memory_file(scene).with_name("registration.json.damaged").read_bytes() == damaged

    client.register(ADDRESS, PORT, scene.bench.now)
    client.beat(scene.bench.now)
    assert client.look(scene.bench.now).notice is None
    assert [slot["state"] for slot in scene.bench.status()["slots"]] == ["LIVE", "LIVE"]


def test_every_single_bit_of_the_memory_counts(scene: Scene) -> None:
    written = memory_file(scene).read_bytes()
    chosen = random.Random(6).sample(range(len(written) * 8), 400)
    for bit in chosen:
        memory_file(scene).write_bytes(flipped(written, bit))
        drawer = Drawer(scene.folder, NODES)
        assert {node.registration.state for node in drawer.load().nodes} == {ProjectState.UNREGISTERED}, bit


def test_a_memory_that_is_gone_while_the_key_is_there_is_told_too(scene: Scene) -> None:
    memory_file(scene).unlink()
    notice = scene.open(scene.folder).look(scene.bench.now).notice
    assert notice is not None
    assert (notice.cause.code, notice.since) == ("damaged_memory", scene.bench.now)


def test_what_was_told_of_a_damage_is_told_again_after_a_restart(scene: Scene) -> None:
    memory_file(scene).write_bytes(b"")
    scene.open(scene.folder).beat(scene.bench.now)
    again = scene.open(scene.folder).look(scene.bench.now + DAY)
    assert again.notice is not None
    assert again.notice.since == scene.bench.now
    assert len(again.history) == 1


@pytest.mark.parametrize("damage", [lambda data: data[:31], lambda data: flipped(data, 0), lambda data: None])
def test_a_damaged_key_is_put_aside_and_the_project_becomes_a_new_one_with_its_history(
    scene: Scene, damage: Callable[[bytes], bytes | None]
) -> None:
    path, written = key_file(scene), key_file(scene).read_bytes()
    damaged = damage(written)
    path.unlink() if damaged is None else path.write_bytes(damaged)
    before = scene.client.look(scene.bench.now)
    client = scene.open(scene.folder)
    memory = client.look(scene.bench.now)
    assert {node.registration.state for node in memory.nodes} == {ProjectState.UNREGISTERED}
    assert memory.notice is not None
    assert memory.notice.cause.code == "damaged_key"
    assert memory.history[:-1] == before.history
    assert memory.key != before.key
    scene.bench.now += DAY + 1  # its old slots free themselves
    client.register(ADDRESS, PORT, scene.bench.now)
    assert {node.registration.state for node in client.look(scene.bench.now).nodes} == {ProjectState.CONNECTED}


def test_a_memory_beside_the_key_of_another_project_is_not_believed(scene: Scene, tmp_path: Path) -> None:
    other = scene.open(tmp_path / "other")
    key_file(scene).unlink()
    for path in (tmp_path / "other").glob("*.key"):
        path.rename(scene.folder / path.name)
    memory = scene.open(scene.folder).look(scene.bench.now)
    assert memory.notice is not None
    assert memory.notice.cause.code == "damaged_key"
    assert other.look(scene.bench.now).history == ()


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: flipped(data, 0)])
def test_nothing_that_is_whole_is_told_as_the_loss_of_the_key(scene: Scene, damage: Callable[[bytes], bytes]) -> None:
    memory_file(scene).write_bytes(b"{}")
    key_file(scene).write_bytes(damage(key_file(scene).read_bytes()))
    client = scene.open(scene.folder)
    notice = client.look(scene.bench.now).notice
    assert notice is not None
    assert notice.cause.code == "damaged_key"
    scene.bench.now += DAY + 1
    client.register(ADDRESS, PORT, scene.bench.now)


def test_a_new_project_is_told_of_no_damage(tmp_path: Path) -> None:
    memory = Drawer(tmp_path / "new", NODES).load()
    assert (memory.notice, memory.history, memory.sequence) == (None, (), 0)
    assert Drawer(tmp_path / "new", NODES).load() == memory


def test_only_the_owner_reads_the_key_and_the_memory(scene: Scene) -> None:
    assert {path.stat().st_mode & 0o777 for path in scene.folder.iterdir()} == {0o600}


def test_what_cannot_be_written_is_told_and_nothing_leaves(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.bench.verify()
    scene.folder.rename(tmp_path / "away")
    scene.folder.write_text("a file where the folder should be cannot be written to, not even by root")
    with pytest.raises(StorageError) as refused:
        scene.client.register(ADDRESS, PORT, scene.bench.now)
    assert refused.value.code == "not_saved"
    assert refused.value.cause.where == str(scene.folder)
    assert scene.line.sent == []
    scene.bench.kill()


def told(memory: Memory) -> list[tuple[int, str, str, str]]:
    return [(entry.time, entry.before.value, entry.after.value, entry.cause.code) for entry in memory.history]


def test_the_history_has_each_failure_and_recovery_with_its_time_and_its_cause(scene: Scene) -> None:
    began = scene.bench.now
    scene.line.cut = True
    scene.pass_time(HEAL + BEAT)
    missed, lapsed, lost = began + BEAT, began + DAY + 1, began + HEAL + 1
    assert told(scene.client.look(scene.bench.now)) == [
        (began, "UNREGISTERED", "CONNECTED", "registered"),
        (missed, "CONNECTED", "DISCONNECTED", "timeout"),
        (lapsed, "DISCONNECTED", "LAPSED", "lapsed"),
        (lost, "LAPSED", "FAILED", "no_feedback"),
    ]
    assert {entry.nodes for entry in scene.client.look(scene.bench.now).history} == {NODES}


def test_what_happened_while_nobody_ran_is_noted_at_its_own_time(scene: Scene) -> None:
    began = scene.bench.now
    later = scene.open(scene.folder).look(began + 10 * DAY)
    assert [entry[0] for entry in told(later)] == [began, began + DAY + 1, began + HEAL + 1]


def test_another_cause_of_the_same_silence_is_noted_once(scene: Scene) -> None:
    began = scene.bench.now
    scene.line.cut = True
    scene.pass_time(BEAT + 30 * MINUTE)
    scene.line.cut, scene.line.fault = False, True
    scene.pass_time(30 * MINUTE)
    scene.line.fault = False
    scene.pass_time(10 * MINUTE)
    codes = [entry[3] for entry in told(scene.client.look(scene.bench.now))]
    assert codes == ["registered", "timeout", "fault", "answered"]
    assert scene.client.look(scene.bench.now).history[1].time == began + BEAT


def test_the_history_keeps_the_newest_entries(scene: Scene) -> None:
    memory = scene.client.look(scene.bench.now)
    entries = tuple(replace(memory.history[0], time=scene.bench.now - count) for count in range(LONGEST, 0, -1))
    Drawer(scene.folder, NODES).save(replace(memory, history=entries))
    client = scene.open(scene.folder)
    scene.line.cut = True
    client.beat(scene.bench.now, everyone=True)
    history = scene.open(scene.folder).look(scene.bench.now).history
    assert history[:-1] == entries[1:]
    assert (history[-1].time, history[-1].cause.code) == (scene.bench.now, "timeout")
    assert tell("client.memory_bytes", memory_file(scene).stat().st_size, "<=", 256 * 1024)


def beat_for_ever(scene: Scene, pipe: int) -> None:
    """In a process of its own: each second request is lost. What is remembered is told when `beat` has returned."""
    while True:
        scene.line.cut = not scene.line.cut
        scene.bench.now = scene.client.next_beat(scene.bench.now) or scene.bench.now
        scene.beat()
        memory = scene.client.look(scene.bench.now)
        os.write(pipe, ACKNOWLEDGED.pack(len(memory.history), memory.sequence or 0))


def killed(scene: Scene, after_beats: int, after_seconds: float) -> tuple[int, int]:
    """How long the history was, and which sequence was the last one, as the process told before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            beat_for_ever(scene, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read(after_beats * ACKNOWLEDGED.size)
        time.sleep(after_seconds)  # into the next one: where the process is by then is left to chance
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        told += pipe.read()
    length, sequence = list(ACKNOWLEDGED.iter_unpack(told))[-1]
    return length, sequence


def test_no_kill_at_any_moment_loses_what_was_remembered(tmp_path: Path) -> None:
    chance, lost, beats = random.Random(3), 0, 0
    for count in range(KILLS):
        scene = Scene(tmp_path / str(count))
        scene.register()
        length, sequence = killed(scene, chance.randint(1, 12), chance.uniform(0, 0.01))
        memory = Drawer(scene.folder, NODES).load()
        lost += memory.notice is not None or len(memory.history) < length or (memory.sequence or 0) < sequence
        beats += length - 1
        scene.bench.kill()
    assert beats > KILLS
    assert tell("client.lost_after_kill", lost, "<=", 0)
