"""What can be set of a kiosk, by the environment; docs/kiosk.md lists it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from click import ClickException

from wizard.kiosk.bounds import Patience

MOST_VISITORS, LONGEST_IDLE = 20, 3600


@dataclass(frozen=True, kw_only=True)
class KioskSettings:
    """How many visitors at once, and how long one may be still."""

    visitors: int
    patience: Patience

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "KioskSettings":
        idle = _number(environ, "KIOSK_IDLE", 60, LONGEST_IDLE)
        return cls(
            visitors=_number(environ, "KIOSK_VISITORS", 2, MOST_VISITORS),
            patience=Patience(idle=timedelta(seconds=idle)),
        )


def _number(environ: Mapping[str, str], name: str, usual: int, most: int) -> int:
    """ClickException when it cannot be used; the command line shows it as one line."""
    text = environ.get(name) or str(usual)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= most):
        raise ClickException(f"{name}: {text} is not a number from 1 to {most}.")
    return int(text)
