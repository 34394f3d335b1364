"""What every test with a real browser needs: the browser, and an application that it can visit."""

import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

CHROMIUM = shutil.which("chromium")
LAUNCH: dict[str, Any] = {
    "executable_path": CHROMIUM,
    "args": ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
}
NEEDS_CHROMIUM = (
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="not installed: chromium"),
)
"""The marks of a module outside `tests/browser`; where CI is set, the skip is a failure (tests/no_skips.py)."""


@contextmanager
def served(
    app: Flask, address: str = "127.0.0.1", ssl_context: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[str]:
    """The address of the application, for as long as the block runs."""
    server = make_server(address, port, app, threaded=True, ssl_context=ssl_context)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if ssl_context else 'http'}://{address}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
