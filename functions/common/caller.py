"""Identify the client of a call by its address, because calls are not signed in."""

import hashlib
import hmac
from ipaddress import IPv6Address, ip_address, ip_network

IPV6_PREFIX = 64
"""A client can use every address of its /64."""


def client_network(address: str) -> str:
    """Return what identifies a client: an IPv4 address, or the /64 of an IPv6 address.

    An IPv4 address that is mapped into IPv6 is that IPv4 address. A port is ignored. Other text is returned
    as it is.
    """
    try:
        parsed = ip_address(_without_port(address))
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), IPV6_PREFIX), strict=False))


def caller_digest(address: str, salt: str) -> str:
    """Return a salted digest of the client's address, 16 hexadecimal digits. Addresses are not stored."""
    return hmac.new(salt.encode(), client_network(address).encode(), hashlib.sha256).hexdigest()[:16]


def _without_port(address: str) -> str:
    """Return the address in `192.0.2.1:80`, `[2001:db8::1]:80` or `[2001:db8::1]`."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, _, port = address.partition(":")
    return host if port.isdecimal() else address
