"""The guard of addresses knows what is public."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from wfx.tasks.address_guard import AddressGuard

REFUSED = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1",
    "fd00::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1", "localhost", "", "1.2.3", "8.8.8.8.8",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
    "192.0.1.0", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8",
    "2606:4700::1111", "2001:4860:4860::8888", "2a00::1",
)  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_public(text: str) -> None:
    """No address is allowed that is private, local, for many, reserved, or leads to IPv4 by another way."""
    assert not AddressGuard().allows(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public(text: str) -> None:
    """Public addresses are allowed, also those beside the special networks."""
    assert AddressGuard().allows(text)


def test_what_the_administrator_allows() -> None:
    """Networks of the list are allowed in all their spellings, and nothing beside them."""
    guard = AddressGuard(("10.1.0.0/16", "127.0.0.1", "fd00::/8"))
    assert all(map(guard.allows, ("10.1.2.3", "127.0.0.1", "::ffff:127.0.0.1", "fd00::7", "8.8.8.8")))
    assert not any(map(guard.allows, ("10.2.0.0", "127.0.0.2", "::1", "fc00::1", "64:ff9b::7f00:1")))


def test_translated_addresses_have_to_be_listed_themselves() -> None:
    """A network of NAT64 is allowed where it is listed, not by the network of IPv4 that it leads to."""
    assert not AddressGuard(("127.0.0.0/8",)).allows("64:ff9b::7f00:1")
    assert AddressGuard(("64:ff9b::/96",)).allows("64:ff9b::7f00:1")


def test_no_private_address_of_python_is_public() -> None:
    """Whatever this Python takes for not global is refused, in both families."""
    for number in range(0, 2**32, 2**32 // 5003):
        found = ip_address(number)
        assert (found.is_global and not found.is_multicast) or not AddressGuard().allows(str(found)), found
    for number in range(2**16):
        found = ip_address(number << 112)
        assert (found.is_global and not found.is_multicast) or not AddressGuard().allows(str(found)), found
