"""Little goes over the wire: text is packed, and a file that has not changed is never asked for again."""

import gzip
import secrets
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.security import safe_join

PACKED = frozenset({"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"})
SMALLEST = 600
"""Bytes; packing saves nothing of what fits into one packet anyway."""
MOST_PADDING = 100
"""Bytes by which the length of a packed page is blurred, as it would tell of the secrets in it else (BREACH)."""
FOR_EVER = "public, max-age=31536000, immutable"


def serve(app: Flask) -> None:
    """To be called before whatever else looks at requests: what is called first sees responses last."""
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def name_version(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static" and "filename" in values:
            values.setdefault("v", version(folder, str(values["filename"])))

    @app.before_request
    def hand_over() -> Response | None:
        """Before anybody asks who it is for: what varies with a cookie is kept as long as it (RFC 9111, 4.1)."""
        return app.send_static_file(**(request.view_args or {})) if request.endpoint == "static" else None

    @app.after_request
    def keep_and_pack(response: Response) -> Response:
        if request.endpoint == "static" and is_current(folder):
            response.headers["Cache-Control"] = FOR_EVER
        return packed(response) if is_worth_packing(response) else response


def version(folder: Path, filename: str) -> str:
    """What tells a file of that folder from each it has been before; nothing when there is none."""
    path = Path(safe_join(str(folder), filename) or "")
    return _digest(path, path.stat().st_mtime_ns) if path.is_file() else ""


def is_current(folder: Path) -> bool:
    """Whether the file is asked for by the version that it is of."""
    named = (request.view_args or {}).get("filename", "")
    return bool(request.args.get("v")) and request.args.get("v") == version(folder, named)


def is_worth_packing(response: Response) -> bool:
    return (
        response.status_code in (200, 422, 409)
        and response.mimetype in PACKED
        and "Content-Encoding" not in response.headers
        and (not response.is_streamed or request.endpoint == "static")
        and (response.content_length or 0) >= SMALLEST
    )


def packed(response: Response) -> Response:
    """The same in gzip, for whoever takes it; whoever does not is told to be another case."""
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    padding = "x" * secrets.randbelow(MOST_PADDING)
    buffer = BytesIO()
    with gzip.GzipFile(filename=padding, mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as file:
        file.write(response.get_data())
    response.set_data(buffer.getvalue())
    response.headers["Content-Encoding"] = "gzip"
    if etag := response.get_etag()[0]:
        response.set_etag(etag, weak=True)  # the bytes differ, what they say does not (RFC 9110, 8.8.1)
    return response


@lru_cache(maxsize=64)
def _digest(path: Path, changed: int) -> str:
    """Of the file as it has been since then, in nanoseconds."""
    return sha256(path.read_bytes()).hexdigest()[:12]
