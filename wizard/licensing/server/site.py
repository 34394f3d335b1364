"""What the views of the authorization application work with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from wizard.licensing.rules.instance import Instance
from wizard.licensing.rules.limits import Millis
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.rate import Bucket
from wizard.licensing.server.registrations import Registrations

Clock = Callable[[], Millis]
"""Milliseconds since 1970 (UTC)."""

_NAME = "authorization"


class TooOften(Exception):
    """New challenges are asked for faster than people do."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One authorization application as the web shows it, at its published address and port."""

    authorization: Authorization
    registrations: Registrations
    rate: Bucket
    clock: Clock
    address: str
    port: int

    def new_challenge(self, now: Millis) -> Instance:
        """Open a challenge. Refused while it is locked or retired, TooOften when the rate is not ok (R6)."""
        if not self.rate.take(now):
            raise TooOften
        return self.authorization.challenge(now)


def attach(app: Flask, site: Site) -> None:
    app.extensions[_NAME] = site


def here() -> Site:
    """The site that is being asked."""
    return cast(Site, current_app.extensions[_NAME])
