"""Which settings an image may have. Data: a rule for each that could run something else than the image shows.

They hold for every image; some for licences alone, which are ours: an unknown image runs as it was made (its own user,
for example). A licence's settings are signed as well; this is what no signature should make good.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from signal import Signals

import msgspec

from wizard.archive.describe import Config, Container
from wizard.archive.verdicts import Refused

NUMBERED = re.compile("[1-9][0-9]{0,8}(:[1-9][0-9]{0,8})?")
"""A user, and a group, who are not root. Names are looked up in the image, where they can be anybody."""
PORT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(?:tcp|udp|sctp))?")
HIGHEST_PORT = 65_535
VARIABLE = re.compile(r"[^=]+=.*", re.DOTALL)
SIGNAL = re.compile(
    rf"(?:SIG)?(?:{'|'.join(it.name.removeprefix('SIG') for it in Signals)}|RTM(?:IN\+|AX-)[0-9]{{1,2}})"
    r"|[1-9]|[1-5][0-9]|6[0-4]"
)
"""By name or by number (signal(7))."""
LOADED_FIRST = re.compile(r"(?:LD_PRELOAD|LD_AUDIT|GCONV_PATH|GLIBC_TUNABLES|BASH_ENV|ENV)=.*", re.DOTALL)
"""What is run before the program itself, or changes how it is run."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A setting, by its name in the configuration, and whether it may be as it is."""

    setting: str
    holds: Callable[[Container], bool]
    for_licences: bool = False


def _is_port(port: str) -> bool:
    match = PORT.fullmatch(port)
    return match is not None and all(int(number) <= HIGHEST_PORT for number in match.groups() if number)


def _is_plain(folder: str) -> bool:
    return folder.startswith("/") and {"..", "."}.isdisjoint(folder.split("/"))


RULES = (
    Rule(setting="Volumes", holds=lambda it: not it.volumes),
    Rule(setting="OnBuild", holds=lambda it: not it.on_build),
    Rule(setting="Env", holds=lambda it: all(map(VARIABLE.fullmatch, it.env or ()))),
    Rule(setting="ExposedPorts", holds=lambda it: all(map(_is_port, it.exposed_ports or ()))),
    Rule(setting="StopSignal", holds=lambda it: not it.stop_signal or bool(SIGNAL.fullmatch(it.stop_signal))),
    Rule(setting="WorkingDir", holds=lambda it: not it.working_dir or _is_plain(it.working_dir)),
    Rule(setting="User", holds=lambda it: not it.user or bool(NUMBERED.fullmatch(it.user)), for_licences=True),
    Rule(setting="Env", holds=lambda it: not any(map(LOADED_FIRST.fullmatch, it.env or ())), for_licences=True),
)
"""An anonymous volume is a reinstallation at each start (R13). A licence without a user is given one by the wizard."""


def ensure(config: Config, *, is_licence: bool) -> None:
    """Refused when the image has a setting that it must not have."""
    if config.rootfs.type != "layers":
        raise Refused("configuration", setting="rootfs")
    for text in _texts(msgspec.to_builtins(config)):
        if "\0" in text:
            raise Refused("configuration", setting=text)
    for rule in RULES:
        if (is_licence or not rule.for_licences) and not rule.holds(config.config or Container()):
            raise Refused("configuration", setting=rule.setting)


def _texts(value: object) -> Iterator[str]:
    """All that is written in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts((*value, *value.values()))
    elif isinstance(value, list | tuple):
        yield from chain.from_iterable(map(_texts, value))
