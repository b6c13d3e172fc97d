"""Which addresses a server on the internet can have."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NAT64 = IPv6Network("64:ff9b::/96")
"""A gateway translates these addresses to the IPv4 address in the last 32 bits (RFC 6052)."""


def is_public(address: str) -> bool:
    """Return whether an IP address is on the internet: not private, loopback, link-local (where clouds serve
    their credentials), multicast or reserved, also not as an IPv4 address within an IPv6 address."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo and parsed.teredo[1])
        if parsed in NAT64:
            inner = IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner and not is_public(str(inner)):
            return False
    return parsed.is_global and not parsed.is_multicast
