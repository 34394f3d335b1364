"""The engines that can run authorization applications: siblings that know nothing of each other.

Another one is a module that passes tests/contracts/backend.py, and a line here.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from wizard.errors import InvalidInput
from wizard.ports import Backend
from wizard.text import say

BACKENDS = {
    "embedded": "wizard.backends.embedded:EmbeddedBackend",
    "docker": "wizard.backends.docker:DockerBackend",
    "podman": "wizard.backends.docker:DockerBackend",
    "swarm": "wizard.backends.swarm:SwarmBackend",
}


def load(name: str, known: Mapping[str, str] = BACKENDS, /, **settings: object) -> Backend:
    """The backend of that name, made with its settings; InvalidInput when none of those known has it."""
    if name not in known:
        raise InvalidInput(
            say("There is no backend named %(name)s.", name=name),
            todo=say("Choose one of these: %(names)s.", names=", ".join(sorted(known))),
        )
    module, _, kind = known[name].partition(":")
    return cast(Backend, getattr(import_module(module), kind)(**settings))
