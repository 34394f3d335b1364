"""Small processes that stand in for the real ones, and a launcher of them: `python -m tests.stand_in KIND …`."""

import os
import signal
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from wizard.launch import Child, Patience, up


class Healthy(BaseHTTPRequestHandler):
    """Answers each GET with its process number."""

    def do_GET(self) -> None:
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def web(port: str) -> None:
    HTTPServer(("127.0.0.1", int(port)), Healthy).serve_forever()


def idle(pid_file: str) -> None:
    Path(pid_file).write_text(str(os.getpid()))
    time.sleep(600)


def stubborn(pid_file: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    idle(pid_file)


def broken(pid_file: str) -> None:
    print("the database is of a later version", flush=True)
    raise SystemExit(3)


def launcher(folder: str, port: str, *kinds: str) -> None:
    """A launcher of one process of each of those kinds."""
    data = Path(folder)
    patience = Patience(first_retry=0.1, grace=1, leftovers=10)
    children = [_child(data, kind, port) for kind in kinds]
    url = f"http://127.0.0.1:{port}/healthz"
    sys.exit(up(children, lock=data / "run.lock", ready_url=url, announce=lambda: f"Open {url}", patience=patience))


def _child(data: Path, kind: str, port: str) -> Child:
    is_web = kind == "web"
    return Child(
        name=kind,
        command=[sys.executable, "-m", "tests.stand_in", kind, port if is_web else str(data / f"{kind}.pid")],
        environment=os.environ,
        log=data / "log" / f"{kind}.log",
        listens=("127.0.0.1", int(port)) if is_web else None,
    )


KINDS: dict[str, Callable[..., None]] = {
    "web": web,
    "idle": idle,
    "stubborn": stubborn,
    "broken": broken,
    "launcher": launcher,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](*sys.argv[2:])
