"""Which IP addresses the wizard connects to: what an operator allows, and what nobody can allow."""

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from wizard.text import Text, say

Network = IPv4Network | IPv6Network

REFUSED: tuple[tuple[Network, Text], ...] = tuple(
    (ipaddress.ip_network(network), words)
    for network, words in (
        ("0.0.0.0/8", say("no address of a server")),
        ("169.254.0.0/16", say("a link-local address")),
        ("224.0.0.0/4", say("a multicast address")),
        ("255.255.255.255/32", say("the broadcast address")),
        ("240.0.0.0/4", say("a reserved address")),
        ("::/128", say("no address of a server")),
        ("fe80::/10", say("a link-local address")),
        ("ff00::/8", say("a multicast address")),
        ("::ffff:0:0/96", say("an IPv4 address written as an IPv6 address")),
        ("64:ff9b::/32", say("an IPv4 address written as an IPv6 address")),
        ("2001::/32", say("an IPv4 address written as an IPv6 address")),
        ("2002::/16", say("an IPv4 address written as an IPv6 address")),
    )
)
"""Never connected to, whatever is allowed (IANA's registries of special-purpose addresses, RFC 6890). The last four:
mapped addresses, NAT64, Teredo and 6to4 could stand for any of the others."""
EVERYTHING: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_LOOPBACK = IPv6Address("::1")


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a text is, written in full; None for a name, a number, a zone (%eth0), or a short form."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if getattr(address, "scope_id", None) is not None else address


def objection(text: str, allowed: Sequence[Network]) -> Text | None:
    """Why the wizard must not connect there; None when nothing speaks against it."""
    address = address_of(text)
    if address is None:
        return say("%(address)s is no IP address.", address=text)
    for network, words in REFUSED:
        if address in network:
            return say("%(address)s is %(kind)s, which is never used.", address=text, kind=words)
    if address.is_reserved and address != _LOOPBACK:
        return say("%(address)s is %(kind)s, which is never used.", address=text, kind=say("a reserved address"))
    if not any(address in network for network in allowed):
        return say("%(address)s is in none of the networks of WIZARD_ALLOWED_NETWORKS.", address=text)
    return None
