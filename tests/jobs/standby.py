"""Keeps workers ready, in processes of their own, and ends them as kill -9 does."""

import json
import subprocess
import sys

from tests.instance import ROOT


class Standby:
    """Workers that are ready before they are needed: a start takes a second."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._ready = [self._start(), self._start()]

    def take(self, settings: dict[str, str], deadly: str = "") -> "subprocess.Popen[str]":
        process = self._ready.pop(0)
        self._ready.append(self._start())
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write(json.dumps({"settings": settings, "deadly": deadly}) + "\n")
        process.stdin.flush()
        return process

    def dismiss(self) -> None:
        for process in self._ready:
            end(process)

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.standby_worker"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


def end(process: "subprocess.Popen[str]") -> None:
    """As kill -9 does."""
    process.kill()
    process.communicate()
