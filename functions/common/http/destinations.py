"""Which URLs may be requested: as far as it can be said before a name is resolved."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from functions.common.http.addresses import is_public

LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")
"""Names, and the ends of names, that stand for private addresses."""


class NotAllowed(Exception):
    """The URL, one that it redirects to, or the address of its host is not allowed."""


def listed(text: str) -> frozenset[str]:
    """Return the hosts of a comma-separated list."""
    return frozenset(host.strip() for host in text.split(",") if host.strip())


@dataclass(frozen=True)
class Destinations:
    """`hosts` lists the allowed `host` or `host:port`; None allows every host.

    A plain `host`, and every host with None, requires https and a public address. Only an entry with a port,
    in `hosts` or in `private`, may use http and any address, because it is a local or test server.
    """

    hosts: frozenset[str] | None = None
    private: frozenset[str] = frozenset()

    def require_public(self, url: str) -> bool:
        """Return whether the host's address must be public. Raises NotAllowed with the reason."""
        parts = _split(url)
        if parts.netloc in self.private and parts.scheme in ("http", "https"):
            return False
        is_listed = self.hosts is not None and parts.netloc in self.hosts
        if is_listed and parts.port is not None and parts.scheme in ("http", "https"):
            return False
        if parts.scheme != "https" or not parts.hostname or not (self.hosts is None or is_listed):
            raise NotAllowed(f"{parts.scheme}://{parts.netloc} is not allowed")
        if _is_private(parts.hostname):
            raise NotAllowed(f"{parts.hostname} is not a public address")
        return True


ANYWHERE_PUBLIC = Destinations()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a port
    except ValueError as error:
        raise NotAllowed("the URL is not valid") from error
    return parts


def _is_private(host: str) -> bool:
    """Return whether a host is private by its name, or is an address in any form and not a public one.

    `127.1` and `0x7f000001` are IPv4 addresses, too: https://man7.org/linux/man-pages/man3/inet_aton.3.html
    """
    name = host.rstrip(".").lower()
    if name == LOCAL_NAMES[0] or name.endswith(LOCAL_NAMES[1:]):
        return True
    try:
        return not is_public(name)
    except ValueError:
        pass
    try:
        return not is_public(str(ip_address(socket.inet_aton(name))))
    except (OSError, ValueError):
        return False
