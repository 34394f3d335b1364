"""Following: a file that grows is hashed and checked, and whoever sends it waits for its digest alone."""

import hashlib
import os
import threading
from contextlib import closing
from io import FileIO
from pathlib import Path

import pytest

from tests.factories import NOW
from tests.waiting import until
from wizard.archive.following import BEHIND, STEP, Following, GivenUp, Growing
from wizard.archive.spool import Examined
from wizard.archive.uploads import Turn
from wizard.archive.verdicts import Refused
from wizard.domain.upload import Upload
from wizard.errors import UnknownStep

CONTENT = os.urandom(BEHIND + STEP + 5)


def grown(path: Path, size: int = len(CONTENT)) -> Path:
    path.write_bytes(CONTENT[:size])
    return path


def an_upload(offset: int) -> Upload:
    return Upload(
        id="0" * 32, owner="ann", filename="x.tar", length=len(CONTENT), offset=offset, mark="", expires_at=NOW
    )


def everything(file: Growing) -> bytes:
    return b"".join(iter(lambda: file.read(STEP), b""))


def test_the_digest_is_known_while_the_check_goes_on(tmp_path: Path) -> None:
    is_known = threading.Event()

    def check(file: Growing) -> str:
        assert is_known.wait(10)
        return file.digest()

    following = Following(grown(tmp_path / "file"), len(CONTENT), check)
    following.arrived(len(CONTENT))
    assert following.digest() == hashlib.sha256(CONTENT).hexdigest()
    is_known.set()
    assert following.result() == following.digest()


class Hindered(Following[bytes]):
    """Does not hash before it may."""

    may = threading.Event()

    def _hash(self, file: FileIO) -> str:
        assert self.may.wait(10)
        return super()._hash(file)


def test_the_check_stands_back_while_hashing_is_behind_and_bytes_arrive(tmp_path: Path) -> None:
    has_begun = threading.Event()

    def check(file: Growing) -> bytes:
        begin = file.read(1)
        has_begun.set()
        return begin + everything(file)

    following = Hindered(grown(tmp_path / "file"), len(CONTENT), check)
    following.arrived(BEHIND + 1)
    assert not has_begun.wait(0.2)
    following.arrived(len(CONTENT))
    assert following.result() == CONTENT
    following.may.set()
    assert following.digest() == hashlib.sha256(CONTENT).hexdigest()


def test_what_comes_slowly_is_seen_before_there_is_much_of_it(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def check(file: Growing) -> None:
        while data := file.read(STEP):
            seen.append(data)

    following = Following(grown(tmp_path / "file", 12), len(CONTENT), check)
    following.arrived(5)
    until(lambda: b"".join(seen) == CONTENT[:5], "the first bytes")
    following.arrived(12)
    until(lambda: b"".join(seen) == CONTENT[:12], "the bytes after them")
    following.give_up()


def test_no_more_is_read_than_has_arrived(tmp_path: Path) -> None:
    following = Following(grown(tmp_path / "file"), len(CONTENT), everything)
    for size in (1, STEP, STEP + 1, len(CONTENT) - 1):
        following.arrived(size)
    assert not following.has_given_up
    following.arrived(len(CONTENT))
    assert following.result() == CONTENT


def test_whoever_waits_is_told_that_it_was_given_up(tmp_path: Path) -> None:
    following = Following(grown(tmp_path / "file", 5), len(CONTENT), everything)
    following.arrived(5)
    following.give_up()
    with pytest.raises(GivenUp):
        following.digest()
    with pytest.raises(GivenUp):
        following.result()
    assert following.has_given_up


def test_a_file_that_became_shorter_is_given_up(tmp_path: Path) -> None:
    path = grown(tmp_path / "file", 5)
    following = Following(path, len(CONTENT), everything)
    following.arrived(len(CONTENT))
    with pytest.raises(GivenUp):
        following.digest()
    assert following.has_given_up


class Noting(Following[Examined]):
    """Says how often it was asked for the digest."""

    asked = 0

    def digest(self) -> str:
        self.asked += 1
        return super().digest()


def test_only_the_turn_of_the_last_byte_waits_for_the_digest(tmp_path: Path) -> None:
    path, is_over = grown(tmp_path / "file", 0), threading.Event()

    def check(file: Growing) -> Examined:
        is_over.wait(10)
        raise Refused("not-tar")

    following = Noting(path, len(CONTENT), check)
    with path.open("r+b") as file:
        for begin, end, asked in ((0, 10, 0), (10, len(CONTENT), 1)):
            with closing(Turn(file.fileno(), an_upload(offset=begin), following, is_doubtful=False)) as turn:
                turn.write(memoryview(CONTENT[begin:end]))
            assert following.asked == asked
    is_over.set()


def test_a_turn_of_an_upload_that_was_removed_says_so(tmp_path: Path) -> None:
    path = grown(tmp_path / "file", 0)

    def check(file: Growing) -> Examined:
        everything(file)
        raise Refused("not-tar")

    following = Following(path, len(CONTENT), check)
    with path.open("r+b") as file:
        turn = Turn(file.fileno(), an_upload(offset=0), following, is_doubtful=True)
        turn.write(memoryview(CONTENT))
        following.give_up()
        with pytest.raises(UnknownStep):
            turn.close()
