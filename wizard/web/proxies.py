"""Where a request comes from, when it comes through proxies: they are believed, and nobody else."""

import ipaddress
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from wizard.domain.network import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SCHEMES = frozenset({"http", "https"})


class BehindProxies:
    """Takes X-Forwarded-For and X-Forwarded-Proto from `trusted` networks, and from nowhere else.

    Of the addresses in X-Forwarded-For the last one that is no proxy of ours counts: what stands before it was
    written by whoever sent the request. The proxies have to pass on the Host header as it came.
    """

    def __init__(self, app: "WSGIApplication", trusted: Sequence[Network]) -> None:
        self._app, self._trusted = app, tuple(trusted)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._is_ours(environ.get("REMOTE_ADDR", "")):
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip()
            if scheme in SCHEMES:
                environ["wsgi.url_scheme"] = scheme
            environ["REMOTE_ADDR"] = self._client(environ)
        return self._app(environ, start_response)

    def _client(self, environ: "WSGIEnvironment") -> str:
        client = str(environ["REMOTE_ADDR"])
        for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = parsed(hop)
            if address is None:
                break
            client = str(address)
            if not self._is_ours(client):
                break
        return client

    def _is_ours(self, text: str) -> bool:
        address = parsed(text)
        return address is not None and any(address in network for network in self._trusted)


def parsed(text: str) -> Address | None:
    """An IPv4 address that is written as IPv6 is the IPv4 address; None for what is no address."""
    with suppress(ValueError):
        address = ipaddress.ip_address(text.strip().strip("[]"))
        return getattr(address, "ipv4_mapped", None) or address
    return None


def neighbourhood(text: str) -> str:
    """What one customer of a network has: an IPv4 address, or the /64 of an IPv6 address."""
    address = parsed(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or text)
