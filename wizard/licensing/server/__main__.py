"""Run the authorization application: one process that keeps the state, with threads, behind TLS."""

import logging
import sys
import threading
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy.exc import SQLAlchemyError

from wizard.licensing.protocol.claims import ClaimsError
from wizard.licensing.rules.limits import PERSISTED, SECOND, Millis
from wizard.licensing.server.app import create_app
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.identity import Identity, WrongVolume
from wizard.licensing.server.settings import Settings, parse
from wizard.licensing.server.start import InUse, boot, hold, identify, log_to
from wizard.licensing.server.store import THREADS
from wizard.licensing.server.tls import Tls, open_tls

log = logging.getLogger(__name__)

GRACE_SECONDS = 5
"""For what is being answered when it is told to stop. Engines kill after ten seconds, and the state is written last."""


def clock() -> Millis:
    """The one place where the authorization application reads a clock."""
    return time.time_ns() // 1_000_000


class Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn with one worker. The worker boots the instance, so a worker that is replaced is a restart (R7, R10)."""

    def __init__(self, settings: Settings, identity: Identity, tls: Tls) -> None:
        self._settings = settings
        self._identity = identity
        self._tls = tls
        self._authorization: Authorization | None = None
        self._stopping = threading.Event()
        super().__init__()

    def load_config(self) -> None:
        listen, port = self._settings.listen, self._settings.port
        context = self._tls.context()
        options: dict[str, Any] = {
            "bind": f"[{listen}]:{port}" if ":" in listen else f"{listen}:{port}",
            "certfile": str(self._tls.certificate),
            "keyfile": str(self._tls.key),
            "ssl_context": lambda conf, make_default: context,
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACE_SECONDS,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "worker_exit": lambda arbiter, worker: self._stop(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        settings = self._settings
        log_to(settings.log)
        self._authorization = boot(self._identity, settings.config, clock())
        threading.Thread(target=self._tick, args=(self._authorization,), daemon=True).start()
        return create_app(self._authorization, clock=clock, address=settings.address, port=settings.port)

    def _tick(self, authorization: Authorization) -> None:
        while not self._stopping.wait(PERSISTED / SECOND):
            try:
                authorization.tick(clock())
            except SQLAlchemyError:  # a full disk, say: the next minute may be better
                log.exception("The time alive could not be written.")

    def _stop(self) -> None:
        """A clean stop is written last, so that the next boot knows exactly how long it was down."""
        self._stopping.set()
        if self._authorization is not None:
            self._authorization.stop(clock())
            self._authorization = None


def main() -> None:
    settings = parse()
    try:
        with hold(settings.config):
            identity = identify(settings)
            tls = open_tls(settings.tls, settings.config, settings.address, clock())
            Server(settings, identity, tls).run()
    except (ClaimsError, WrongVolume, InUse, OSError, ValueError) as error:
        sys.exit(f"The authorization application cannot run: {error}")


if __name__ == "__main__":
    main()
