"""Run the authorization application: one process that keeps the state, with threads, behind TLS."""

import logging
import os
import signal
import sys
import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy.exc import SQLAlchemyError

from wizard.licensing.protocol.claims import ClaimsError
from wizard.licensing.rules.limits import PERSISTED, SECOND
from wizard.licensing.rules.timeline import ClockBehind
from wizard.licensing.server.app import create_app
from wizard.licensing.server.authorization import Authorization
from wizard.licensing.server.identity import Identity, WrongVolume
from wizard.licensing.server.rows import Damaged
from wizard.licensing.server.settings import Settings, parse
from wizard.licensing.server.start import InUse, hold, identify, log_to
from wizard.licensing.server.store import THREADS, Store
from wizard.licensing.server.timekeeper import Timekeeper, read_clocks
from wizard.licensing.server.tls import Tls, open_tls

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
        self._clock = Timekeeper(self._authorization.store, self._authorization.boot)
        self._is_sound = True
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
        threading.Thread(target=self._tick, daemon=True).start()
        return create_app(self._authorization, clock=self._clock, address=settings.address, port=settings.port)

    def _tick(self) -> None:
        while not self._stopping.wait(PERSISTED / SECOND):
            try:
                self._authorization.tick(self._clock())
                self._clock.keep()
            except ClockBehind as behind:
                log.warning("The clock of this server is %d s behind.", behind.behind // SECOND)
            except SQLAlchemyError:  # a full disk, say: the next minute may be better
                log.exception("The time alive could not be written.")
            except Damaged as damage:  # a worker that boots finds it again, and puts it right
                log.error("The storage is damaged: %s The process starts again.", damage)
                self._is_sound = False
                os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self) -> None:
        """A clean stop is written last, so that the next boot knows exactly how long it was down.

        Nothing is written over damage, for that would hide it.
        """
        self._stopping.set()
        if not self._is_sound:
            return
        try:
            self._clock.keep()
            self._authorization.stop(self._clock())
        except (ClockBehind, Damaged, SQLAlchemyError) as error:
            log.warning("Stopped without a note of the time: %s", error)


def main() -> None:
    settings = parse()
    try:
        with hold(settings.config):
            identity = identify(settings)
            tls = open_tls(settings.tls, settings.config, settings.address, read_clocks().utc)
            Server(settings, identity, tls).run()
    except (ClaimsError, WrongVolume, InUse, OSError, ValueError) as error:
        sys.exit(f"The authorization application cannot run: {error}")


if __name__ == "__main__":
    main()
