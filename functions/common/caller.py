"""Identify the client of a call: by its owner, or by its address if calls are not signed in."""

import hashlib
import hmac
import socket
from ipaddress import IPv6Address, ip_network

from functions.common.identity import PUBLIC_OWNER

IPV6_PREFIX = 64
"""A client can use every address of its /64."""


def client_network(address: str) -> str | None:
    """Return what identifies a client: an IPv4 address, or the /64 of an IPv6 address. A port is ignored.

    An IPv4 address that is mapped into IPv6 is that IPv4 address. Returns None for other text.
    """
    host = _without_port(address)
    try:
        socket.inet_pton(socket.AF_INET, host)  # faster than ip_address: the relay does this for each stream
    except (OSError, ValueError):
        return _ipv6_network(host)
    return host


def _ipv6_network(host: str) -> str | None:
    try:
        parsed = IPv6Address(host)
    except ValueError:
        return None
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), IPV6_PREFIX), strict=False))


def caller_of(owner: str, address: str, salt: str) -> str:
    """Return to whom a job's run is charged: its owner or, if that is everyone, a digest of the address."""
    return caller_digest(address, salt) if owner == PUBLIC_OWNER else owner


def caller_digest(address: str, salt: str) -> str:
    """Return a salted digest of the client's address, 16 hexadecimal digits. Addresses are not stored."""
    network = client_network(address) or address
    return hmac.new(salt.encode(), network.encode(), hashlib.sha256).hexdigest()[:16]


def _without_port(address: str) -> str:
    """Return the address in `192.0.2.1:80`, `[2001:db8::1]:80` or `[2001:db8::1]`."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, _, port = address.partition(":")
    return host if port.isdecimal() else address
