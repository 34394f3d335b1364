"""A process is told from all others, also from a later one of the same pid."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from wizard.processes import ProcessName, name_of, this_process


def test_a_name_written_down_is_the_same_when_read() -> None:
    assert ProcessName.parse(str(this_process())) == this_process()


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        ProcessName.parse("nobody")


def test_this_process_lives() -> None:
    process = this_process().process()
    assert process
    assert process.pid == os.getpid()


def test_a_later_process_of_the_same_pid_is_another_one() -> None:
    earlier = replace(this_process(), started=this_process().started - 5)
    assert earlier.process() is None


def test_of_another_machine_nothing_is_known() -> None:
    elsewhere = replace(this_process(), machine="elsewhere")
    assert not elsewhere.is_of_this_machine
    assert elsewhere.process() is None


def test_a_zombie_does_not_live() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = name_of(child.pid)
        assert name.process()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert name_of(child.pid) == name
        assert name.process() is None
