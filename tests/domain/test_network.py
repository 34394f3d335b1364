"""Which addresses the wizard connects to."""

import ipaddress

import pytest

from wizard.domain.network import EVERYTHING, objection

SOME = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00:5::/32"))


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "192.168.1.1", "203.0.113.7", "127.0.0.2", "::1", "fd00::1", "2a00:1450::5"]
)
def test_without_a_list_every_address_of_a_server_is_used(address: str) -> None:
    assert objection(address, EVERYTHING) is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("169.254.169.254", "link-local"),
        ("169.254.0.0", "link-local"),
        ("169.254.255.255", "link-local"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("0.0.0.0", "no address of a server"),
        ("0.1.2.3", "no address of a server"),
        ("::", "no address of a server"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved"),
        ("::169.254.169.254", "reserved"),
        ("::7f00:1", "reserved"),
        ("4000::1", "reserved"),
        ("::ffff:169.254.169.254", "written as an IPv6"),
        ("::ffff:a9fe:a9fe", "written as an IPv6"),
        ("::ffff:127.0.0.1", "written as an IPv6"),
        ("::FFFF:10.0.0.1", "written as an IPv6"),
        ("0:0:0:0:0:ffff:a9fe:a9fe", "written as an IPv6"),
        ("64:ff9b::169.254.169.254", "written as an IPv6"),
        ("64:ff9b:1::a9fe:a9fe", "written as an IPv6"),
        ("2001::a9fe:a9fe", "written as an IPv6"),
        ("2002:a9fe:a9fe::", "written as an IPv6"),
    ],
)
def test_some_addresses_are_never_used(address: str, words: str) -> None:
    for allowed in (EVERYTHING, (ipaddress.ip_network(f"{address}/{128 if ':' in address else 32}"),)):
        assert words in str(objection(address, allowed))


@pytest.mark.parametrize(
    "address",
    [
        *("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "127.1", "1"),
        *("010.0.0.1", "10.0.0.01", "10.0.0.256", "10.0.0", "10.0.0.1.", "10.0.0.1/32", "10.0.0.1:80", "+10.0.0.1"),
        *("fe80::1%eth0", "fe80::1%25eth0", "fd00::1%lo", "fd00::1%", "[fd00::1]", "fd00::g", ":::", "1::2::3"),
        *(
            "",
            " ",
            " 10.0.0.1",
            "10.0.0.1 ",
            "10.0.0.1\n",
            "10.0.0.1\0",
            "localhost",
            "example.org",
            "-oProxyCommand=x",
        ),
        *("١٠.٠.٠.١", "10。0。0。1", "⑩.0.0.1"),
    ],
)
def test_what_is_not_an_address_written_in_full_is_none(address: str) -> None:
    assert "is no IP address" in str(objection(address, EVERYTHING))


@pytest.mark.parametrize(
    ("address", "is_used"),
    [
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("9.255.255.255", False),
        ("11.0.0.0", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("fd00:5:ffff::1", True),
        ("fd00:6::1", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_with_a_list_only_its_networks_are_used(address: str, *, is_used: bool) -> None:
    assert (objection(address, SOME) is None) == is_used
