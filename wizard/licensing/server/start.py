"""What must be in place before the first request: the claims, the identity, the folder for itself, the log."""

import fcntl
import logging
import sys
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from wizard.licensing.files import OWNER_ONLY, write_whole
from wizard.licensing.protocol.api import ENTRY
from wizard.licensing.protocol.claims import load_vendor_keys, read_claims
from wizard.licensing.server.identity import Identity, open_identity
from wizard.licensing.server.settings import Settings
from wizard.licensing.server.tls import Tls

LOG_FILE = "server.log"
LOG_BYTES = 1_000_000
LOG_FILES = 3
LOCK_FILE = "lock"
PATIENCE_SECONDS = 10
"""How long to wait for a predecessor that is just ending."""


class InUse(Exception):
    """Another process works with this config folder. Two of them would sell one registration twice."""


def identify(settings: Settings) -> Identity:
    """The instance that these settings name. ClaimsError or WrongVolume when it must not run."""
    vendor_keys = load_vendor_keys(settings.vendor_keys.read_bytes())
    claims = read_claims(settings.claims.read_bytes(), vendor_keys)
    return open_identity(settings.config, claims)


def announce(identity: Identity, tls: Tls) -> None:
    """Say whoever can read the config folder how to ask, and as whom. It is there before the first answer."""
    write_whole(identity.folder / ENTRY, f"{tls.pin} {identity.token}\n".encode(), OWNER_ONLY)


def hold(config: Path, wait: Callable[[float], None] = time.sleep) -> TextIO:
    """Take the config folder for as long as the returned file is open, here or in a child. InUse when it is taken."""
    config.mkdir(parents=True, exist_ok=True)
    file = (config / LOCK_FILE).open("w")
    for _ in range(PATIENCE_SECONDS * 10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait(0.1)
        else:
            return file
    file.close()
    raise InUse(f"Another authorization application runs with {config}.")


def log_to(folder: Path) -> None:
    """Our log, and gunicorn's, to stderr, and to the folder where it can be written. No secret is in it."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(RotatingFileHandler(folder / LOG_FILE, maxBytes=LOG_BYTES, backupCount=LOG_FILES))
    except OSError:  # a read-only root with no volume for it: the engine keeps what goes to stderr
        pass
    logging.basicConfig(
        level=logging.INFO, handlers=handlers, force=True, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.handlers.clear()
    gunicorn.propagate = True
