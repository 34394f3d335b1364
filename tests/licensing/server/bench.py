"""An authorization application on the bench: the real one with its real database, and a clock that the test turns."""

from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any, cast

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.licensing.issuing import Vendor, another
from wizard.licensing.protocol import api
from wizard.licensing.protocol.claims import Claims
from wizard.licensing.rules.limits import Millis
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server.app import create_app
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.identity import open_identity
from wizard.licensing.server.store import Store

START: Millis = 1_800_000_000_000


def at_once(count: int, action: Callable[[], None]) -> None:
    """Run it in so many threads that start together, and wait for all of them."""
    start = Barrier(count)

    def run() -> None:
        start.wait()
        action()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Bench:
    """One instance of one licence. `stop` and `boot` are what a container's are."""

    def __init__(self, folder: Path, *, registrations: int = 1, claims: Claims | None = None) -> None:
        self.vendor = Vendor()
        self.now: Millis = START
        self.config = folder / "config"
        self._claims = claims or self.vendor.claims(registrations=registrations)
        self.boot()

    def boot(self) -> None:
        identity = open_identity(self.config, self._claims)
        self.authorization = Authorization(identity, self.make_store(self.config, identity.row_key))
        self.authorization.boot(self.now)
        app = create_app(self.authorization, clock=lambda: self.now, address="127.0.0.5", port=18081)
        app.testing = True
        self.client: FlaskClient = app.test_client()

    def make_store(self, config: Path, key: bytes) -> Store:
        return Store(config, key)

    def stop(self) -> None:
        """Cleanly: the time is written."""
        self.authorization.stop(self.now)
        self.kill()

    def kill(self) -> None:
        self.authorization.store.close()

    def restart(self, *, down: Millis = 1000) -> None:
        self.stop()
        self.now += down
        self.boot()

    def tick(self) -> None:
        self.authorization.tick(self.now)

    def keep_mark(self) -> None:
        """What the real process does each minute, too."""
        self.authorization.store.keep_mark(Mark(now=self.now, boottime=self.now, boot_id="bench"))

    def status(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.client.get(api.STATUS).json)

    @property
    def state(self) -> str:
        return str(self.status()["state"])

    def post(self, path: str, document: object) -> TestResponse:
        return self.client.post(path, json=document)

    def challenge(self) -> dict[str, Any]:
        """A new challenge: id, url, elapsed_ms, remaining_ms."""
        response = self.post(api.CHALLENGES, {})
        assert response.status_code == 201, response.json
        return cast("dict[str, dict[str, Any]]", response.json)["challenge"]

    def enter(self, challenge: dict[str, Any], code: str) -> TestResponse:
        return self.post(api.CODES, {"challenge": challenge["id"], "code": code})

    def judge(self, challenge: dict[str, Any], code: str) -> str:
        return str(cast("dict[str, Any]", self.enter(challenge, code).json)["judgement"])

    def right(self, challenge: dict[str, Any]) -> str:
        return self.vendor.answer(challenge["url"])

    def wrong(self, challenge: dict[str, Any]) -> str:
        return another(self.right(challenge))

    def verify(self) -> None:
        """Scan and code."""
        challenge = self.challenge()
        assert self.judge(challenge, self.right(challenge)) == "accepted"

    def lock(self) -> dict[str, Any]:
        """Six wrong codes, for one challenge, which is returned."""
        challenge = self.challenge()
        judged = [self.judge(challenge, self.wrong(challenge)) for _ in range(6)]
        assert judged == ["wrong"] * 5 + ["locked"]
        return challenge
