"""Stands for the authorization application: takes the same options, writes its pin, listens, and ends when told.

What it does besides is said by the claims: `dies` at once, `dies later` after a moment, `stubborn` when told to end.
"""

import argparse
import os
import signal
import socket
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
for option in ("--claims", "--vendor-keys", "--config", "--log", "--tls", "--address", "--port"):
    parser.add_argument(option, required=True)
given = parser.parse_args()
behaviour = Path(given.claims).read_text()

if behaviour == "dies":
    sys.exit("the claims cannot be read")
server = socket.create_server((given.address, int(given.port)))
Path(given.config, "tls.pin").write_text("ab" * 32 + "\n")
Path(given.config, "environment").write_text("\n".join(sorted(os.environ)))
print("ready", Path.cwd())
print("started", flush=True)
if behaviour == "dies later":
    time.sleep(0.2)
    sys.exit(3)
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
while True:
    signal.pause()
