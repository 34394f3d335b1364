"""Passes what a visitor asks on to their own world, and nothing else: so the kiosk is one origin, with one address."""

import http.client
from collections.abc import Iterator

from flask import Response, request

from wizard.kiosk.processes import HOST, SECRET_HEADER, World

TIME_LIMIT = 30.0
"""Seconds. A week of the time machine takes three."""
LARGEST_ANSWER = 4 << 20
"""Bytes. The largest page of the wizard has a hundredth of it."""
ASKED = frozenset(
    {
        "accept", "accept-language", "content-type", "host", "hx-boosted", "hx-current-url",
        "hx-history-restore-request", "hx-request", "hx-source", "hx-target", "hx-request-type", "origin", "referer",
        "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "x-csrftoken",
    }
)  # fmt: skip
"""The headers that a world is told."""
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"})
NEVER, ITSELF = "frame-ancestors 'none'", "frame-ancestors 'self'"


def passed(world: World, besides: str) -> Response:
    """The answer of that world to this request. `besides` is the cookie that is the kiosk's own, and not passed on."""
    connection = http.client.HTTPConnection(HOST, world.port, timeout=TIME_LIMIT)
    try:
        connection.request(request.method, _target(), body=request.get_data(), headers=dict(_headers(world, besides)))
        answer = connection.getresponse()
        response = Response(answer.read(LARGEST_ANSWER), answer.status)
        response.headers.clear()
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                response.headers.add(name, value.replace(NEVER, ITSELF))
        return response
    finally:
        connection.close()


def _target() -> str:
    query = request.query_string.decode("latin-1")
    path = str(request.environ["RAW_URI"]).partition("?")[0] if "RAW_URI" in request.environ else request.path
    return f"{path}?{query}" if query else path


def _headers(world: World, besides: str) -> Iterator[tuple[str, str]]:
    for name, value in request.headers.items():
        if name.lower() in ASKED:
            yield name, value
    cookies = "; ".join(f"{name}={value}" for name, value in request.cookies.items() if name != besides)
    if cookies:
        yield "Cookie", cookies
    yield SECRET_HEADER, world.secret
