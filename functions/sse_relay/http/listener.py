"""The listening sockets."""

import errno
import socket
from collections.abc import Callable, Iterator

from functions.sse_relay.http.connection import KERNEL_BYTES
from functions.sse_relay.http.poll import Poll

BACKLOG = 4096
UNACKNOWLEDGED_MS = 60_000
"""The kernel gives a connection up whose client has not acknowledged, or not read, anything for so long."""
ACCEPTS_PER_ROUND = 64
"""Connections accepted before the open streams are served again."""


class Listener:
    """Passes each accepted connection, not blocking, and its peer's address to `on_accept`."""

    def __init__(self, poll: Poll, on_accept: Callable[[socket.socket, str], None]) -> None:
        self._poll = poll
        self._on_accept = on_accept
        self._sockets: list[_ListeningSocket] = []

    def start(self, host: str, port: int) -> int:
        """Listen on every address of `host`, such as both loopback addresses of `localhost`.

        Returns the port. Raises OSError if no address can be used, or if the port is in use on one of them.
        """
        for family, address in _addresses(host):
            try:
                listener = _listen(family, (address, port))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):  # a machine without IPv6
                    self.stop()
                    raise
                continue
            port = listener.getsockname()[1]
            accepting = _ListeningSocket(listener, self._on_accept)
            self._poll.watch(listener.fileno(), accepting)
            self._sockets.append(accepting)
        if not self._sockets:
            raise OSError(errno.EADDRNOTAVAIL, f"this machine has no address of {host}")
        return port

    def stop(self) -> None:
        """Close the sockets. Connections that were not accepted yet are refused."""
        for accepting in self._sockets:
            self._poll.unwatch(accepting.listener.fileno())
            accepting.listener.close()
        self._sockets = []


class _ListeningSocket:
    """Accepts the connections of one address."""

    def __init__(self, listener: socket.socket, on_accept: Callable[[socket.socket, str], None]) -> None:
        self.listener = listener
        self._on_accept = on_accept

    def on_ready(self, writable: bool) -> None:  # noqa: ARG002  # a listening socket is never writable
        """Accept the waiting connections. Called by the poll."""
        for _ in range(ACCEPTS_PER_ROUND):
            try:
                connected, peer = self.listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                if self.listener.fileno() < 0:  # stopped by a request of this round
                    return
                raise
            connected.setblocking(False)
            self._on_accept(connected, peer[0])


def _addresses(host: str) -> Iterator[tuple[int, str]]:
    """Yield the addresses of a host with their families."""
    if host == "localhost":  # some resolvers know only one of them
        yield from ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
        return
    resolved = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, _, _, _, address in resolved:
        yield family, str(address[0])


def _listen(family: int, address: tuple[str, int]) -> socket.socket:
    listener = socket.create_server(address, family=family, backlog=BACKLOG)
    listener.setblocking(False)
    # accepted connections inherit these options
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    return listener
