"""A worker's process that is ready before it is needed: python -m tests.jobs.standby_worker.

It says that it is ready, then waits for a line of JSON: settings for the environment, and perhaps a moment at which it
kills itself, as `before check` or `after done`: around the record of a phase, or of an end.
"""

import json
import os
import signal
import sys
from dataclasses import replace

import app
from wizard.backends.docker import DockerBackend
from wizard.domain.operation import Operation
from wizard.domain.registration import Registration
from wizard.jobs import worker
from wizard.settings import Settings
from wizard.steps import FLOW
from wizard.store import SqlStore

GRACE = 1
"""Seconds that a container has to end by itself. One that has just begun hears no signal yet, and would use up more."""


class MortalStore(SqlStore):
    """Kills its process around one of its writes."""

    def __init__(self, url: str, deadly: str) -> None:
        super().__init__(url)
        self._deadly = deadly

    def record(self, operation: Operation, owner: str, result: Registration | None = None) -> bool:
        what = _what(operation)
        self._come("before", what)
        recorded = super().record(operation, owner, result)
        self._come("after", what)
        return recorded

    def _come(self, when: str, what: str) -> None:
        if self._deadly == f"{when} {what}":
            os.kill(os.getpid(), signal.SIGKILL)


def _what(operation: Operation) -> str:
    """The phase under way, or how it ended."""
    under_way = [phase.slug for phase in operation.phases if phase.started_at and not phase.ended_at]
    return under_way[0] if operation.is_active and under_way else operation.state.value


print("ready", flush=True)
told = json.loads(sys.stdin.readline())
settings = Settings.from_environ(os.environ | told["settings"])
bell = app.bell(settings)
workshop = app.workshop(settings, bell)
backend = DockerBackend(engines=app.inventory(settings).engines, clock=app.clock, grace=GRACE)
store = MortalStore(settings.database, told["deadly"])
worker.run(replace(workshop, backend=backend, store=store), FLOW, bell)
