"""Where a request comes from: proxies that are trusted are believed, and nobody else."""

import ipaddress
from collections.abc import Iterable

import pytest

from wizard.web.proxies import BehindProxies, neighbourhood

PROXIES = [ipaddress.ip_network(text) for text in ("10.0.0.5/32", "10.1.0.0/16", "fd00::/8")]


def seen(peer: str, forwarded: str = "", proto: str = "", trusted: object = PROXIES) -> tuple[str, str]:
    """The address and the scheme that the application sees."""
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"}
    environ |= {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    environ |= {"HTTP_X_FORWARDED_PROTO": proto} if proto else {}
    found = []

    def app(environ: dict[str, str], start_response: object) -> Iterable[bytes]:
        found.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return []

    BehindProxies(app, trusted)(environ, lambda *_: lambda _: None)  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.5", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.5", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.5", "203.0.113.9, 192.0.2.1, 10.1.2.3", "192.0.2.1"),
        ("10.0.0.5", "10.1.2.3", "10.1.2.3"),
        ("::ffff:10.0.0.5", "192.0.2.1", "192.0.2.1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.5", "192.0.2.1, unknown", "10.0.0.5"),
        ("10.0.0.5", "nonsense", "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.6", "192.0.2.1", "10.0.0.6"),
        ("192.0.2.1", "10.0.0.5, 203.0.113.9", "192.0.2.1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_the_last_address_that_is_no_proxy_counts(peer: str, forwarded: str, address: str) -> None:
    assert seen(peer, forwarded)[0] == address


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("10.0.0.5", "https", "https"),
        ("10.0.0.5", "http, https", "https"),
        ("10.0.0.5", "https, http", "http"),
        ("10.0.0.5", "gopher", "http"),
        ("192.0.2.1", "https", "http"),
    ],
)
def test_only_a_trusted_proxy_says_that_it_was_https(peer: str, proto: str, scheme: str) -> None:
    assert seen(peer, proto=proto)[1] == scheme


def test_by_default_nobody_is_believed() -> None:
    assert seen("127.0.0.1", "192.0.2.1", "https", ()) == ("127.0.0.1", "http")


@pytest.mark.parametrize(
    ("one", "other", "is_the_same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8:0:0:ffff::", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "", True),
    ],
)
def test_the_64_of_an_ipv6_address_is_one_neighbourhood(one: str, other: str, is_the_same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is is_the_same
