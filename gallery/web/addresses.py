"""Which addresses of the internet are public: the only ones that a URL from a list may lead to."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What the standard library of some Python that we run on takes for global, and is not meant to be reached.
_RESERVED: tuple[Network, ...] = (
    ip_network("192.0.0.0/24"),  # protocol assignments (RFC 6890)
    ip_network("192.88.99.0/24"),  # relays of 6to4, given up (RFC 7526)
    ip_network("64:ff9b:1::/48"),  # translation within one network (RFC 8215)
    ip_network("100::/64"),  # discarded (RFC 6666)
    ip_network("2001::/23"),  # protocol assignments, Teredo among them (RFC 2928)
    ip_network("3fff::/20"),  # documentation (RFC 9637)
    ip_network("5f00::/16"),  # segment routing (RFC 9602)
    ip_network("fec0::/10"),  # once site-local (RFC 3879)
)
# IPv6 that carries an IPv4 address: where it lies in the 128 bits, as the count of bits below it.
_CARRYING: tuple[tuple[Network, int], ...] = (
    (ip_network("::ffff:0:0/96"), 0),  # mapped (RFC 4291)
    (ip_network("::/96"), 0),  # compatible, given up (RFC 4291)
    (ip_network("::ffff:0:0:0/96"), 0),  # translated (RFC 2765)
    (ip_network("64:ff9b::/96"), 0),  # NAT64 (RFC 6052)
    (ip_network("2002::/16"), 80),  # 6to4 (RFC 3056)
)
_IPV4_BITS = 0xFFFF_FFFF


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet, and so is the IPv4 address that it carries.

    Private, loopback, link-local, shared, reserved, multicast and unspecified ones are not.
    """
    carried = _carried(address)
    if carried is not None:
        return is_public(carried)
    if any(address in network for network in _RESERVED):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether the address lies in one of the networks; a mapped one is taken for the IPv4 that it is."""
    plain = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    return any(plain in network for network in networks)


def parse_address(text: str) -> Address:
    """The address in this text, as a resolver gives it; raises ValueError."""
    return ip_address(text)


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks in this text, with commas between, such as `10.2.0.0/16`; raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _carried(address: Address) -> IPv4Address | None:
    for network, below in _CARRYING:
        if address in network:
            return IPv4Address(int(address) >> below & _IPV4_BITS)
    return None
