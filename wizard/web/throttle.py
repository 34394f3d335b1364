"""Before a password is looked at: whoever guesses waits; who has signed in here before waits for nobody else."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from wizard.domain.throttle import ADDRESS, NAME, PLACE, Bound
from wizard.ports import Tries
from wizard.web.proxies import neighbourhood

DEVICE_LIFE = timedelta(days=365)
MOST_NAMES = 8
"""Whose browser it is; more than that many people do not share one."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A browser, and the names by which somebody has signed in there."""

    id: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Try:
    """What a password is counted under until it turns out to be right."""

    bounds: Mapping[str, Bound]
    cleared: frozenset[str]
    """Under which nothing is left of the wrong ones before it, when it is right."""


class Throttle:
    """Counts before the password is looked at, so that of many at once no more come through."""

    def __init__(self, tries: Tries, clock: Callable[[], datetime], secret: str) -> None:
        self._tries, self._clock, self._secret = tries, clock, secret.encode()
        self._signer = URLSafeSerializer(secret, salt="device")

    def at_the_door(self, name: str) -> Try:
        """Somebody who is not signed in. Unknown names are counted like known ones."""
        device = self._device()
        if name in device.names:
            key = self._key("device", device.id, name)
            return Try(bounds={key: PLACE}, cleared=frozenset({key}))
        address = neighbourhood(request.remote_addr or "")
        place = self._key("place", address, name)
        bounds = {place: PLACE, self._key("name", name): NAME, self._key("address", address): ADDRESS}
        return Try(bounds=bounds, cleared=frozenset({place}))

    def inside(self, name: str) -> Try:
        """Somebody who is, and changes the password: the session may be in the wrong hands."""
        key = self._key("inside", name)
        return Try(bounds={key: PLACE}, cleared=frozenset({key}))

    def charge(self, attempt: Try) -> timedelta | None:
        """None when it may be looked at, else how long it takes until it may."""
        now = self._clock()
        free_at = self._tries.charge(attempt.bounds, now)
        return None if free_at is None else free_at - now

    def was_right(self, attempt: Try) -> None:
        self._tries.refund(attempt.bounds.keys() - attempt.cleared, attempt.cleared)

    def remember(self, name: str) -> None:
        """This browser has signed in by that name: strangers cannot keep it out any more."""
        device = self._device()
        names = [name, *(it for it in device.names if it != name)][:MOST_NAMES]
        value = self._signer.dumps([device.id, names])

        @after_this_request
        def keep(response: Response) -> Response:
            config = current_app.config
            response.set_cookie(
                cookie_name(),
                str(value),
                max_age=DEVICE_LIFE,
                httponly=True,
                samesite=config["SESSION_COOKIE_SAMESITE"],
                secure=config["SESSION_COOKIE_SECURE"] or request.is_secure,
            )
            return response

    def _device(self) -> Device:
        """What the cookie says, which only the wizard can have written; a new one otherwise."""
        try:
            id, names = self._signer.loads(request.cookies.get(cookie_name(), ""))
        except BadSignature:
            return Device(id=token_hex(16))
        return Device(id=id, names=tuple(names))

    def _key(self, *parts: str) -> str:
        """Names and addresses are not kept: some have typed a password where the name should be."""
        return hmac.digest(self._secret, "\0".join(parts).encode(), "sha256").hex()


def cookie_name() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"
