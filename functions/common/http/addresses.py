"""Which addresses a server on the internet can have."""

from ipaddress import IPv6Address, ip_address


def is_public(address: str) -> bool:
    """Return whether an IP address is on the internet: not private, loopback, link-local (where clouds serve
    their credentials), multicast or reserved, also not as an IPv4 address within an IPv6 address."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo and parsed.teredo[1])
        if inner and not is_public(str(inner)):
            return False
    return parsed.is_global and not parsed.is_multicast
