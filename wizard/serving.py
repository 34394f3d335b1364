"""gunicorn's settings, for every web process of ours: `gunicorn --config python:wizard.serving …`."""

from pathlib import Path

import gunicorn

MEMORY = "/dev/shm"  # noqa: S108  # gunicorn makes a file of its own in it

gunicorn.SERVER = "wizard"
"""What the Server header says, and no more."""

worker_class = "gthread"
workers = 1
threads = 32
"""So many slow connections are needed to hold it up."""
keepalive = 30
graceful_timeout = 3
"""Seconds for open requests when it stops. Uploads and polls go on after a restart."""
worker_tmp_dir = MEMORY if Path(MEMORY).is_dir() else None
"""Its sign of life goes to memory, so that a slow disk is not taken for a dead worker."""
control_socket_disable = True
forwarded_allow_ips = ""
"""Who is believed about where a request comes from is WIZARD_TRUSTED_PROXIES' to say."""
loglevel = "warning"
