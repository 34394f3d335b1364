"""The authorization application as a process: one that keeps the state, with threads, behind TLS."""

import logging
import os
import signal
import sys
import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from wizard.licensing.protocol.claims import ClaimsError
from wizard.licensing.rules.limits import PERSISTED, SECOND, Millis
from wizard.licensing.rules.timeline import ClockBehind
from wizard.licensing.server.app import create_app
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.database import THREADS
from wizard.licensing.server.identity import Identity, WrongVolume
from wizard.licensing.server.minutes import Minutes
from wizard.licensing.server.settings import Settings, parse
from wizard.licensing.server.start import InUse, announce, hold, identify, log_to
from wizard.licensing.server.store import Store
from wizard.licensing.server.timekeeper import Timekeeper, read_clocks
from wizard.licensing.server.tls import Tls, open_tls
from wizard.licensing.server.travelling import Travelling

log = logging.getLogger(__name__)

GRACE_SECONDS = 5
"""For what is being answered when it is told to stop. Engines kill after ten seconds, and the state is written last."""


class Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn with one worker. The worker boots the instance, so a worker that is replaced is a restart (R7, R10)."""

    def __init__(self, settings: Settings, identity: Identity, tls: Tls) -> None:
        self._settings = settings
        self._identity = identity
        self._tls = tls
        self._authorization = Authorization(identity, Store(identity.folder, identity.row_key))
        earliest = int(identity.claims.issued_at.timestamp()) * SECOND
        self._clock = _clock(settings, self._authorization, earliest)
        self._minutes = Minutes(self._authorization, self._clock, lambda: os.kill(os.getpid(), signal.SIGTERM))
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
        try:
            self._clock()
        except ClockBehind as behind:
            log.warning("The clock of this server is %d s behind. Waiting until it is set.", behind.behind // SECOND)
        threading.Thread(target=self._live, daemon=True).start()
        return create_app(self._authorization, clock=self._clock, address=settings.address, port=settings.port)

    def _live(self) -> None:
        while not self._stopping.wait(PERSISTED / SECOND):
            self._minutes.passes()

    def _stop(self) -> None:
        self._stopping.set()
        self._minutes.stop()


def _clock(settings: Settings, authorization: Authorization, earliest: Millis) -> Timekeeper:
    if settings.time_machine is None:
        return Timekeeper(authorization.store, authorization, earliest)
    return Travelling(authorization.store, authorization, earliest, settings.time_machine, authorization.tick)


def run() -> None:
    """Until it is told to stop. What keeps it from running is said in one sentence."""
    settings = parse()
    try:
        with hold(settings.config):
            identity = identify(settings)
            tls = open_tls(settings.tls, settings.config, settings.address, read_clocks().utc)
            announce(identity, tls)
            Server(settings, identity, tls).run()
    except (ClaimsError, WrongVolume, InUse, OSError, ValueError) as error:
        sys.exit(f"The authorization application cannot run: {error}")
