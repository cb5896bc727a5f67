"""Where requests come from, and who of them count as one."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope as Asgi

NOBODY = "unknown"
"""The address of who came by no network, as through a socket of the machine, or whose proxy names none."""
SUBNET_BITS = 64
"""Of an IPv6 address: what one customer has at the least (RFC 6177), and may change within at will."""


def address_of(request: Asgi) -> str:
    """Where the request comes from, as it is told."""
    client = request.get("client")
    return str(client[0]) if client else NOBODY


def counted_address(request: Asgi) -> str:
    """Who counts as one: an IPv4 address, or a network of IPv6."""
    try:
        address = ip_address(address_of(request).partition("%")[0])
    except ValueError:
        return NOBODY
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, SUBNET_BITS), strict=False))
