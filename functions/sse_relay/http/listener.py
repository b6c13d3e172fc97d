"""The listening socket."""

import socket
from collections.abc import Callable

from functions.sse_relay.http.connection import KERNEL_BYTES
from functions.sse_relay.http.poll import Poll

BACKLOG = 4096
ACCEPTS_PER_ROUND = 64
"""Connections accepted before the open streams are served again."""


class Listener:
    """Passes each accepted connection, not blocking, and its peer's address to `on_accept`."""

    def __init__(self, poll: Poll, on_accept: Callable[[socket.socket, str], None]) -> None:
        self._poll = poll
        self._on_accept = on_accept
        self._socket: socket.socket | None = None

    def start(self, host: str, port: int) -> int:
        """Listen. Returns the port."""
        listener = socket.create_server((host, port), backlog=BACKLOG)
        listener.setblocking(False)
        # accepted connections inherit both options
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self._poll.watch(listener.fileno(), self)
        self._socket = listener
        return int(listener.getsockname()[1])

    def stop(self) -> None:
        """Close the socket. Connections that were not accepted yet are refused."""
        if self._socket is not None:
            self._poll.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def on_ready(self, writable: bool) -> None:  # noqa: ARG002  # a listening socket is never writable
        """Accept the waiting connections. Called by the poll."""
        for _ in range(ACCEPTS_PER_ROUND):
            if self._socket is None:
                return
            try:
                connected, peer = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            connected.setblocking(False)
            self._on_accept(connected, peer[0])
