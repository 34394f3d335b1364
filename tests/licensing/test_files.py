"""Files are whole or not there."""

import os
import threading
from pathlib import Path

import pytest

from wizard.licensing.files import OWNER_ONLY, PUBLIC, replacing, write_once, write_whole


@pytest.mark.parametrize("mode", [OWNER_ONLY, PUBLIC])
def test_a_file_has_its_mode_whatever_the_umask_says(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "file", b"data", mode)
        write_once(tmp_path / "once", b"data", mode)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {mode}


def test_what_breaks_off_leaves_the_older_file_and_nothing_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"older", PUBLIC)

    def break_off() -> None:
        with replacing(tmp_path / "file") as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"older")]


def test_of_many_that_write_once_the_first_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    barrier, seen = threading.Barrier(8), set()

    def write(number: int) -> None:
        barrier.wait()
        write_once(path, b"%d" % number * 1000, PUBLIC)
        seen.add(path.read_bytes())

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {path.read_bytes()}
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
